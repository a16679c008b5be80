"""What the base's training and a swap's have in common: one network, its optimiser, its average, one source of chance."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.models.swap import SwapNet
from mien.train import EMA, Task


class OneNetwork(Task):
    """Random numbers come from one generator whose state is kept, so a resumed run repeats nothing and skips nothing."""

    net: SwapNet
    optimizer: Optimizer
    ema: EMA
    """What is kept as the model in the end."""
    rng: torch.Generator

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"net": self.net}

    def optimizers(self) -> dict[str, Optimizer]:
        """One for all."""
        return {"net": self.optimizer}

    def averages(self) -> dict[str, EMA]:
        """One."""
        return {"net": self.ema}

    def descend(self, fabric: Fabric, loss: Tensor, clip: float) -> None:
        """One step down the loss; the gradient of what is trained is at most `clip` long."""
        self.optimizer.zero_grad()
        fabric.backward(loss)
        nn.utils.clip_grad_norm_([p for p in self.net.parameters() if p.requires_grad], clip)
        self.optimizer.step()

    def state(self) -> dict[str, Any]:
        """Where the random numbers stand."""
        return {"rng": self.rng.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.rng.set_state(state["rng"])
