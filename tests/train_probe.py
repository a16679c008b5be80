"""A tiny task that can kill itself at a chosen moment: `python train_probe.py RUN STEPS MOMENT` (see test_train.py)."""

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.runtime import choose
from mien.train import EMA, Every, Fitted, Task, fit


class Tiny(Task):
    """A perceptron with dropout and batch statistics, Adam, an average, its own data order, noise from all."""

    items = 8

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
        self.adam = torch.optim.Adam(self.net.parameters(), lr=0.01)
        self.ema = EMA(self.net, decay=0.9)
        self.order = torch.Generator().manual_seed(3)
        self.data = torch.linspace(-1, 1, 64 * 4).reshape(64, 4)
        self.scores: list[float] = []

    def modules(self) -> dict[str, nn.Module]:
        return {"net": self.net}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"adam": self.adam}

    def averages(self) -> dict[str, EMA]:
        return {"net": self.ema}

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        x = self.data[torch.randint(64, (8,), generator=self.order)]
        noise = random.gauss(0, 0.1) + float(np.random.normal(0, 0.1))
        loss = (self.net(x) - x.sum(1, keepdim=True).sin() + noise).square().mean()
        self.adam.zero_grad()
        fabric.backward(loss)
        self.adam.step()
        return {"loss": loss}

    def state(self) -> dict[str, Any]:
        return {"order": self.order.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.order.set_state(state["order"])

    def evaluate(self) -> dict[str, float]:
        _ = torch.rand(7), random.random(), np.random.rand(3)  # evaluating must not change the training
        return {"score": float(-self.net(self.data).square().mean())}

    def weights(self) -> list[Tensor]:
        """Everything that must come out equal."""
        return [*self.net.state_dict().values(), *self.ema.module.state_dict().values()]


def train(run: Path, steps: int, task: Task, **options: Any) -> Fitted:
    """Saved and evaluated by steps, never by the clock: the same every time."""
    defaults = {"evaluate": Every(steps=4), "save": Every(steps=3), "tensorboard": False}
    return fit(task, run, steps=steps, runtime=choose("cpu", "fp32"), **(defaults | options))


def equal(one: Any, other: Any) -> bool:
    """Equal in values, types and order."""
    if isinstance(one, dict):
        if not isinstance(other, dict) or [(key, type(key)) for key in one] != [(key, type(key)) for key in other]:
            return False
        return all(equal(one[key], other[key]) for key in one)
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and bool((one == other).all())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return one == other


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(run: Path, steps: int, moment: str) -> None:
    """Train and die: in a "step" before Adam moves, in the middle of a "save", or right after one ("saved")."""
    torch.set_num_threads(1)
    task = Tiny()
    if moment == "step":
        step, task.adam.step = task.adam.step, lambda *_: _kill() if task.ema.updates == 7 else step()  # pyright: ignore
    sync, syncs = os.fsync, []

    def fsync(handle: int) -> None:
        syncs.append(handle)
        if moment == "save" and len(syncs) == 5:  # file and folder at step 0 and at step 3, then the file of step 6
            _kill()
        sync(handle)

    os.fsync = fsync
    train(run, steps, task, on_event=lambda e: _kill() if (moment, e.kind, e.step) == ("saved", "saved", 6) else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
