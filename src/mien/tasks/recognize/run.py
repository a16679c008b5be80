"""Know a face from one photo: compare, enroll, identify, group, forget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from mien.gallery import Receipt
    from mien.tasks.recognize.evidence import Row

VERIFY, IDENTIFY = 1e-3, 1e-4
"""False-match rates where none is asked for: of a claim, and of every comparison with everybody enrolled."""


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
        strangers = min(self.people * self.false_match_rate, 1)
        known = sum(face.name is not None for face in self.faces)
        lines.append(f"{known} of {len(self.faces)} faces known; of strangers about {strangers:.2g} in 1 would be given a name "
                     f"({self.people} people at {self.false_match_rate:g} each)")  # fmt: skip
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
class Moved:
    """People written to, or read from, one file."""

    file: Path
    people: tuple[str, ...]
    gallery: str


def verify(
    a: Path,
    b: Path,
    /,
    *,
    face: str = "",
    model: str = "dlib-face",
    false_match_rate: float | None = None,
    calibration: Path | None = None,
) -> Verified:
    """Say whether two photos show the same person, how likely, and what the answer's error rate is.

    A photo without a face, or with one too poor to decide by, is an error that says why, never a match.

    Args:
        a: a photo.
        b: another photo.
        face: where a photo shows several: largest, or 1 (the largest), 2, ...
        model: dlib-face, or mien-face: smaller and several times as fast, less exact.
        false_match_rate: how many of different pairs may pass for one person: 0.01, 0.001 (as without it), 0.0001, ...
        calibration: a file written by mien recognize calibrate.

    """
    from mien.faces.describe import space
    from mien.faces.probe import Prober
    from mien.tasks.recognize.calibrated import calibration as calibrated
    from mien.tasks.recognize.comparing import compared

    by = calibrated(space(model), false_match_rate, VERIFY, calibration)
    apart, chance, same = compared(Prober(model), Path(a), Path(b), face, by)
    return Verified(same, chance, apart, by.threshold, by.false_match_rate, model)


def enroll(
    name: str,
    photos: Annotated[tuple[Path, ...], Parameter(allow_leading_hyphen=False)],
    /,
    *,
    gallery: str = "",
    key: str = "",
    face: str = "",
    consent: str = "",
    keep_days: float | None = None,
    keep_photos: bool = False,
    model: str = "",
) -> Enrolled:
    """Make a person known from one photo or more; all photos are added, or none.

    Args:
        name: as it shall be shown. A name that is known gets more photos.
        photos: each with the person's face; several, on different days and in different light, make recognition surer.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: encrypts a new gallery and opens it afterwards: a file with 32 bytes, or env:NAME.
        face: where a photo shows several: largest, or 1 (the largest), 2, ...
        consent: who agreed to what, and when; kept with the person.
        keep_days: after so many days the person is forgotten.
        keep_photos: keep the photos themselves, not only the vector and a small crop of the face.
        model: of a new gallery: dlib-face or mien-face.

    """
    from mien.tasks.recognize.calibrated import calibration as calibrated
    from mien.tasks.recognize.comparing import enrolled
    from mien.tasks.recognize.opening import opened, prober

    if not photos:
        raise ValueError(f"no photo of {name} was given, expected one or more")
    with opened(gallery, key, model, create=True) as people:
        by = calibrated(people.space, None, IDENTIFY, None, people)
        person = enrolled(people, prober(people), name, [Path(p) for p in photos], face, by, keep_photos, consent, keep_days)
        return Enrolled(person.name, len(photos), person.vectors, people.store.place, person.keep_until, person.consent)


def identify(
    sources: Annotated[tuple[Path, ...], Parameter(allow_leading_hyphen=False)],
    /,
    *,
    gallery: str = "",
    key: str = "",
    out: Path | None = None,
    false_match_rate: float | None = None,
    calibration: Path | None = None,
    every: int = 3,
) -> Identified:
    """Say who is on photos and in videos: for each face somebody enrolled, or unknown.

    Args:
        sources: photos, videos, and folders of them.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.
        out: a folder for the evidence: every face beside the enrolled one it is nearest to, and faces.csv.
        false_match_rate: how many comparisons of different people may pass for one: 0.01, 0.001, 0.0001 (as without it), ...
        calibration: a file written by mien recognize calibrate; without it the gallery's own, if it has one.
        every: look at each nth frame of a video.

    """
    from mien.tasks.recognize.calibrated import calibration as calibrated
    from mien.tasks.recognize.evidence import written
    from mien.tasks.recognize.naming import Sighting, sightings, verdict
    from mien.tasks.recognize.opening import opened, prober

    if every < 1:
        raise ValueError(f"every is {every}, expected 1 (each frame) or more")
    with opened(gallery, key) as people:
        by = calibrated(people.space, false_match_rate, IDENTIFY, calibration, people)
        rows, left_out = [], []
        for one in sightings([Path(p) for p in sources], people, prober(people), every):
            if isinstance(one, Sighting):
                rows.append((one, *verdict(one, by), by.probability(one.hits[0].distance) if one.hits else 0.0))
            else:
                left_out.append(LeftOut(*one))
        for one in {name for _, name, _, _ in rows if name}:
            people.log("identify", one, f"{sum(name == one for _, name, _, _ in rows)} faces")
        people.log("identify", "", f"{len(rows)} faces in {len(sources)} sources")
        files = written(rows, people, Path(out)) if out and rows else ()
        enrolled = len(people.people())
        return Identified(people.store.place, enrolled, people.space.model, by.threshold, by.false_match_rate,
                          tuple(map(_sighted, rows)), tuple(left_out), files)  # fmt: skip


def people(*, gallery: str = "", key: str = "") -> People:
    """List who is enrolled.

    Args:
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.

    """
    from mien.tasks.recognize.calibrated import noted
    from mien.tasks.recognize.opening import opened

    with opened(gallery, key) as there:
        own = noted(there)
        rows = tuple(Listed(p.name, p.vectors, p.added, p.keep_until, p.consent) for p in there.people())
        return People(there.store.place, there.space.model, there.encrypted, f"{own.asked:g}" if own else "", rows)


def forget(name: str, /, *, gallery: str = "", key: str = "") -> Receipt:
    """Delete a person: vectors, crops, photos, index entries, mentions in the log and in the backup; prove it, and print a receipt.

    Args:
        name: as enrolled.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.

    """
    from mien.tasks.recognize.opening import opened

    with opened(gallery, key) as there:
        return there.forget(name)


def audit(*, gallery: str = "", key: str = "", last: int = 50) -> Audit:
    """Show who asked what of a gallery, and whether its file is sound.

    Args:
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.
        last: how many lines.

    """
    from mien.tasks.recognize.opening import opened

    with opened(gallery, key) as there:
        entries = tuple(Asked(e.at, e.who, e.action, e.subject, e.detail) for e in there.audit(last))
        return Audit(there.store.place, entries, tuple(there.check()))


def export(file: Path, /, *, gallery: str = "", key: str = "") -> Moved:
    """Write everybody to one zip file of JSON, vectors and JPEG, not encrypted, for another machine or program.

    Args:
        file: the .zip to write.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.

    """
    from mien.tasks.recognize.opening import opened

    with opened(gallery, key) as there:
        written = there.export(file)
        return Moved(written, tuple(p.name for p in there.people()), there.store.place)


def import_(file: Path, /, *, gallery: str = "", key: str = "") -> Moved:
    """Add everybody of a file that `export` wrote; what is there already is left as it is.

    Args:
        file: the .zip to read.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.

    """
    from mien.tasks.recognize.opening import into

    with into(file, gallery, key) as there:
        return Moved(file, tuple(p.name for p in there.import_(file)), there.store.place)


def _sighted(row: Row) -> Sighted:
    sighting, name, why, chance = row
    nearest = sighting.hits[0] if sighting.hits else None
    x1, y1, x2, y2 = (round(side, 1) for side in sighting.probe.face.box)
    near = (chance, nearest.distance, nearest.name) if nearest else (None, None, None)
    return Sighted(sighting.source, (x1, y1, x2, y2), name, *near, why, sighting.start, sighting.stop)


COMMANDS = (verify, enroll, identify, people, forget, audit, export, import_)
