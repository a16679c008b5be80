"""A contact sheet: how content against style, and which layers, change the picture (Gatys et al. 2016, figures 4 and 5)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.data.files import atomic, no_empty_folders
from mien.data.pictures import write_picture
from mien.models.vgg_features import load
from mien.progress import Progress
from mien.provenance.outputs import checked
from mien.tasks.stylize.asking import pictures, pixels
from mien.tasks.stylize.painting import How, Painter
from mien.tasks.stylize.results import Cell, Sheet
from mien.tasks.stylize.session import Asked, sign_as_painted

TIMES = 0.01, 0.1, 1.0, 10.0
"""Columns: alpha / beta, in times what was asked for."""
CONTENT = "relu2_2", "relu4_2"
"""Rows, beside the styles': content layers."""
SIDE, STEPS = 256, 40
"""Of each picture, unless told otherwise."""
MARGIN, LETTERS = 6, 13


@dataclass(frozen=True)
class Row:
    """A choice of layers."""

    name: str
    content: Mapping[str, float | None]
    style: Mapping[str, float | None]


def rows(how: How) -> tuple[Row, ...]:
    """The style's layers, one more in every row; then other content layers with all of the style's."""
    names = tuple(how.style_layers)
    styles = [Row(f"... to {name}" if place else f"style: {name}", how.content_layers,
                  {one: how.style_layers[one] for one in names[: place + 1]}) for place, name in enumerate(names)]  # fmt: skip
    return *styles, *(Row(f"content: {name}", {name: None}, how.style_layers) for name in CONTENT if name not in how.content_layers)


def stylize_grid(asked: Asked) -> Sheet:
    """Paint every row and column small and write one sheet with captions to `asked.out`; raises as `session.stylize_picture` does."""
    sources = (asked.content, *asked.styles, *asked.masks)
    checked(sources, asked.out, asked.signing)
    given, began, cells, lines = pictures(asked.content, asked.styles, asked.masks, asked.size, asked.how), time.monotonic(), [], []
    net, choices = load(asked.average), rows(asked.how)
    ratio = asked.how.content_weight / asked.how.style_weight if asked.how.style_weight else float("inf")
    columns = [(f"alpha / beta = {ratio * times:.3g}", times) for times in TIMES]
    with no_empty_folders(asked.out.parent, *asked.out.parent.parents):
        with Progress(f"grid of {asked.content.name}", len(choices) * len(columns), "pictures") as bar:
            for row in choices:
                line = []
                for title, times in columns:
                    weight = asked.how.content_weight * times
                    how = replace(asked.how, content_layers=row.content, style_layers=row.style, content_weight=weight)
                    painter = Painter(given.content, given.styles, given.masks, how, net, asked.runtime)
                    *_, last = painter.run()
                    line.append(pixels(given.without_margin(painter.picture(last))))
                    cells.append(Cell(row.name, title, last.cost.content, last.cost.style))
                    bar.advance(note=f"{row.name}, {title}")
                lines.append(line)
        sheet = drawn(lines, [row.name for row in choices], [title for title, _ in columns])
        with atomic(asked.out) as draft:
            write_picture(draft, sheet, asked.quality)
            if asked.signing:
                sign_as_painted(draft, asked.out.name, asked.content, asked.styles, asked.signer)
    return Sheet(asked.content, asked.out, tuple(path.stem for path in asked.styles), sheet.shape[1], sheet.shape[0], tuple(cells),
                 asked.how.steps, round(time.monotonic() - began, 2), asked.signing)  # fmt: skip


def drawn(lines: list[list[np.ndarray]], names: list[str], titles: list[str]) -> np.ndarray:
    """Rows of pictures (h, w, 3) of one size, with names to their left and titles above -> (H, W, 3) uint8."""
    font, (height, width) = ImageFont.load_default(LETTERS), lines[0][0].shape[:2]
    side = MARGIN * 2 + max(int(font.getlength(name)) for name in names)
    step = max(width, *(int(font.getlength(title)) for title in titles)) + MARGIN
    top = LETTERS + 2 * MARGIN
    sheet = Image.new("RGB", (side + len(titles) * step, top + len(names) * (height + MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        draw.text((side + column * step, MARGIN), title, "black", font)
    for row, (name, line) in enumerate(zip(names, lines, strict=True)):
        draw.text((MARGIN, top + row * (height + MARGIN) + height // 2), name, "black", font)
        for column, picture in enumerate(line):
            sheet.paste(Image.fromarray(picture), (side + column * step, top + row * (height + MARGIN)))
    return np.asarray(sheet)
