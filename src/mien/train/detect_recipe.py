"""The training of a detector, as a value."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Literal

from mien.train.recipe import Training

Generation = Literal["one", "rcnn", "fast", "faster", "four-steps"]
Border = Literal["learn", "ignore"]


@dataclass(frozen=True)
class DetectRecipe(Training):
    """Everything the training of a detector depends on, beside the machine."""

    split: str = "train"
    """Part of the data set that is learnt from."""
    watched: str = "val"
    """Part that is looked at during the training; "": none."""
    tested: str = "test"
    """Part that is scored once, in the end; "": none."""
    most: int = 0
    """Pictures that are learnt from at most, evenly chosen; 0: all."""
    names: tuple[str, ...] = ()
    """Classes to learn; none: all of the data set."""
    side: int = 240
    """Pixels of a picture's shorter side as the network sees it, unless the longer one would be more than `longest`."""
    longest: int = 480
    batch: int = 8
    """Pictures in one step."""
    zoom: float = 0.3
    """Pictures are shown up to 1 + zoom times larger or smaller, on a canvas of their size."""
    upright: bool = True
    """Whether up and down matter: else pictures are mirrored that way and turned by quarters, too."""
    light: float = 0.2
    """Largest change of brightness, contrast and each colour, as a share."""
    mosaic: float = 0.0
    """How often four pictures are shown in one, each at half its size: small objects, and many."""
    anchors: int = 128
    """Anchors of a picture that a step learns from, half of them positive at most (the paper: 256)."""
    regions: int = 64
    """Proposals of a picture that a step learns from, a quarter of them positive at most."""
    proposals: int = 200
    """Proposals of a picture that these are chosen from (the paper: 2000)."""
    how: Generation = "faster"
    """What is trained: a classifier that tells one box, R-CNN, Fast R-CNN, Faster R-CNN all at once, or in the paper's four steps. It
    has to suit the network."""
    start: str = ""
    """A model file or run folder to learn on from; of another network of the family its convolutions are taken. vgg16 and
    efficientnet-lite0: what their authors learnt from ImageNet, for networks that stand on them.
    """
    frozen: int = 2
    """With start=vgg16: how many of its five blocks stay as they were (Fast R-CNN, section 4.5)."""
    cross_border: Border = "learn"
    """Whether anchors that reach beyond the picture's edge are learnt from, or not, as in the paper (section 3.3)."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "side": 32 <= self.side <= self.longest,
            "longest": self.longest <= 4096,
            "most": self.most >= 0,
            "batch": self.batch > 0,
            "zoom": 0 <= self.zoom < 8,
            "mosaic": 0 <= self.mosaic <= 1,
            "light": 0 <= self.light < 1,
            "anchors": self.anchors >= 2,
            "regions": self.regions >= 4,
            "proposals": self.proposals >= 4,
            "frozen": 0 <= self.frozen <= 5,
            "cross_border": self.cross_border in typing.get_args(Border),
        }
