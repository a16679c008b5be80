"""Boxes drawn over a picture: a colour a class, its name and score where there is room for them."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.types import Detections

COLOURS = ((255, 194, 10), (64, 156, 255), (230, 75, 160), (60, 200, 120), (255, 120, 50), (150, 110, 240), (0, 190, 200))
"""Of the first classes: apart for most kinds of colour vision, bright enough for black letters."""
INK, PAPER = (16, 16, 18), (250, 250, 250)
SMALLEST = 10
"""Pixels of a letter's height below which nobody can read it."""
WIDER = 1.4
"""Of a label against its box, in a picture that is too small for letters in proportion."""
Area = tuple[float, float, float, float]


def drawn(image: np.ndarray, found: Detections, names: Sequence[str], scores: bool = True) -> np.ndarray:
    """(H, W, 3) uint8 -> the same picture with frames and labels; the surest ones lie on top and get their label first.

    Lines and letters grow with the picture. A label that would cover another one is left out, in a small picture also one that is
    much wider than its box: the frame has the colour of its class anyway. What is difficult is dashed. `scores`: write them.
    """
    canvas = Image.fromarray(np.ascontiguousarray(image))
    draw, side = ImageDraw.Draw(canvas), min(canvas.size)
    line = max(round(side / 220), 1)
    font, cramped = ImageFont.load_default(max(side / 38, SMALLEST)), side / 38 < SMALLEST
    order = np.argsort(found.scores, kind="stable")
    for place in order:
        _frame(draw, tuple(found.boxes[place].tolist()), colour(int(found.labels[place])), line, bool(found.difficult[place]))
    taken: list[Area] = []
    for place in order[::-1]:
        label = int(found.labels[place])
        text = names[label] + (f" {found.scores[place]:.2f}" if scores else "")
        box: Area = tuple(found.boxes[place].tolist())
        if not cramped or draw.textlength(text, font) <= WIDER * (box[2] - box[0]):
            _label(draw, text, box, colour(label), font, line, taken)
    return np.asarray(canvas)


def colour(label: int) -> tuple[int, int, int]:
    """The colour of a class by its number; after the first ones hues that are far from their neighbours."""
    if label < len(COLOURS):
        return COLOURS[label]
    red, green, blue = colorsys.hls_to_rgb(label * 0.618034 % 1, 0.62, 0.8)
    return round(red * 255), round(green * 255), round(blue * 255)


def _frame(draw: ImageDraw.ImageDraw, box: Area, tint: tuple[int, int, int], line: int, dashed: bool) -> None:
    """A line inside the box with a dark seam on both sides: seen on light and dark ground."""
    x1, y1, x2, y2 = (round(side) for side in box)
    x2, y2 = max(x2 - 1, x1), max(y2 - 1, y1)  # the last pixel that belongs to the box
    if line > 1:
        draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=INK)
    if not dashed:
        draw.rectangle((x1, y1, x2, y2), outline=tint, width=line)
    else:
        for start, end in _dashes(x1, y1, x2, y2, 5 * line):
            draw.line((start, end), fill=tint, width=line)


def _dashes(x1: int, y1: int, x2: int, y2: int, step: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for x in range(x1, x2, 2 * step):
        for y in (y1, y2):
            yield (x, y), (min(x + step, x2), y)
    for y in range(y1, y2, 2 * step):
        for x in (x1, x2):
            yield (x, y), (x, min(y + step, y2))


def _label(draw: ImageDraw.ImageDraw, text: str, box: Area, tint: tuple[int, int, int], font, line: int, taken: list[Area]) -> None:
    """On top of the box, else below it or inside, wherever no other label is."""
    width, height = draw.im.size
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    wide, tall = right - left + 2 * line + 4, bottom - top + 2 * line + 2
    x1, y1, _, y2 = box
    x = min(max(x1, 0), width - wide)
    for y in (y1 - tall, y2, y1, y2 - tall):
        area = (x, y, x + wide, y + tall)
        free = not any(area[0] < b[2] and b[0] < area[2] and area[1] < b[3] and b[1] < area[3] for b in taken)
        if x >= 0 and y >= 0 and y + tall <= height and free:
            taken.append(area)
            draw.rectangle(tuple(round(side) for side in area), fill=tint)
            dark = np.dot(tint, (0.299, 0.587, 0.114)) > 110
            draw.text((round(x) + line + 2 - left, round(y) + line + 1 - top), text, INK if dark else PAPER, font)
            return
