"""What an inspection answers: numbers and words alone, no pictures; what `--json` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.tasks.inspect.evidence.gather import Evidence


@dataclass(frozen=True)
class FaceResult:
    """One face."""

    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in pixels of the upright picture."""
    verdict: str
    """'original', 'reshaped', 'swapped' or 'insufficient'."""
    probability: float | None
    """Of the verdict, calibrated; None where it is insufficient."""
    reasons: tuple[str, ...]
    """Why it is insufficient."""
    probabilities: dict[str, float] | None
    """Of all three; None where the face was not looked at."""
    crop: tuple[int, int, int]
    """x0, y0, side of the square that was looked at."""
    moved_mean: float | None
    """Pixels of the picture, over the crop; None where the inspector cannot tell."""
    moved_most: float | None
    files: dict[str, str] = field(default_factory=dict)
    """Pictures of this face beside the report, by what they show."""

    @property
    def suspicion(self) -> float | None:
        """1 minus the probability that it is original."""
        return None if self.probabilities is None else 1 - self.probabilities["original"]

    def __str__(self) -> str:
        x1, y1, x2, y2 = self.box
        sure = "" if self.probability is None else f" ({self.probability:.0%})"
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        far = f"moved by up to {self.moved_most:.1f} pixels" if self.moved_most else "how far cannot be told"
        moved = f", {far}" if self.verdict == "reshaped" else ""
        return f"face at {x1:.0f}, {y1:.0f} to {x2:.0f}, {y2:.0f}: {self.verdict}{sure}{why}{moved}"


def suspicion(faces: tuple[FaceResult, ...]) -> float | None:
    """Of the most suspicious face; None where none was judged."""
    return max((one.suspicion for one in faces if one.suspicion is not None), default=None)


def worst(faces: tuple[FaceResult, ...]) -> str:
    """The verdict of the most suspicious face; 'no face' where there is none."""
    if not faces:
        return "no face"
    return max(faces, key=lambda one: -1.0 if one.suspicion is None else one.suspicion).verdict


@dataclass(frozen=True)
class Inspected:
    """One picture."""

    file: str
    faces: tuple[FaceResult, ...]
    """The largest first."""
    evidence: Evidence
    width: int
    height: int
    """Pixels, upright."""
    sha256: str
    notes: tuple[str, ...]
    """What had to be changed or left out to look at it, and that there is no face, where there is none."""
    inspector: str
    """Names the network and its weights."""
    report: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    """Maps and other pictures beside the report, by what they show."""

    def __str__(self) -> str:
        lines = [f"{self.file}: {self.width} x {self.height}", *map(str, self.faces), *self.notes]
        return "\n".join([*lines, *_spoken(self.evidence), *([f"report: {self.report}"] if self.report else [])])


@dataclass(frozen=True)
class FrameFace:
    """One face in one sampled frame."""

    time: float
    """Seconds."""
    track: int
    """Which person: the same number while a face can be followed."""
    verdict: str
    probability: float | None
    suspicion: float | None
    moved_mean: float | None
    side: int
    """Pixels of the crop."""


@dataclass(frozen=True)
class Track:
    """One face through a video."""

    track: int
    first: float
    last: float
    """Seconds."""
    frames: int
    """Looked at."""
    verdict: str
    """Of its median suspicion; 'insufficient' where fewer than half of its frames could be judged."""
    suspicion: float | None
    """Median over the frames judged."""
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class InspectedVideo:
    """One video."""

    file: str
    faces: tuple[FaceResult, ...]
    """Each track's most suspicious frame, in the order of `tracks`."""
    tracks: tuple[Track, ...]
    frames: tuple[FrameFace, ...]
    evidence: Evidence
    width: int
    height: int
    seconds: float
    """Up to the last frame looked at."""
    sha256: str
    notes: tuple[str, ...]
    inspector: str
    report: str | None = None
    files: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.file}: {self.width} x {self.height}, {self.seconds:.1f} s, {len(self.tracks)} faces followed"]
        for one in self.tracks:
            sure = "" if one.suspicion is None else f", suspicion {one.suspicion:.2f}"
            why = f": {'; '.join(one.reasons)}" if one.reasons else ""
            lines.append(f"face {one.track}, {one.first:.1f} to {one.last:.1f} s, {one.frames} frames: {one.verdict}{sure}{why}")
        return "\n".join([*lines, *self.notes, *_spoken(self.evidence), *([f"report: {self.report}"] if self.report else [])])


UNREAD = "not read"


@dataclass(frozen=True)
class Line:
    """One file of a folder."""

    file: str
    """Below the folder."""
    verdict: str
    """Of its most suspicious face; 'no face', or 'not read'."""
    suspicion: float | None
    faces: int
    why: str
    """Why it was not read, or its faces not judged."""
    report: str | None
    """Below the folder of the reports."""


@dataclass(frozen=True)
class Batch:
    """A folder, the most suspicious first, what could not be read last."""

    folder: Path
    out: Path
    table: Path
    """CSV."""
    page: Path
    """The same to look at, with a link to each report."""
    files: tuple[Line, ...]
    looked: int
    """Files inspected by this run; the others were done before."""

    def __str__(self) -> str:
        unread = sum(one.verdict == UNREAD for one in self.files)
        again = len(self.files) - unread - self.looked
        lines = [f"{self.table}: {len(self.files)} files, {self.looked} inspected now, {again} before, {unread} not read"]
        shown = self.files[:10]
        lines += [f"  {one.file}: {one.verdict}" + ("" if one.suspicion is None else f", suspicion {one.suspicion:.2f}")
                  + (f" ({one.why})" if one.why else "") for one in shown]  # fmt: skip
        more = [f"  and {len(self.files) - len(shown)} more"] if len(self.files) > len(shown) else []
        return "\n".join([*lines, *more, f"page: {self.page}"])


@dataclass(frozen=True)
class Reshaped:
    """What was done to a photo."""

    out: Path
    warper: str
    sliders: dict[str, float]
    """Those that are not 0."""
    box: tuple[int, int, int, int]
    """x1, y1, x2, y2 of the part that may have changed; all else is as it was."""
    mean: float
    """Pixels that part was moved by, on average,"""
    largest: float
    """and at most."""
    files: tuple[str, ...]
    """The field and its picture, where asked for."""

    def __str__(self) -> str:
        asked = ", ".join(f"{name.replace('_', '-')} {amount:+g}" for name, amount in self.sliders.items())
        moved = f"moved {self.mean:.1f} pixels on average, {self.largest:.1f} at most (by {self.warper})"
        return "\n".join([f"{self.out}: {asked}; {moved}; signed", *self.files])


def _spoken(evidence: Evidence) -> list[str]:
    """One line for each kind of evidence that is there."""
    parts = {"credentials": evidence.credentials, "metadata": evidence.metadata, "compression": evidence.tables,
             "saved before": evidence.double_jpeg, "error levels": evidence.error_level, "noise": evidence.noise,
             "resizing": evidence.resampling}  # fmt: skip
    return [f"{name}: {part.words.found}" for name, part in parts.items() if part is not None]
