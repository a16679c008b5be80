"""One picture: its faces judged, its evidence gathered, its report written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from mien import __version__
from mien.data.files import atomic
from mien.faces.find import find_in_photo
from mien.tasks.inspect import drawing
from mien.tasks.inspect.evidence.gather import gather
from mien.tasks.inspect.evidence.subject import open_subject
from mien.tasks.inspect.judging import CLASSES, FaceVerdict, Judge
from mien.tasks.inspect.page import Pictures, write_page
from mien.tasks.inspect.results import FaceResult, Inspected, InspectedVideo
from mien.tasks.inspect.writing import jpeg, png, write

PAGE, TOLD = "report.html", "report.json"
NO_FACE = "no face was found: what follows is about the file alone"


def inspect_picture(path: Path, judge: Judge, out: Path | None) -> Inspected:
    """Look at a picture; with `out`, a folder, write the report and its pictures there. ValueError where it is none."""
    subject = open_subject(path)
    faces = [one.face for one in find_in_photo(subject.image)]
    evidence, maps = gather(subject)
    verdicts = judge.judge(subject.image, faces, evidence.tables.quality if evidence.tables else None)
    height, width = subject.image.shape[:2]
    notes = subject.notes + (() if faces else (NO_FACE,))
    found = Inspected(str(path), tuple(map(face_result, verdicts)), evidence, width, height, sha256(path), notes, judge.fingerprint)
    if out is None:
        return found
    names, encoded = {}, {}
    for what, drawn in maps.items():
        shown = drawn if what == "thumbnail" else drawing.coloured_map(drawn)
        names[what], encoded[what] = f"{what.replace(' ', '-')}.png", png(shown)
        write(out / names[what], encoded[what])
    pictures = [pictures_of(subject.image, one) for one in verdicts]
    pairs = enumerate(zip(found.faces, pictures, strict=True), 1)
    results = tuple(with_files(one, shown, out, number) for number, (one, shown) in pairs)
    photo = write(out / "photo.jpg", jpeg(drawing.outlined(subject.image, [one.box for one in verdicts])))
    found = replace(found, faces=results, files={"photo": "photo.jpg", **names}, report=str(out / PAGE))
    write_page(out / PAGE, found, photo, pictures, encoded)
    write_told(out / TOLD, found)
    return found


def face_result(one: FaceVerdict) -> FaceResult:
    """The numbers of a verdict."""
    chances = None
    if one.opinion is not None:
        chances = {name: round(float(chance), 4) for name, chance in zip(CLASSES, one.opinion.probabilities, strict=True)}
    x1, y1, x2, y2 = (round(edge, 1) for edge in one.box)
    mean, most = (None, None) if one.moved is None else (round(length, 2) for length in one.moved)
    sure = None if one.probability is None else round(float(one.probability), 4)
    return FaceResult((x1, y1, x2, y2), one.verdict, sure, one.reasons, chances, one.crop, mean, most)


def pictures_of(image: np.ndarray, one: FaceVerdict) -> Pictures:
    """The face; where a change is told that change in colour; where it was reshaped the face put back, and both in turn."""
    face = drawing.face_crop(image, one)
    shown = {"face": jpeg(face, 95)}
    back = drawing.resized(drawing.restored(image, one), drawing.SIDE) if one.verdict == "reshaped" and one.moved else None
    if back is not None:
        shown["restored"] = jpeg(back, 95)
    if one.opinion is not None and one.moved:
        shown["change"] = png(drawing.change(face, one.opinion, one.crop[2]))
    if one.verdict == "reshaped" and one.opinion is not None and one.opinion.traces is not None:
        shown["traces"] = jpeg(drawing.traces(face, one.opinion.traces), 92)
    if back is not None:
        shown["flicker"] = drawing.flicker(face, back)
    return shown


def with_files(one: FaceResult, shown: Pictures, out: Path, number: int) -> FaceResult:
    """The same, its pictures written beside the report."""
    names = {what: f"face-{number}-{what}.{'gif' if what == 'flicker' else 'png' if what == 'change' else 'jpg'}" for what in shown}
    for what, data in shown.items():
        write(out / names[what], data)
    return replace(one, files=names)


def write_told(path: Path, found: Inspected | InspectedVideo) -> None:
    """The result as JSON: the last file written, so that where it is, all is."""
    text = json.dumps(asdict(found) | {"version": __version__}, ensure_ascii=False, indent=1)
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")  # a file's name may be bytes that are no text


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
