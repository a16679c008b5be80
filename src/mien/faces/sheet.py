"""The contact sheet of a face set: who is in it, at a glance."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.faces.faceset import FaceSet

CELL, GAP, CAPTION, HEADING = 112, 4, 14, 26
"""Pixels."""
MOST = 240
"""Faces on a sheet, about; each person gets a share, and at least one face."""
PEOPLE = 60
"""People on a sheet."""
PAPER, INK, FAINT, ASIDE = (250, 250, 248), (20, 20, 20), (110, 110, 110), (180, 30, 30)


def chosen(person: np.ndarray, columns: int) -> list[tuple[int, np.ndarray]]:
    """(N,) person numbers -> for each person, the largest first, which faces to show: evenly sampled, in their order.

    Everybody gets full rows in proportion to their faces; together about `MOST`.
    """
    numbers, count = np.unique(person, return_counts=True)
    order = [i for i in np.lexsort((numbers, numbers < 0)) if count[i]][:PEOPLE]
    shown = sum(int(count[i]) for i in order)
    picked = []
    for i in order:
        share = count[i] if shown <= MOST else min(count[i], columns * -(-MOST * count[i] // (shown * columns)))
        faces = np.flatnonzero(person == numbers[i])
        picked.append((int(numbers[i]), faces[np.linspace(0, len(faces) - 1, int(share)).round().astype(int)]))
    return picked


def sheet(faces: FaceSet, columns: int = 12) -> np.ndarray:
    """(H, W, 3) uint8: the faces by person, each with its track and frame; those set aside are captioned in red."""
    groups = chosen(np.array(faces.column("person"), np.int64), columns)
    rows = sum(-(-len(picked) // columns) for _, picked in groups)
    height = GAP + len(groups) * HEADING + rows * (CELL + CAPTION + GAP)
    page = Image.new("RGB", (GAP + columns * (CELL + GAP), height), PAPER)
    draw, small, large = ImageDraw.Draw(page), ImageFont.load_default(10), ImageFont.load_default(15)
    count = dict(zip(*np.unique(faces.column("person"), return_counts=True), strict=True))
    track, frame, kept = faces.column("track"), faces.column("frame"), faces.column("kept")
    top = GAP
    for person, picked in groups:
        name = f"person {person}" if person >= 0 else "not grouped"
        total = int(count[person])
        part = f"{len(picked)} of {total}" if len(picked) < total else str(total)
        draw.text((GAP, top + 4), f"{name}: {part} face{'s' if total != 1 else ''}", INK, large)
        top += HEADING
        for place, face in enumerate(picked):
            x, y = GAP + place % columns * (CELL + GAP), top + place // columns * (CELL + CAPTION + GAP)
            page.paste(Image.fromarray(faces.crops([face], CELL)[0]), (x, y))
            colour = FAINT if kept[face] else ASIDE
            draw.text((x, y + CELL), f"p{person} t{track[face]} f{frame[face]}", colour, small)
        top += -(-len(picked) // columns) * (CELL + CAPTION + GAP)
    return np.asarray(page)
