"""The verdict on a face: what a network says of its crop, or why nothing can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mien.faces.inspected import looked_at
from mien.faces.quality import sharpness
from mien.types import Face

CLASSES = ("original", "reshaped", "swapped")
INSUFFICIENT = "insufficient"
CARD = "mien-inspect"
"""Of the bundled weights."""
NO_INSPECTOR = "no trained inspector is bundled"
SMALL, LARGE, COMPRESSED, SOFT = 80, 640, 30, 120.0
"""A crop's side in pixels, at least and at most, an IJG quality, a sharpness (see `mien.faces.quality.sharpness`): beyond, the
traces are gone, or were never learnt. Measured on faces of test people (`benchmarks/tamper_limits.py`; 95 % intervals of the accuracy,
original or reshaped, at even odds): it leaves chance between crops of 64 pixels (42 to 54 %) and 80 (52 to 64 %), at qualities of
20 to 30 (from 52 %), between sharpnesses of 80 to 120 (from 43 %) and 120 to 160 (from 58 %). The largest crops learnt
from had 544 pixels; of faces made from six larger ones up to 640 pixels 95 of 98 are told right, beyond 23 of 52, which is chance.
"""
FAINT = 2.0
"""Pixels of the picture: a field that is nowhere larger tells nothing of where and how far. On 81 reshaped faces of test people,
undoing what was told brought those with larger displacements 0.2 dB nearer to what they were, the others nothing.
"""
UNDECIDED = 0.6
"""Probability that the likeliest class must reach: of 2,900 faces, compressed ones among them, original or reshaped was told right
of 81 % that reach it and of 56 % that do not.
"""


@dataclass(frozen=True)
class Opinion:
    """What a network says of one crop of S x S pixels."""

    probabilities: tuple[float, float, float]
    """Calibrated, in the order of `CLASSES`."""
    field: np.ndarray
    """(2, S, S) float32, x then y: content now at p came from p + field(p), in pixels of the crop."""
    reliability: np.ndarray
    """(S, S) float32 in 0..1: the chance that the field is right there."""
    traces: np.ndarray | None = None
    """(S, S) float32 in 0..1: how surely content there was moved at all; not calibrated."""


Look = Callable[[np.ndarray, int | None], Opinion]
"""(S, S, 3) uint8 and the IJG quality of its file, where that is a JPEG -> Opinion."""


@dataclass(frozen=True)
class FaceVerdict:
    """One face, judged."""

    box: tuple[float, float, float, float]
    crop: tuple[int, int, int]
    """x0, y0, side of the square that was looked at, in pixels of the picture; it may reach beyond it."""
    verdict: str
    """One of `CLASSES`, or 'insufficient'."""
    reasons: tuple[str, ...]
    """Why it is insufficient."""
    opinion: Opinion | None
    """None where nothing was looked at."""

    @property
    def probability(self) -> float | None:
        """Of the verdict; of none where there is none."""
        if self.opinion is None or self.verdict == INSUFFICIENT:
            return None
        return self.opinion.probabilities[CLASSES.index(self.verdict)]

    @property
    def moved(self) -> tuple[float, float] | None:
        """How far, in pixels of the picture: the mean over the crop and the 99.5th percentile; None where that is not told."""
        if self.opinion is None:
            return None
        far = np.hypot(*self.opinion.field) * self.crop[2] / self.opinion.field.shape[-1]
        most = float(np.percentile(far, 99.5))
        return None if most < FAINT else (float(far.mean()), most)


class Judge:
    """Judges faces with one network, or says that there is none."""

    def __init__(self, look: Look | None, fingerprint: str = "") -> None:
        """`look`: the network; `fingerprint`: names it and its weights, so that what another one said is not taken for its word."""
        self.look, self.fingerprint = look, fingerprint

    @classmethod
    def bundled(cls) -> Judge:
        """With the inspector that comes along; without one every verdict is 'insufficient' and says so."""
        from mien.weights import card, cards, locate

        if CARD not in {one.name for one in cards()}:
            return cls(None, "none")
        from mien.tasks.inspect.looking import Looker

        looker = Looker(locate(CARD))

        def look(crop: np.ndarray, quality: int | None) -> Opinion:
            seen = looker.look(crop[None], quality)
            return Opinion(tuple(seen.probabilities[0].tolist()), seen.field[0], seen.reliability[0], seen.moved[0])

        return cls(look, f"{CARD} {card(CARD).sha256[:12]}")

    def judge(self, image: np.ndarray, faces: Sequence[Face], quality: int | None = None) -> list[FaceVerdict]:
        """(H, W, 3) uint8 and its faces -> a verdict for each, in their order. `quality`: IJG, of the file, where it is a JPEG."""
        return [self._one(image, face, quality) for face in faces]

    def _one(self, image: np.ndarray, face: Face, quality: int | None) -> FaceVerdict:
        box = face.box
        crop, place = looked_at(image, box)
        reasons = faults(crop, place[2], quality) + (() if self.look else (NO_INSPECTOR,))
        if reasons or self.look is None:
            return FaceVerdict(box, place, INSUFFICIENT, reasons, None)
        opinion = self.look(crop, quality)
        best = int(np.argmax(opinion.probabilities))
        if opinion.probabilities[best] < UNDECIDED:
            said = ", ".join(f"{name} {chance:.0%}" for name, chance in zip(CLASSES, opinion.probabilities, strict=True))
            return FaceVerdict(box, place, INSUFFICIENT, (f"undecided: {said}",), opinion)
        return FaceVerdict(box, place, CLASSES[best], (), opinion)


def faults(crop: np.ndarray, side: int, quality: int | None) -> tuple[str, ...]:
    """Why a crop that was `side` pixels in its picture cannot be judged, in words; none where it can."""
    sharp = sharpness(crop)
    checks = {
        f"too small: {side} pixels around the face, expected {SMALL} or more": side < SMALL,
        f"too large: {side} pixels around the face, expected {LARGE} or less": side > LARGE,
        f"too compressed: JPEG quality {quality}, expected {COMPRESSED} or more": quality is not None and quality < COMPRESSED,
        f"too blurred: sharpness {sharp:.0f}, expected {SOFT:.0f} or more": side >= SMALL and sharp < SOFT,
    }
    return tuple(words for words, poor in checks.items() if poor)
