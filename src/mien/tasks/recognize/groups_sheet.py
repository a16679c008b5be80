"""The groups of an archive at a glance: one picture, a row a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.data.pictures import read_picture
from mien.tasks.recognize.clustered import Group

CELL, GAP, SIDE = 96, 4, 110
"""Pixels: a face, the space between two, the column of names."""
ROWS, COLUMNS = 40, 10
PAPER, INK, FAINT = (250, 250, 248), (20, 20, 20), (110, 110, 110)


def sheet(out: Path, groups: Sequence[Group]) -> np.ndarray:
    """(H, W, 3) uint8: the most typical faces of the largest groups; `out` holds their crops."""
    shown, rest = _rows(groups)
    page = Image.new("RGB", (SIDE + COLUMNS * (CELL + GAP), GAP + len(shown) * (CELL + GAP) + 24), PAPER)
    draw, small, large = ImageDraw.Draw(page), ImageFont.load_default(12), ImageFont.load_default(18)
    for row, (name, files) in enumerate(shown):
        top = GAP + row * (CELL + GAP)
        draw.text((12, top + 26), name, INK, large)
        draw.text((12, top + 50), f"{len(files)} face{'s' * (len(files) != 1)}", FAINT, small)
        for place, file in enumerate(files[:COLUMNS]):
            face = Image.fromarray(read_picture(out / file)).resize((CELL, CELL), Image.Resampling.LANCZOS)
            page.paste(face, (SIDE + place * (CELL + GAP), top))
    more = f"and {rest} more groups; " if rest else ""
    draw.text((12, page.height - 20), f"{more}index.html shows every face with its id", FAINT, small)
    return np.asarray(page)


def _rows(groups: Sequence[Group]) -> tuple[list[tuple[str, list[str]]], int]:
    """Name and crops of every row, and how many groups have none."""
    several = [group for group in groups if group.faces > 1 and group.name != "poor"]
    rows = [(group.name, list(group.files)) for group in several[:ROWS]]
    once = [file for group in groups if group.faces == 1 and group.name != "poor" for file in group.files]
    poor = [file for group in groups if group.name == "poor" for file in group.files]
    rows += [(name, files) for name, files in (("once", once), ("poor", poor)) if files]
    return rows, len(several[ROWS:])
