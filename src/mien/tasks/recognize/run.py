"""Know a face from one photo: compare, enroll, identify, group, forget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mien.gallery.types import Receipt
from mien.tasks.recognize.clustered import Clustered
from mien.tasks.recognize.figures import Evaluated
from mien.tasks.recognize.results import (
    Asked,
    Audit,
    Calibrated,
    Enrolled,
    Identified,
    Listed,
    Moved,
    People,
    Recovered,
    Verified,
)
from mien.types import LearnedEmbedder

VERIFY = 1e-2
"""False-match rate where none is asked for."""


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
        false_match_rate: how many of different pairs may pass for one person: 0.01 (as without it), 0.001, 0.0001, ...
        calibration: a file written by mien recognize calibrate.

    """
    from mien.faces.describe import space
    from mien.faces.probe import Prober
    from mien.tasks.recognize.calibrated import calibration as calibrated
    from mien.tasks.recognize.comparing import compared
    from mien.tasks.recognize.subject import looked_for

    by = calibrated(space(model), false_match_rate, VERIFY, calibration)
    apart, chance, same = compared(Prober(model, search=looked_for(face)), Path(a), Path(b), face, by)
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
    from mien.tasks.recognize.calibrated import people_rate
    from mien.tasks.recognize.comparing import enrolled
    from mien.tasks.recognize.opening import opened, prober
    from mien.tasks.recognize.subject import looked_for

    if not photos:
        raise ValueError(f"no photo of {name} was given, expected one or more")
    with opened(gallery, key, model, create=True) as people:
        by = calibrated(people.space, None, people_rate(people), None, people)
        looks = prober(people, looked_for(face))
        person = enrolled(people, looks, name, [Path(p) for p in photos], face, by, keep_photos, consent, keep_days)
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
    quick: Annotated[bool, Parameter(negative="")] = False,
    thorough: Annotated[bool, Parameter(negative="")] = False,
) -> Identified:
    """Say who is on photos and in videos: for each face somebody enrolled, or unknown.

    Args:
        sources: photos, videos, and folders of them.
        gallery: a file, or postgresql://...; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.
        out: a folder for the evidence: every face beside the enrolled one it is nearest to, and faces.csv.
        false_match_rate: how many comparisons of different people may pass for one: 0.01, 0.001, ...;
            without it the stricter the more people are enrolled, so that of strangers about 1 in 100 is given a name.
        calibration: a file written by mien recognize calibrate; without it the gallery's own, if it has one.
        every: look at each nth frame of a video.
        quick: look once at every photo: large ones take a tenth of the time; small faces, and those on their side, may be missed.
        thorough: look in overlapping windows at small photos too, where one look would do.

    """
    from mien.tasks.recognize.asking import identified
    from mien.tasks.recognize.calibrated import calibration as calibrated
    from mien.tasks.recognize.calibrated import people_rate
    from mien.tasks.recognize.opening import opened, prober

    if every < 1:
        raise ValueError(f"every is {every}, expected 1 (each frame) or more")
    if quick and thorough:
        raise ValueError("quick and thorough exclude each other: take one, or neither")
    search = "quick" if quick else "thorough" if thorough else "everybody"
    with opened(gallery, key) as people:
        by = calibrated(people.space, false_match_rate, people_rate(people), calibration, people)
        return identified([Path(p) for p in sources], people, prober(people, search), by, every, Path(out) if out else None)


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


def recover(*, gallery: str = "", key: str = "") -> Recovered:
    """Put the last good backup of a damaged gallery in its place, and the damaged file aside.

    Args:
        gallery: the damaged file; without it the one that MIEN_GALLERY names, else the user's own.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.

    """
    from mien.gallery import recover as put_back
    from mien.tasks.recognize.opening import opened, place

    where = place(gallery)
    if "://" in where:
        raise ValueError(f"{where}: only a file can be put back to its backup; a server has its own backups")
    aside = put_back(Path(where))
    with opened(gallery, key) as there:
        return Recovered(where, aside, tuple(p.name for p in there.people()))


