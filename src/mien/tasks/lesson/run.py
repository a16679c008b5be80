"""Lessons: one idea a page, from one neuron upward, each with its picture and its numbers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Listed:
    """One lesson."""

    name: str
    title: str
    title_zh: str
    needs: tuple[str, ...]
    """Data sets, by their names in the data folder."""
    missing: tuple[str, ...]
    """Those of them that are not there."""


@dataclass(frozen=True)
class Lessons:
    """All lessons, in the order of reading."""

    lessons: tuple[Listed, ...]

    def __str__(self) -> str:
        wide = max(len(row.name) for row in self.lessons)
        wider = max(len(row.title) for row in self.lessons)
        lines = [f"{row.name:{wide}}  {row.title:{wider}}  {row.title_zh}{_needed(row)}" for row in self.lessons]
        last = "mien lesson run NAME runs one. [data sets]; * is not here: set MIEN_DATA to the folder that holds it."
        return "\n".join([*lines, last])


@dataclass(frozen=True)
class Ran:
    """What a lesson found out."""

    name: str
    title: str
    numbers: dict[str, float]
    picture: Path
    source: Path
    """The lesson itself, to read."""
    animation: Path | None = None
    """Of a lesson about something that moves: WebP, beside the picture."""

    def __str__(self) -> str:
        wide = max(len(name) for name in self.numbers)
        lines = [f"  {name.replace('_', ' '):{wide}}  {value:.6g}" for name, value in self.numbers.items()]
        moving = [f"moving   {self.animation}"] if self.animation else []
        return "\n".join([self.title, *lines, f"picture  {self.picture}", *moving, f"lesson   {self.source}"])


def list_() -> Lessons:
    """List the lessons in the order of reading: name, title, and the data sets each needs."""
    from mien.tasks.lesson.catalog import lessons

    return Lessons(tuple(Listed(each.name, each.title, each.title_zh, each.needs, _missing(each.needs)) for each in lessons()))


def run(name: str, *, out: Path | None = None, show: bool | None = None, data: Path | None = None) -> Ran:
    """Run one lesson: print its numbers, write its picture, and open it where there is a display.

    Args:
        name: as `mien lesson list` names it.
        out: the picture's file (.png, .svg or .pdf); out/lessons/NAME.png if not given.
        show: open the picture in the system's viewer; if not given, where somebody sits at a terminal with a display.
        data: folder of data sets, else the environment variable MIEN_DATA, else ./data.

    """
    from mien.data.files import atomic
    from mien.progress import say
    from mien.tasks.lesson.catalog import find
    from mien.tasks.lesson.look import execute, has_display, open_picture

    lesson = find(name)
    picture = out or Path("out/lessons") / f"{name}.png"
    if picture.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"a picture is written as .png, .svg or .pdf, not {picture.name!r}")
    animation = picture.with_suffix(".webp")
    animation.unlink(missing_ok=True)  # of an earlier run
    with atomic(picture) as draft:
        numbers, _ = execute(lesson.path, draft, data, animation)
    wanted = show if show is not None else sys.stderr.isatty() and has_display()
    if wanted and not open_picture(picture):
        say(f"there is no display or no picture viewer here; the picture is {picture}")
    return Ran(name, lesson.title, numbers, picture, lesson.path, animation if animation.is_file() else None)


def _missing(needs: tuple[str, ...]) -> tuple[str, ...]:
    from mien.data.folder import data_folder

    def here(name: str) -> bool:
        try:
            return data_folder(name).exists()
        except ValueError:
            return False

    return tuple(name for name in needs if not here(name))


def _needed(row: Listed) -> str:
    return f"  [{', '.join(f'{name}*' if name in row.missing else name for name in row.needs)}]" if row.needs else ""


COMMANDS = (list_, run)
