"""How the lessons become pages: their order, their look, and a word on those that could not be run. Used by docs/conf.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from mien.data.folder import VARIABLE, data_folder
from mien.data.moving import write_moving
from mien.tasks.lesson.catalog import Lesson, lessons
from mien.tasks.lesson.look import apply

CHINESE = "\u3000-\u303f\u4e00-\u9fff\uff00-\uffef"


class Order:
    """Sort key of the gallery: the line in lessons/order.txt."""

    def __init__(self, folder: str) -> None:
        self.places = {f"{lesson.name}.py": place for place, lesson in enumerate(lessons())}

    def __call__(self, file: str) -> int:
        """The place of `file`, a lesson's file name; one that is not listed comes last."""
        return self.places.get(Path(file).name, len(self.places))


def look(_conf: dict[str, Any], _file: str) -> None:
    """Set the lessons' look before each of them."""
    apply()


def numbers(_block: Any, block_vars: dict[str, Any], _conf: dict[str, Any]) -> str:
    """The lesson's numbers as a table, below the block that sets them."""
    found = block_vars["example_globals"].get("numbers")
    if not isinstance(found, dict):
        return ""
    rows = [f"   {name.replace('_', ' ')},{value:.6g}" for name, value in found.items()]
    return "\n".join(["", ".. csv-table::", "   :header: number, value", "", *rows, ""])


def frames(block: Any, block_vars: dict[str, Any], conf: dict[str, Any]) -> str:
    """The lesson's animation, below the block that makes its `frames`."""
    found = block_vars["example_globals"].get("frames")
    if found is None or "frames = " not in block[1]:
        return ""
    path = Path(next(block_vars["image_path_iterator"])).with_suffix(".webp")
    write_moving(path, found)
    return f"\n.. image:: /{path.relative_to(conf['src_dir']).as_posix()}\n   :alt: animation\n"


def missing(lesson: Lesson) -> str:
    """Why the lesson cannot be run here; empty where it can."""
    try:
        for name in lesson.needs:
            data_folder(name)
    except ValueError as error:
        return str(error)
    return ""


def prepare(_app: Sphinx, page: str, source: list[str]) -> None:
    """Put a note on the page of a lesson that was not run; lines of Chinese are joined, where reStructuredText would put spaces."""
    source[0] = re.sub(rf"(?<=[{CHINESE}])\n(?=[{CHINESE}])", "", source[0])
    folder, _, name = page.rpartition("/")
    lesson = next((each for each in lessons() if folder == "lessons" and each.name == name), None)
    if lesson and missing(lesson):
        text = f"This lesson needs the data set {' and '.join(lesson.needs)} and was not run here, so its picture is missing."
        source[0] = f".. note:: {text} Set the environment variable ``{VARIABLE}`` to the folder that holds it.\n\n{source[0]}"
