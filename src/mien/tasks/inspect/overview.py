"""A folder on one page: every file with its verdicts, the most suspicious first, a small picture, and the way to its report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw

from mien import __version__
from mien.data import html
from mien.tasks.inspect.drawing import INK, PAPER
from mien.tasks.inspect.evidence.words import clean
from mien.tasks.inspect.page import SAID, STYLE
from mien.tasks.inspect.results import UNREAD, Line
from mien.tasks.inspect.writing import jpeg

SIDE, MOST = 190, 400
"""Pixels of a small picture's longer side; so many files have one, the most suspicious, or the page would be too large to open."""
SHOWN = 6
"""Faces of a file that are told; the others are counted."""
ABOUT = ("The most suspicious face of each file decides its place: suspicion is 1 minus the probability that the face is original. "
         "Files in which no face could be judged come after those, and what could not be read is at the end.")  # fmt: skip


def write_overview(path: Path, folder: Path, lines: Sequence[Line], told: Mapping[str, Mapping[str, Any]]) -> None:
    """The page of `lines`, in their order; `told`: what report.json says of each that was read; reports lie below path's folder."""
    read = [line for line in lines if line.verdict != UNREAD]
    articles = [_article(path.parent, line, told[line.file], place < MOST) for place, line in enumerate(read)]
    unread = [(clean(line.file, 300), clean(line.why, 300)) for line in lines if line.verdict == UNREAD]
    name = clean(folder.resolve().name, 120)
    rows = [("folder", clean(folder, 300)), ("files", f"{len(read)} inspected, {len(unread)} not read"), *_counts(read),
            ("inspected", f"{date.today():%d %B %Y}"), ("by", f"mien {__version__}")]  # fmt: skip
    body = [f"<header><h1>{escape(name)}</h1>{html.table(('', ''), rows, 2)}</header>", html.section("Files", ABOUT, *articles)]
    if unread:
        body.append(html.section("Not read", "", html.table(("file", "why"), unread, 2)))
    html.write_html(path, f"{name} · mien inspect", STYLE, [*body, f"<footer>mien inspect · {escape(name)}</footer>"])


def _counts(read: Sequence[Line]) -> list[tuple[str, str]]:
    """Files by the verdict on their most suspicious face."""
    words = {name: title.lower() for name, (title, _) in SAID.items()} | {"no face": "no face"}
    found = {words[name]: sum(line.verdict == name for line in read) for name in words}
    return [("of these", ", ".join(f"{count} {name}" for name, count in found.items() if count))] if read else []


def _article(out: Path, line: Line, told: Mapping[str, Any], pictured: bool) -> str:
    link = f"./{quote(os.fsencode(line.report or ''))}"  # quoted, no name is a scheme, a query or the end of an attribute
    small = _thumbnail(out / line.file, told) if pictured else None
    seen = "" if small is None else f"<a href='{link}'>{html.image(small, '')}</a>"
    sure = "" if line.suspicion is None else f" <span>suspicion {line.suspicion:.0%}</span>"
    said = "".join(f"<p>{escape(words)}</p>" for words in _faces(told["faces"]))
    title = escape(clean(line.file, 300)) or "(a name that cannot be shown)"
    return (f"<article class='file {escape(line.verdict.replace(' ', '-'), quote=True)}'>{seen}<div>"
            f"<h3><a href='{link}'>{title}</a>{sure}</h3>{said}</div></article>")  # fmt: skip


def _faces(faces: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each face, numbered as in its report."""
    lines = []
    for number, face in enumerate(faces[:SHOWN], 1):
        sure = "" if face["probability"] is None else f", {face['probability']:.0%}"
        why = f": {'; '.join(map(clean, face['reasons']))}" if face["reasons"] else ""
        lines.append(f"Face {number}: {SAID[face['verdict']][0]}{sure}{why}")
    more = len(faces) - SHOWN
    return lines + [f"and {more} more"] * (more > 0) or ["No face was found."]


def _thumbnail(place: Path, told: Mapping[str, Any]) -> bytes | None:
    """The photo with its faces framed; of a video the face seen longest; None where neither is there any more."""
    photo = told["files"].get("photo")
    for name in filter(None, (photo, *(face["files"].get("face") for face in told["faces"][:1]))):
        try:
            with Image.open(place / Path(name).name) as opened:
                opened.draft("RGB", (2 * SIDE, 2 * SIDE))
                small = opened.convert("RGB")
        except OSError:
            continue
        small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
        for face in told["faces"] if name == photo else ():  # the photo's own frames are too thin at this size
            corners = tuple(edge * small.width / told["width"] for edge in face["box"])
            for colour, width in ((INK, 4), (PAPER, 2)):
                ImageDraw.Draw(small).rectangle(corners, outline=colour, width=width)
        return jpeg(np.asarray(small), 80)
    return None
