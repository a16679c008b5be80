"""The training of a decoder for any style as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mien.train.recipe import Training


@dataclass(frozen=True)
class AdaINRecipe(Training):
    """Everything the training of `mien.models.adain` depends on, beside the machine."""

    parts: tuple[str, ...] = ()
    """Folders below `data` with photos: contents, and styles, too."""
    styles: tuple[str, ...] = ()
    """Paintings, files below `data`."""
    start: str = ""
    """A bundled network, a model file or a run folder to learn on from; `first` is then better 0."""
    side: int = 96
    """Pixels of a crop."""
    batch: int = 4
    contents: int = 900
    """Different crops of photos; what the encoder makes of them is kept (a quarter of a megabyte each, at 96 pixels)."""
    looks: int = 900
    """Different crops of styles."""
    shares: tuple[float, float, float] = (0.35, 0.35, 0.3)
    """Of paintings, drawn textures and photos among the styles."""
    style: float = 5.0
    """lambda of equation 11."""
    weights: Mapping[str, float] = field(default_factory=lambda: {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0})
    """Of the layers whose means and deviations are compared (equation 13)."""
    own: float = 0.2
    """Share of contents that are given their own style: what the decoder makes of them must be themselves, pixel by pixel."""
    pixels: float = 20.0
    """Weight of that."""
    first: float = 0.1
    """Share of the training in which decoding is learnt before styles are: half of it by pixels alone, then `own` falls from 1."""
    dev: int = 8
    """Photos held back to watch."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "side": 32 <= self.side <= 1024 and self.side % 16 == 0,
            "batch": self.batch > 0,
            "contents": self.contents > 0,
            "looks": self.looks > 0,
            "shares": len(self.shares) == 3 and min(self.shares) >= 0 and sum(self.shares) > 0,
            "style": 0 <= self.style < math.inf,
            "own": 0 <= self.own <= 1,
            "pixels": 0 <= self.pixels < math.inf,
            "first": 0 <= self.first < 1,
            "dev": self.dev > 0,
        }
