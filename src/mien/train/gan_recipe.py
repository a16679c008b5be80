"""The training of a generator against a judge, as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mien.nn.diff_augment import CHANGES
from mien.train.recipe import Training

Loss = Literal["minimax", "non-saturating", "wasserstein", "least-squares", "hinge"]
Penalty = Literal["none", "gradient", "r1"]


@dataclass(frozen=True)
class GANRecipe(Training):
    """Everything an adversarial training depends on, beside the machine; `options`: the generator's, `average`: of both networks."""

    batch: int = 64
    loss: Loss = "non-saturating"
    """A key of `mien.nn.gan.LOSSES`."""
    conditional: bool = False
    """Whether labels are learnt."""
    judge: Mapping[str, Any] = field(default_factory=dict)
    """For the judge's builder."""
    judge_steps: int = 1
    """Of the judge for one of the generator: together a round, which is what a step of the run is."""
    judge_rate: float = 1.0
    """The judge's learning rate over the generator's (Heusel et al. 2017, arXiv 1706.08500)."""
    penalty: Penalty = "none"
    """On how steep the judge is: between real and made pictures, or on real ones."""
    penalty_weight: float = 10.0
    """lambda of the gradient penalty, gamma / 2 of R1."""
    penalty_every: int = 1
    """Judge's steps between penalties, each of which is weighted so many times (Karras et al. 2020, arXiv 1912.04958, section 3.1)."""
    clip_judge: float = 0.0
    """Largest weight of the judge (Arjovsky et al. 2017); 0: not clipped."""
    augment: tuple[str, ...] = ()
    """What the judge's pictures are changed by: colour, translation, cutout (Zhao et al. 2020)."""
    sheets: int = 100
    """Steps between sheets of samples from the same noise."""
    watch: bool = True
    """Go back to the last good checkpoint, once, when samples become alike or the judge has won; the second time the run ends."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "batch": self.batch > 1,
            "judge_steps": self.judge_steps > 0,
            "judge_rate": 0 < self.judge_rate < math.inf,
            "penalty_weight": 0 <= self.penalty_weight < math.inf,
            "penalty_every": self.penalty_every > 0,
            "clip_judge": 0 <= self.clip_judge < math.inf,
            "augment": set(self.augment) <= set(CHANGES),
            "sheets": self.sheets > 0,
        }
