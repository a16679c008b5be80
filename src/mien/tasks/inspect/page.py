"""The report of one file: a page that stands alone, prints well, and treats every text from the file as hostile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from pathlib import Path

from mien import __version__
from mien.data import html
from mien.tasks.inspect.evidence.gather import Evidence
from mien.tasks.inspect.evidence.words import Words, clean
from mien.tasks.inspect.results import FaceResult, Inspected, InspectedVideo

STYLE = Path(__file__).with_name("report.css")
Pictures = dict[str, bytes]
"""Encoded pictures by what they show."""
SAID = {
    "original": ("Nothing found", "The inspector takes this face for an original."),
    "reshaped": ("Reshaped", "The inspector takes this face for reshaped: parts of it were probably moved, as a liquify tool does."),
    "swapped": ("Swapped", "The inspector takes this face for swapped: it was probably put in another's place, or made by a network."),
    "insufficient": ("Not enough evidence", "Nothing can be said of this face, neither that it is genuine nor that it is not."),
}
CAPTIONS = {
    "face": "As it is in the file.",
    "change": "How far content was moved, in colour; arrows show which way it went.",
    "traces": "Where the inspector finds that content was moved: dark blue is least, yellow most, in this face.",
    "restored": "The change undone, as the inspector sees it: a weak estimate, on average hardly nearer to the original.",
    "flicker": "The two in turn (moves on a screen only).",
    "metadata": "The preview inside the file.",
}
ABOUT = ("A verdict is a network's estimate, with the probability it gives for it. It can be wrong, above all for retouching of a "
         "kind it never saw. It is a reason to look closer and to ask for the original file, never a proof by itself.")  # fmt: skip
APART = "Each test stands for itself. None of them proves a forgery, and they are not added up: read what each can and cannot say."
TITLES = {"credentials": "Content Credentials and labels", "metadata": "What the file says of itself", "tables": "Compression",
          "double_jpeg": "Saved before", "error_level": "Error levels", "noise": "Noise", "resampling": "Resizing"}  # fmt: skip
MAPS = {"error_level": "error level", "noise": "noise", "metadata": "thumbnail"}
"""The picture that belongs to a kind of evidence."""


def write_page(path: Path, found: Inspected, photo: bytes, faces: Sequence[Pictures], maps: Pictures) -> None:
    """The report of a picture: `photo` with its faces framed, the pictures of each face, the maps of the evidence."""
    said = f"<div class='top'>{html.figure(photo, _counted(found.faces))}<div>{_said(found.faces)}{_notes(found.notes)}</div></div>"
    body = [_head(found, f"{found.width} x {found.height} pixels"), said,
            *_faces(found.faces, faces), _evidence(found.evidence, maps), _foot(found)]  # fmt: skip
    html.write_html(path, f"{_name(found.file)} · mien inspect", STYLE, body)


def write_video_page(path: Path, found: InspectedVideo, curve: bytes | None, faces: Sequence[Pictures]) -> None:
    """The report of a video: the curve over time, each person's most suspicious frame."""
    body = [_head(found, f"{found.width} x {found.height} pixels, {found.seconds:.1f} seconds"), _notes(found.notes)]
    if curve is not None:
        rows = [(str(one.track), f"{one.first:.1f} to {one.last:.1f} s", SAID[one.verdict][0] + _why(one.reasons), str(one.frames),
                 "" if one.suspicion is None else f"{one.suspicion:.0%}") for one in found.tracks]  # fmt: skip
        table = html.table(("face", "seen", "over all", "frames looked at", "median suspicion"), rows, 3)
        about = "Suspicion is 1 minus the probability that the face is original. A single high frame means little; a level does."
        body.append(html.section("Over time", about, html.figure(curve, "Every face in every frame looked at."), table))
    body += [*_faces(found.faces, faces), _evidence(found.evidence, {}), _foot(found)]
    html.write_html(path, f"{_name(found.file)} · mien inspect", STYLE, body)


def _name(file: str) -> str:
    return clean(Path(file).name, 120)