def cluster(
    folder: Path,
    /,
    *,
    out: Path,
    same: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    different: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    threshold: float | None = None,
    model: str = "dlib-face",
) -> Clustered:
    """Gather an archive of photos into people, and keep what is said of them from run to run; no photo is moved or changed.

    Args:
        folder: photos, and folders of them.
        out: a folder for the groups: index.html, groups.csv and the crops.
        same: faces or groups, as the page names them, that are one person: --same g3 g7.
        different: faces that are not one person.
        threshold: two groups are one person where their faces lie nearer than this; without it 0.54, of mien-face 0.40.
        model: dlib-face or mien-face.

    """
    from mien.faces.group import SAME_OF
    from mien.tasks.recognize.archive import clustered

    if threshold is None:
        threshold = SAME_OF.get(model, SAME_OF["dlib-face"])
    return clustered(Path(folder), Path(out), same or (), different or (), threshold, model)


def calibrate(
    pictures: Path,
    /,
    *,
    out: Path | None = None,
    gallery: str = "",
    key: str = "",
    false_match_rate: float = 1e-3,
    images: Path | None = None,
    model: str = "dlib-face",
) -> Calibrated:
    """Make threshold and probability from your own pictures, for a false-match rate you ask for.

    Args:
        pictures: a folder with one folder of photos for each person, LFW's pairs.txt, or a table of pairs (a, b, same).
        out: the file to write: verify and identify take it with --calibration.
        gallery: keep it with this gallery instead: identify then uses it by itself.
        key: of an encrypted gallery: a file with 32 bytes, or env:NAME.
        false_match_rate: how many of different pairs may pass for one person; refused where the pictures cannot support it.
        images: the folder a list's pictures are in; without it the list's own.
        model: dlib-face or mien-face; a gallery's own where one is named.

    """
    from mien.tasks.recognize.measuring import calibrated

    return calibrated(Path(pictures), images, false_match_rate, out, gallery, key, model)


def evaluate(
    pictures: Path,
    /,
    *,
    out: Path | None = None,
    images: Path | None = None,
    calibration: Path | None = None,
    false_match_rate: float | None = None,
    model: str = "dlib-face",
) -> Evaluated:
    """Measure recognition on pictures whose people are known: ROC, error rates, ranks, strangers, one-shot, groups.

    Args:
        pictures: a folder with one folder of photos for each person (and groups.csv), LFW's pairs.txt, or a table of pairs.
        out: a folder for report.html and its plots.
        images: the folder a list's pictures are in; without it the list's own.
        calibration: the file whose threshold is measured; without it the one that comes with mien.
        false_match_rate: of the threshold that comes with mien: 0.01 (as without it), 0.001, ...
        model: dlib-face or mien-face.

    """
    from mien.tasks.recognize.measuring import evaluated

    return evaluated(Path(pictures), images, out, calibration, false_match_rate, model)


def train(
    folder: Path,
    /,
    *,
    out: Path,
    loss: Literal["triplet", "semi-hard", "batch-hard", "pairwise", "contrastive", "arcface", "cosface"] = "semi-hard",
    minutes: float | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> LearnedEmbedder:
    """Train a network of your own that maps pictures of people to vectors, and test it on people it has not seen.

    Args:
        folder: a folder with one folder of pictures for each person, faces cut out (mien faces extract does that).
        out: the run folder: model, card, curves, who was in which part.
        loss: triplets, pairs, or a margin softmax.
        minutes: stop after so many.
        set_: change a setting: --set epochs=60 --set network=resnet20 (repeatable; docs/recognize-train.md).
        resume: go on with a run that was stopped.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from dataclasses import replace

    from mien.tasks.recognize import recipes
    from mien.tasks.recognize.learning import train_embedder

    recipe = replace(recipes.folder(), loss=loss)
    return train_embedder(Path(folder), Path(out), recipe, minutes, set_, resume, device, precision)


COMMANDS = (verify, enroll, identify, people, forget, cluster, calibrate, evaluate, train, audit, export, import_, recover)
