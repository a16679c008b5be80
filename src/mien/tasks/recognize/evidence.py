"""What a name rests on, as a picture: the face that was asked about beside the enrolled one that it is nearest to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.data.files import atomic
from mien.data.pictures import write_picture
from mien.gallery import Gallery
from mien.tasks.recognize.naming import Sighting

CELL, GAP, WORDS, COLUMNS, PAGE = 128, 10, 250, 3, 60
"""Pixels; sightings side by side, and on one sheet."""
PAPER, INK, FAINT, KNOWN, UNKNOWN = (250, 250, 248), (20, 20, 20), (110, 110, 110), (20, 110, 60), (150, 90, 20)
Row = tuple[Sighting, str | None, str, float]
"""A sighting, its name or None, why none, and the probability of the nearest person."""


def written(rows: Sequence[Row], gallery: Gallery, out: Path) -> tuple[Path, ...]:
    """Write evidence.png (or evidence-1.png, -2, ...) and faces.csv into `out`."""
    pages = [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)]
    names = ["evidence.png"] if len(pages) == 1 else [f"evidence-{i}.png" for i in range(1, len(pages) + 1)]
    for name, page in zip(names, pages, strict=True):
        write_picture(out / name, sheet(page, gallery))
    table(rows, out / "faces.csv")
    return (*(out / name for name in names), out / "faces.csv")


def sheet(rows: Sequence[Row], gallery: Gallery) -> np.ndarray:
    """(H, W, 3) uint8: asked, enrolled, and in words how near they are."""
    columns = min(COLUMNS, len(rows))
    width, height = 2 * CELL + WORDS + 3 * GAP, CELL + GAP
    page = Image.new("RGB", (GAP + columns * width, GAP + -(-len(rows) // columns) * height), PAPER)
    draw = ImageDraw.Draw(page)
    for place, row in enumerate(rows):
        _draw(page, draw, row, gallery, (GAP + place % columns * width, GAP + place // columns * height))
    return np.asarray(page)


def _draw(page: Image.Image, draw: ImageDraw.ImageDraw, row: Row, gallery: Gallery, at: tuple[int, int]) -> None:
    sighting, name, why, chance = row
    (x, y), nearest = at, sighting.hits[0] if sighting.hits else None
    page.paste(Image.fromarray(sighting.probe.crop).resize((CELL, CELL), Image.Resampling.LANCZOS), (x, y))
    draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), outline=KNOWN if name else UNKNOWN, width=3)
    crop = gallery.record(nearest.record).crop if nearest else b""
    if crop:
        page.paste(Image.open(io.BytesIO(crop)).convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS), (x + CELL + GAP, y))
    else:
        draw.rectangle((x + CELL + GAP, y, x + 2 * CELL + GAP - 1, y + CELL - 1), outline=FAINT)
    large, small = ImageFont.load_default(16), ImageFont.load_default(11)
    left = x + 2 * CELL + 2 * GAP
    draw.text((left, y), name or "unknown", KNOWN if name else UNKNOWN, large)
    lines = [where(sighting)]
    if nearest:
        lines += [f"nearest: {nearest.name}", f"distance {nearest.distance:.3f}", f"probability {chance:.4f} (at even odds)"]
    draw.multiline_text((left, y + 24), "\n".join([*map(_short, lines), *_wrapped(why)]), FAINT, small, spacing=3)


def where(sighting: Sighting) -> str:
    """The file, and of a video the seconds."""
    time = f" {sighting.start:.1f} to {sighting.stop:.1f} s" if sighting.start is not None else ""
    return f"{sighting.source.name}{time}"


def table(rows: Sequence[Row], path: Path) -> None:
    """Write one line a face: faces.csv."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["source", "start", "stop", "x1", "y1", "x2", "y2", "name", "nearest", "distance", "probability", "why"])
    for sighting, name, why, chance in rows:
        nearest = sighting.hits[0] if sighting.hits else None
        box = [f"{side:.1f}" for side in sighting.probe.face.box]
        near = (nearest.name, f"{nearest.distance:.4f}", f"{chance:.6f}") if nearest else ("", "", "")
        writer.writerow([sighting.source, sighting.start, sighting.stop, *box, name or "", *near, why])
    with atomic(path) as draft:
        draft.write_text(out.getvalue(), encoding="utf-8")


def _short(line: str, most: int = 42) -> str:
    return line if len(line) <= most else f"{line[: most - 12]}...{line[-9:]}"


def _wrapped(text: str, most: int = 42) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line][:3]
