"""The training of a network that restyles in one pass, as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mien.train.recipe import Training

LAYERS = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_1": 1.0}


@dataclass(frozen=True)
class StyleRecipe(Training):
    """Everything the training of a style network depends on, beside the machine.

    Costs are relative: of content to the mean square of the photographs' maps, of style to that of the style's own Gram matrix, so a
    weight means the same for every layer and every style.
    """

    parts: tuple[str, ...] = ()
    """Folders of photographs below `data`; none: `data` itself."""
    styles: tuple[str, ...] = ()
    """Drawn pictures (`mien.data.drawn`) by name, or files, also such below the data folder; NAME=FILE gives a name of its own."""
    style: str = ""
    """One more picture: a person's own."""
    strengths: tuple[float, ...] = ()
    """Factor on the style weight of each style; none: 1."""
    style_side: int = 512
    """Pixels of the shorter side at which style pictures are looked at: smaller ones make smaller strokes."""
    start: str = ""
    """A bundled network, a model file or a run folder to learn on from; its styles are mixed evenly for a beginning."""
    learnt: Literal["all", "styles"] = "all"
    """"styles": scale and shift of the normalisations, and the last convolution; what all styles share stays."""
    batch: int = 1
    """Photographs in one step; each is shown in every style."""
    patch: int = 256
    """Pixels a side of what the network sees; VGG sees half as many: a window of it, in the next step all of it at half its size."""

    content: Mapping[str, float] = field(default_factory=lambda: {"relu3_3": 1.0})
    """Layer of VGG16 -> weight of the content cost there."""
    layers: Mapping[str, float] = field(default_factory=lambda: dict(LAYERS))
    """Layer -> weight of the style cost there; `style_weight` times their mean counts."""
    style_weight: float = 10.0
    variation: float = 1.0
    """Weight of the total variation."""
    steady: float = 50.0
    """Weight of the squared difference between a picture made and moved, and made of the moved picture with a little noise."""
    dev: int = 4
    """Photographs held back to watch the training."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        weights = (*self.content.values(), *self.layers.values(), *self.strengths, self.style_weight, self.variation, self.steady)
        count = len(self.styles) + bool(self.style)
        return super().checks() | {
            "styles": len(set(self.styles)) == len(self.styles),
            "strengths": not self.strengths or len(self.strengths) == count,
            "style_side": 64 <= self.style_side <= 4096,
            "batch": self.batch > 0,
            "patch": self.patch >= 64 and self.patch % 16 == 0,
            "content": bool(self.content),
            "layers": bool(self.layers),
            "style_weight": all(0 <= weight < math.inf for weight in weights),
            "dev": self.dev >= 0,
        }
