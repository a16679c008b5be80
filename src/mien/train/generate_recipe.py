"""The training of a generator by likelihood, as a value."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.train.recipe import Training


@dataclass(frozen=True)
class GenerateRecipe(Training):
    """Everything the training of a VAE or a PixelCNN on pictures of two colours depends on, beside the machine.

    A grey value is the chance of a pixel being white: training draws anew in every step, what is held back is drawn once.
    """

    batch: int = 128
    beta: float = 1.0
    """Weight of a VAE's divergence (Higgins et al. 2017); with another than 1 the cost is no bound any more."""
    dev: int = 1000
    """Pictures held back to watch the training."""
    start: str = ""
    """What goes on learning: a bundled network, a model file, a run folder; "" for a new one. A gated PixelCNN may get more layers."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {"batch": self.batch > 0, "beta": 0 <= self.beta < math.inf, "dev": self.dev >= 0}
