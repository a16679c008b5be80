"""A folder: every picture and video inspected once, a table and a page sorted by suspicion, and a stopped run goes on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien import __version__
from mien.data.sources import find_sources
from mien.progress import Progress
from mien.tasks.inspect.inspecting import PAGE, TOLD, inspect_picture, sha256
from mien.tasks.inspect.judging import Judge
from mien.tasks.inspect.moving import inspect_video
from mien.tasks.inspect.overview import write_overview
from mien.tasks.inspect.results import UNREAD, Batch, Line
from mien.tasks.inspect.writing import write

TABLE, OVERVIEW = "inspected.csv", "index.html"
COLUMNS = ("file", "verdict", "suspicion", "faces", "why", "signed", "changed since signed", "says generated", "editors named",
           "camera", "jpeg quality", "saved before", "enlarged", "width", "height", "report")  # fmt: skip
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs what begins like this."""
Told = Mapping[str, Any]
"""A report.json."""


def inspect_folder(folder: Path, judge: Judge, out: Path, every: float) -> Batch:
    """Inspect everything below `folder` into OUT/<its path>/; what is done and unchanged is not done again.

    What cannot be read is a line with the reason. ValueError where nothing can be read, or there is nothing.
    """
    inside = out.resolve()
    found = [one for one in find_sources([folder]) if inside not in one.path.resolve().parents]
    if not found:
        raise ValueError(f"{folder} holds no picture and no video beside {out}, expected at least one")
    done: dict[str, Told] = {}
    unread: dict[str, str] = {}
    looked = 0
    try:
        with Progress("inspect", len(found), "files") as bar:
            for one in found:
                name = one.path.relative_to(folder).as_posix()
                try:
                    before = _before(out / name, one.path, judge)
                    if before is None:
                        if one.kind == "video":
                            inspect_video(one.path, judge, out / name, every)
                        else:
                            inspect_picture(one.path, judge, out / name)
                        before = _told(out / name)
                        looked += 1
                    done[name] = before
                except (ValueError, PermissionError) as error:
                    unread[name] = " ".join(str(error).split())
                bar.advance(note=name)
    finally:
        lines = sorted((*map(_line, done, done.values()), *(Line(name, UNREAD, None, 0, why, None) for name, why in unread.items())),
                       key=lambda line: (line.verdict == UNREAD, 1.0 if line.suspicion is None else -line.suspicion))  # fmt: skip
        write(out / TABLE, _csv(lines, done).encode(errors="backslashreplace"))  # names are bytes, not always text
        write_overview(out / OVERVIEW, folder, lines, done)
    if not done:
        name, why = next(iter(unread.items()))
        raise ValueError(f"none of {len(found)} files below {folder} could be read; the first, {name}: {why}")
    return Batch(folder, out, out / TABLE, out / OVERVIEW, tuple(lines), looked)


def _before(place: Path, path: Path, judge: Judge) -> Told | None:
    """What was said of the same bytes by the same inspector, if it is all there."""
    if not (place / TOLD).is_file() or not (place / PAGE).is_file():
        return None
    try:
        told = _told(place)
    except ValueError:  # not ours, or cut short
        return None
    same = told.get("version") == __version__ and told.get("inspector") == judge.fingerprint and told.get("sha256") == sha256(path)
    return told if same else None


def _told(place: Path) -> Told:
    return json.loads((place / TOLD).read_text("utf-8"))


def _line(name: str, told: Told) -> Line:
    faces = told["faces"]
    if not faces:
        return Line(name, "no face", None, 0, "", f"{name}/{PAGE}")
    judged = [one for one in faces if one["probabilities"]]
    worst = min(judged, key=lambda one: one["probabilities"]["original"], default=faces[0])
    suspicion = round(1 - worst["probabilities"]["original"], 4) if judged else None
    return Line(name, worst["verdict"], suspicion, len(faces), "; ".join(worst["reasons"]), f"{name}/{PAGE}")


def _csv(lines: list[Line], done: Mapping[str, Told]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for line in lines:
        about = (line.file, line.verdict, line.suspicion, line.faces, line.why)
        rest = _facts(done[line.file]) if line.file in done else ("",) * (len(COLUMNS) - len(about) - 1)
        rows.writerow(map(_harmless, (*about, *rest, line.report)))
    return text.getvalue()


def _facts(told: Told) -> tuple[object, ...]:
    """What the file itself tells: the columns after the faces."""
    evidence = told["evidence"]
    signed, said, compression, double, resized = (
        evidence[name] or {} for name in ("credentials", "metadata", "tables", "double_jpeg", "resampling")
    )
    changed = None if signed["intact"] is None else not signed["intact"]
    return (
        _word(signed["signed"]), _word(changed), _word(signed["generated"]), ", ".join(said.get("editors", ())), said.get("camera"),
        compression.get("quality"), _word(double.get("twice")), _word(resized.get("resampled")), told["width"], told["height"],
    )  # fmt: skip


def _word(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, and run, behind an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