def _head(found: Inspected | InspectedVideo, size: str) -> str:
    rows = (("file", clean(found.file, 300)), ("size", size), ("SHA-256", found.sha256), ("inspected", f"{date.today():%d %B %Y}"),
            ("by", f"mien {__version__}, inspector: {found.inspector}"))  # fmt: skip
    return f"<header><h1>{escape(_name(found.file))}</h1>{html.table(('', ''), rows, 2)}</header>"


def _notes(notes: Iterable[str]) -> str:
    return "".join(f"<div class='warn'>{escape(line[:1].upper() + line[1:])}.</div>" for line in notes)


def _counted(faces: Sequence[FaceResult]) -> str:
    return "No face was found." if not faces else "1 face." if len(faces) == 1 else f"{len(faces)} faces, the largest first."


def _said(faces: Sequence[FaceResult]) -> str:
    """The verdicts, before anything else."""
    lines = []
    for number, face in enumerate(faces, 1):
        sure = "" if face.probability is None else f", {face.probability:.0%}"
        lines.append(f"<li class='{face.verdict}'><b>Face {number}: {escape(SAID[face.verdict][0])}{sure}</b>"
                     f"<br>{escape('; '.join(face.reasons) or SAID[face.verdict][1])}</li>")  # fmt: skip
    return f"<ul class='said'>{''.join(lines)}</ul>" if lines else ""


def _why(reasons: Sequence[str]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ""


def _faces(faces: Sequence[FaceResult], pictures: Sequence[Pictures]) -> list[str]:
    if not faces:
        return []
    parts = [_face(number, *one) for number, one in enumerate(zip(faces, pictures, strict=True), 1)]
    return [html.section("Faces", ABOUT, *parts)]


def _face(number: int, face: FaceResult, pictures: Pictures) -> str:
    title, said = SAID[face.verdict]
    lines = [said]
    if face.reasons:
        lines.append(f"Why: {'; '.join(face.reasons)}.")
    if face.verdict == "reshaped":
        lines.append("How far it was moved and which way, the inspector cannot tell." if face.moved_most is None else
                     f"Moved by up to {face.moved_most:.1f} pixels of the photo, {face.moved_mean:.1f} on average.")
    sure = f" <span>{face.probability:.0%}</span>" if face.probability is not None else ""
    if face.probabilities is not None:
        lines.append(", ".join(f"{name} {chance:.1%}" for name, chance in face.probabilities.items()))
    shown = "".join(html.figure(data, CAPTIONS[what]) for what, data in pictures.items())
    words = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (f"<article class='{face.verdict}'><h3>Face {number}: {escape(title)}{sure}</h3>{words}"
            f"<div class='row'>{shown}</div></article>")  # fmt: skip


def _evidence(found: Evidence, maps: Pictures) -> str:
    parts = []
    for name, title in TITLES.items():
        one = getattr(found, name)
        if one is None:
            continue
        drawn = maps.get(MAPS.get(name, ""))
        shown = "" if drawn is None else html.figure(drawn, CAPTIONS.get(name, f"{title}: dark blue is little, yellow much."))
        parts.append(f"<article><h3>{escape(title)}</h3>{_words(one.words)}{shown}{_more(name, found)}</article>")
    return html.section("The file", APART, *parts)


def _words(words: Words) -> str:
    rows = (("Found", words.found), ("May mean", words.meaning), ("Cannot prove", words.limits))
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows) + "</dl>"


def _more(name: str, found: Evidence) -> str:
    """What else was read, as a table of plain texts."""
    if name == "metadata" and found.metadata is not None:
        return html.table(("", ""), list(found.metadata.texts.items()), 2)
    if name == "credentials":
        return "".join(f"<p class='faint'>{escape(line)}</p>" for line in found.credentials.problems)
    return ""


def _foot(found: Inspected | InspectedVideo) -> str:
    return f"<footer>mien inspect · {escape(_name(found.file))} · SHA-256 {found.sha256[:16]}…</footer>"
