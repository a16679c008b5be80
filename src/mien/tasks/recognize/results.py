"""What the verbs of recognition answer: frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verified:
    """Whether two photos show one person."""

    same: bool
    probability: float
    """Of one person, where both answers were equally likely beforehand."""
    distance: float
    threshold: float
    """One person up to here."""
    false_match_rate: float
    """Of pairs of different people, the share that the threshold takes for one."""
    model: str

    def __str__(self) -> str:
        verdict = "the same person" if self.same else "different people"
        sign = "<=" if self.same else ">"
        apart = f"distance {self.distance:.3f} {sign} {self.threshold:.3f}"
        return (f"{verdict}: probability {self.probability:.4f} (at even odds), {apart}, "
                f"which takes 1 in {1 / self.false_match_rate:,.0f} pairs of different people for one")  # fmt: skip


@dataclass(frozen=True)
class Enrolled:
    """A person as the gallery knows them now."""

    name: str
    photos: int
    """Added now."""
    vectors: int
    """In all."""
    gallery: str
    keep_until: str
    consent: str

    def __str__(self) -> str:
        until = f", kept until {self.keep_until}" if self.keep_until else ""
        return f"{self.name}: {self.photos} added, {self.vectors} in all, in {self.gallery}{until}"


@dataclass(frozen=True)
class Sighted:
    """One face of a photo, or of a video from `start` to `stop`, and who it is."""

    source: Path
    box: tuple[float, float, float, float]
    name: str | None
    """Null: nobody enrolled."""
    probability: float | None
    """Of being the nearest person, at even odds."""
    distance: float | None
    nearest: str | None
    why: str
    """Why no name was given."""
    start: float | None = None
    stop: float | None = None

    def __str__(self) -> str:
        time = f" {self.start:.1f} to {self.stop:.1f} s" if self.start is not None else ""
        place = f"{self.source}{time} at {self.box[0]:.0f},{self.box[1]:.0f}"
        if self.name is None:
            return f"{place}: unknown ({self.why})"
        return f"{place}: {self.name}, distance {self.distance:.3f}, probability {self.probability:.4f}"


@dataclass(frozen=True)
class LeftOut:
    """A file in which nobody was looked for in vain."""

    file: Path
    why: str


@dataclass(frozen=True)
class Identified:
    """Who is on photos and in videos."""

    gallery: str
    people: int
    """Enrolled."""
    model: str
    threshold: float
    false_match_rate: float
    """Of one comparison."""
    faces: tuple[Sighted, ...]
    left_out: tuple[LeftOut, ...]
    files: tuple[Path, ...]

    def __str__(self) -> str:
        lines = [str(face) for face in self.faces] + [f"{one.file}: {one.why}" for one in self.left_out]
        strangers = min(max(self.people, 1) * self.false_match_rate, 1)
        known = sum(face.name is not None for face in self.faces)
        lines.append(f"{known} of {len(self.faces)} faces known; about 1 stranger in {1 / strangers:,.0f} would be given a name "
                     f"({self.people} enrolled, {self.false_match_rate:g} false matches in each comparison)")  # fmt: skip
        return "\n".join(lines + [f"written: {file}" for file in self.files])


@dataclass(frozen=True)
class Listed:
    """One person of a gallery."""

    name: str
    vectors: int
    added: str
    keep_until: str
    consent: str


@dataclass(frozen=True)
class People:
    """Who is enrolled."""

    gallery: str
    model: str
    encrypted: bool
    calibrated: str
    """The false-match rate of the gallery's own calibration, if it has one."""
    people: tuple[Listed, ...]


@dataclass(frozen=True)
class Asked:
    """One line of the audit log."""

    at: str
    who: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """Who asked what, the newest last."""

    gallery: str
    entries: tuple[Asked, ...]
    faults: tuple[str, ...]
    """What is wrong with the gallery's file; nothing where it is sound."""


@dataclass(frozen=True)
class Recovered:
    """A damaged gallery put back to its last backup."""

    gallery: str
    put_aside: Path
    """The damaged file."""
    people: tuple[str, ...]
    """In the backup; who was enrolled after it has to be enrolled again."""


@dataclass(frozen=True)
class Moved:
    """People written to, or read from, one file."""

    file: Path
    people: tuple[str, ...]
    gallery: str


@dataclass(frozen=True)
class Calibrated:
    """A threshold and a probability, made from pictures whose people are known."""

    threshold: float
    false_match_rate: float
    """Asked for."""
    true_matches: float
    """Share of same-person pairs accepted, on the pairs it was made from."""
    held_out_false_matches: float | None
    """Of people who had no part in the threshold; null with fewer than ten people."""
    held_out_true_matches: float | None
    people: int
    same_pairs: int
    different_pairs: int
    left_out: int
    """Photos without a usable face."""
    protocol: str
    kept: str
    """Where the calibration is: a file, or a gallery."""

    def __str__(self) -> str:
        held = ""
        if self.held_out_false_matches is not None and self.held_out_true_matches is not None:
            held = (f"; of people who had no part in it {self.held_out_false_matches:.2g} false, "
                    f"{self.held_out_true_matches:.4f} true matches")  # fmt: skip
        return (f"one person up to {self.threshold:.4f}: at most {self.false_match_rate:g} false matches, "
                f"{self.true_matches:.4f} true ones{held}\n"
                f"{self.people} people, {self.same_pairs} and {self.different_pairs} pairs, {self.left_out} photos left out\n"
                f"kept in {self.kept}")  # fmt: skip
