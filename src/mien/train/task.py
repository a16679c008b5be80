"""What is trained: networks, optimisers and one step; everything around it is `mien.train.loop.fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.runtime import Runtime
from mien.train.average import EMA


class Task:
    """Subclass it: `modules`, `optimizers` and `step` are needed, the rest is optional; it makes its own batches.

    A task that keeps its data order in a `torch.Generator` returns `generator.get_state()` from `state()`; the global
    random states of torch, numpy and Python are kept by `fit`.
    """

    items: int = 1
    """Pictures (or samples) in one step: for the speed shown."""
    advice: str = "lower the learning rate"
    """What to do when the loss is not finite for the second time."""
    trouble: str = ""
    """What a step has found wrong with the whole training, in words: `fit` goes back to the last checkpoint as for a loss of NaN."""
    doubted: bool = False
    """Whether it may be so: no checkpoint is made meanwhile, so that the last one stays a good one."""
    share: float = 0.0
    """How much of the steps or minutes is done, 0..1: `fit` sets it before every step, for schedules."""

    def modules(self) -> dict[str, nn.Module]:
        """Networks to keep in checkpoints, by name."""
        raise NotImplementedError

    def optimizers(self) -> dict[str, Optimizer]:
        """Optimisers to keep in checkpoints, by name."""
        raise NotImplementedError

    def averages(self) -> dict[str, EMA]:
        """Averaged networks, by name: `fit` updates them after every step and keeps them in checkpoints."""
        return {}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Called once before the first step: moves the networks to the device (and to channels_last where that pays).

        For several processes override it and wrap: `self.net, self.opt = fabric.setup(self.net, self.opt)`.
        """
        for module in [*self.modules().values(), *(ema.module for ema in self.averages().values())]:
            module.to(fabric.device)
            if runtime.channels_last:
                module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Step number `index` (from 0): batch, forward under `fabric.autocast()`, `fabric.backward(loss)`, optimiser.

        Returns scalars to show, all finite; "loss" must be one of them. A GAN steps both its optimisers here.
        """
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What else to keep (data order, schedule): dicts, lists, numbers, text, tensors, arrays."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""

    def evaluate(self) -> dict[str, float]:
        """Held-out figures; "score" (higher is better) decides whether more training helps. Empty: no evaluation.

        The random states are put back afterwards, so evaluating does not change the training.
        """
        return {}

    def preview(self, path: Path) -> None:
        """Write a picture of how things stand to `path` (a .jpg); called after every evaluation."""


class Measured(Task):
    """A task that knows how many steps its recipe's epochs are."""

    steps: int


class OneNetworkTask(Measured):
    """A task with one network, one optimiser and, if wanted, an average of the network's weights."""

    net: nn.Module
    optimizer: Optimizer
    ema: EMA | None

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"net": self.net}

    def optimizers(self) -> dict[str, Optimizer]:
        """One."""
        return {"net": self.optimizer}

    def averages(self) -> dict[str, EMA]:
        """One, or none."""
        return {"net": self.ema} if self.ema else {}

    @property
    def result(self) -> nn.Module:
        """What is kept in the end: the average where there is one."""
        return self.ema.module if self.ema else self.net
