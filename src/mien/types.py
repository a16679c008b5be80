"""The currency between rooms: frozen dataclasses of numbers and arrays; imports neither torch nor any other room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Face:
    """One face in one picture, in that picture's pixels."""

    box: tuple[float, float, float, float]
    """x1, y1, x2, y2."""
    score: float
    """The detector's confidence, 0..1."""
    landmarks: np.ndarray
    """(68, 2) float32, iBUG order, x then y."""

    @property
    def size(self) -> float:
        """The longer side of the box."""
        x1, y1, x2, y2 = self.box
        return max(x2 - x1, y2 - y1)


@dataclass(frozen=True)
class Frame:
    """One decoded picture of a video (or a photo: index 0, time 0)."""

    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    index: int
    """Position in decoding order, from 0."""
    pts: int
    """Presentation time stamp in `time_base` units: exact."""
    time: float
    """Seconds from the start of the stream."""


@dataclass(frozen=True)
class Source:
    """A file a person handed in."""

    path: Path
    kind: str
    """'picture' or 'video'."""


@dataclass(frozen=True)
class Learned:
    """How a supervised training ended."""

    out: Path
    network: str
    parameters: int
    classes: int
    pictures: dict[str, int]
    """train, dev, test -> how many."""
    epochs: float
    seconds: float
    images_per_second: float
    train_accuracy: float
    """Of the batches of the last epoch, as the network stood when it saw them."""
    dev_accuracy: float | None
    test_accuracy: float | None
    test_loss: float | None
    reason: str
    files: tuple[str, ...]
