"""Where the lessons are, and what each says of itself, read from its source without running it.

A lesson is `lessons/<topic>_<name>.py` and a line in `lessons/order.txt`, where they stand in the order of reading. It is a script of
about a page that reads from top to bottom:

- its docstring is a title underlined with `=`, the question in English, and the same in Chinese (full-width punctuation), whose first
  words are the Chinese title in bold: `**一个神经元**:...`;
- blocks begin with `# %%` and a few lines of reStructuredText;
- data sets are asked for by name only: `data_folder("digits")` (`mien.data.folder`), which is also how a reader of the source knows
  what the lesson needs;
- it draws exactly one matplotlib figure, and does not show or save it (colours: "C0" blue, "C1" orange, "C2" green, "C3" red, "C4"
  violet, "C5" grey, see `look.py`; `imshow` wants `.numpy()`);
- what moves it leaves as `frames`, a list of (H, W, 3) uint8 arrays of one size, which become an animation;
- it ends with `numbers = {...}`, plain floats; what they should be and why stands in tests/numbers_learning.py or
  tests/numbers_seeing.py;
- it seeds what it draws at random, and runs at most some 15 seconds on one core.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import mien


@dataclass(frozen=True)
class Lesson:
    """What a lesson says of itself."""

    name: str
    title: str
    title_zh: str
    question: str
    """The English paragraphs of the docstring."""
    needs: tuple[str, ...]
    """Data sets, by their names in the data folder."""
    path: Path


def folder() -> Path:
    """Where the lessons are: in the package (a wheel), or beside src (a checkout). OSError where they are not installed."""
    package = Path(mien.__file__).parent
    for place in (package / "lessons", package.parents[1] / "lessons"):
        if (place / "order.txt").is_file():
            return place
    raise OSError("the lessons are not installed with this mien: install it from its wheel or its repository")


def lessons() -> list[Lesson]:
    """Every lesson, in the order of reading."""
    place = folder()
    return [read(place / f"{name}.py") for name in (place / "order.txt").read_text(encoding="utf-8").split()]


def find(name: str) -> Lesson:
    """The lesson `name`; ValueError names the nearest."""
    names = (folder() / "order.txt").read_text(encoding="utf-8").split()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1, 0.0)
        raise ValueError(f"no lesson is called {name!r}; the nearest is {near[0]!r} (mien lesson list names all)")
    return read(folder() / f"{name}.py")


def read(path: Path) -> Lesson:
    """What the file says of itself."""
    tree = ast.parse(path.read_bytes())
    title, _, text = (ast.get_docstring(tree) or "").partition("\n")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    english = [part for part in paragraphs if part and not part.startswith("==") and not is_chinese(part)]
    heading = re.search(r"\*\*(.+?)\*\*", next(filter(is_chinese, paragraphs), ""))
    return Lesson(path.stem, title, heading[1] if heading else "", "\n\n".join(english), _needs(tree), path)


def is_chinese(text: str) -> bool:
    """Whether a paragraph has Chinese characters."""
    return re.search("[一-鿿]", text) is not None


def _needs(tree: ast.Module) -> tuple[str, ...]:
    """The names that `data_folder` is called with."""
    names = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="data_folder"), args=[ast.Constant(value=str(name))]):
                names.append(name)
    return tuple(dict.fromkeys(names))
