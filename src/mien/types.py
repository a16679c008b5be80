"""The currency between rooms: frozen dataclasses of numbers and arrays; imports neither torch nor any other room."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


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
class Detections:
    """What stands where in one picture, found or true; the names of the classes are kept by who made it."""

    boxes: np.ndarray
    """(N, 4) float32 x1, y1, x2, y2 in the picture's pixels, continuous: a box over the first pixel is 0, 0, 1, 1."""
    labels: np.ndarray
    """(N,) int64, places in the list of names."""
    scores: np.ndarray
    """(N,) float32, 0..1; 1 for the truth."""
    difficult: np.ndarray
    """(N,) bool: neither has to be found nor counts as a false alarm; only the truth has such."""

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, which: np.ndarray) -> Detections:
        """Those of a (N,) bool mask, or of (M,) indices in their order."""
        return Detections(self.boxes[which], self.labels[which], self.scores[which], self.difficult[which])

    @staticmethod
    def of(boxes: ArrayLike, labels: ArrayLike, scores: ArrayLike | None = None, difficult: ArrayLike | None = None) -> Detections:
        """From anything numpy understands: scores are 1 and nothing is difficult unless given. ValueError for lengths that differ."""
        import numpy as np

        corners = np.asarray(boxes, np.float32).reshape(-1, 4)
        count = len(corners)
        one = Detections(
            corners,
            np.asarray(labels, np.int64).reshape(-1),
            np.ones(count, np.float32) if scores is None else np.asarray(scores, np.float32).reshape(-1),
            np.zeros(count, bool) if difficult is None else np.asarray(difficult, bool).reshape(-1),
        )
        if not len(one.labels) == len(one.scores) == len(one.difficult) == count:
            raise ValueError(f"{count} boxes, {len(one.labels)} labels, {len(one.scores)} scores, {len(one.difficult)} difficult")
        return one

    @staticmethod
    def none() -> Detections:
        """A picture with nothing in it."""
        return Detections.of([], [])


@dataclass(frozen=True)
class Space:
    """Which vectors may be compared: those of one network after one alignment and one preprocessing."""

    model: str
    """The card of the network."""
    weights: str
    """SHA-256 of its file."""
    aligner: str
    """Landmarks and cut, with a version: another one gives other vectors of the same face."""
    preprocessing: str
    size: int
    """Numbers in a vector."""

    @property
    def key(self) -> str:
        """16 hexadecimal digits that differ where any of it differs."""
        text = "\n".join((self.model, self.weights, self.aligner, self.preprocessing, str(self.size)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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


@dataclass(frozen=True)
class LearnedEmbedder:
    """How the training of an embedder ended."""

    out: Path
    network: str
    loss: str
    parameters: int
    vector: int
    """Numbers in a vector; its length is 1."""
    people: dict[str, int]
    """train, dev, test -> how many; nobody is in two of them."""
    pictures: dict[str, int]
    epochs: float
    seconds: float
    images_per_second: float
    auc: float | None
    """Of all pairs of pictures of the test people: how often the same person is nearer than two people."""
    eer: float | None
    """Equal error rate of the same pairs."""
    one_shot: float | None
    """One photo each of five test people: how often another photo is nearest to its own person's."""
    threshold: float | None
    """The distance at which the test people's errors are equal: a start; `mien recognize calibrate` finds yours."""
    reason: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class LearnedGenerator:
    """How the training of a generator of pictures ended."""

    out: Path
    network: str
    parameters: int
    pictures: dict[str, int]
    """train, dev -> how many."""
    epochs: float
    seconds: float
    pictures_per_second: float
    nats: dict[str, float]
    """A picture held back: "nats" (of a VAE an upper bound) and, of a VAE, its two parts."""
    reason: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class LearnedGAN:
    """How the training of a generator against a judge ended."""

    out: Path
    network: str
    parameters: int
    """Of the generator."""
    judge: int
    """Parameters of the judge."""
    pictures: int
    labels: int
    """How many can be asked for; 0: none."""
    steps: int
    """Rounds: one step of the generator and one or more of the judge."""
    epochs: float
    seconds: float
    pictures_per_second: float
    """Real ones that the judge saw."""
    spread: float | None
    """Mean distance of two samples (of one label) over that of two real pictures: far below 1, they are too much alike."""
    reason: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class LearnedStylizer:
    """How the training of a network that restyles pictures ended."""

    out: Path
    network: str
    parameters: int
    styles: tuple[str, ...]
    """Names of those it knows; none: it takes pictures of them."""
    pictures: dict[str, int]
    """train, dev, styles -> how many."""
    steps: int
    seconds: float
    crops_per_second: float
    costs: dict[str, float]
    """content, style -> loss of the pictures held back."""
    reason: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class LearnedEnlarger:
    """How the training of an enlarger ended."""

    out: Path
    network: str
    parameters: int
    scales: tuple[int, ...]
    pictures: dict[str, int]
    """train, dev -> how many."""
    epochs: float
    seconds: float
    patches_per_second: float
    psnr: dict[str, float]
    """x2, x3... -> mean dB of the pictures held back to watch, on brightness; `mien upscale evaluate` measures others."""
    reason: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class LearnedDetector:
    """How the training of a detector ended."""

    out: Path
    network: str
    parameters: int
    names: tuple[str, ...]
    """The classes."""
    pictures: dict[str, int]
    """train, dev, test -> how many."""
    epochs: float
    seconds: float
    pictures_per_second: float
    ap50: dict[str, float]
    """Class -> AP at an IoU of 0.5 of the test pictures, all points; "mean": of all classes. Empty where there is no test part."""
    test_seconds: float
    """A test picture, from file to boxes."""
    reason: str
    files: tuple[str, ...]
