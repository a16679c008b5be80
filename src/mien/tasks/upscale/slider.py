"""Before and after on one page that stands alone: bicubic interpolation to the left of a slider, the enlargement to its right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mien.data.html import image, section, write_html
from mien.data.pictures import LARGEST
from mien.data.resize import REACH, enlarge
from mien.data.rows import Rows, read_rows
from mien.data.video import probe, read_video
from mien.tasks.upscale.results import Enlarged, Moved

SHOWN = 1600
"""Pixels of the longest side of what is shown: of a larger picture, its middle."""
EXACT = 1_000_000
"""Pixels up to which pictures are on the page as PNG: beyond, as JPEG of the best quality."""
STYLE = Path(__file__).with_name("slider.css")
SCRIPT = """for (const input of document.querySelectorAll(".pair input"))
  input.addEventListener("input", () => input.parentElement.style.setProperty("--at", input.value / 10 + "%"));"""


def write_comparison(page: Path, made: Sequence[Enlarged | Moved]) -> None:
    """Write a page (.html) with a slider for every picture, and for a frame from the middle of every video.

    ValueError for another suffix, or where nothing was made. Without scripts the line stays in the middle.
    """
    if page.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{page}: expected a name that ends in .html")
    if not made:
        raise ValueError(f"nothing was enlarged, so there is nothing to compare in {page}")
    body = ["<h1>Before and after</h1>", "<p>Drag across a picture, or use the arrow keys.</p>", *map(_compared, made)]
    write_html(page, "Before and after", STYLE, body, SCRIPT)


def _compared(one: Enlarged | Moved) -> str:
    facts = f"{one.width} x {one.height} pixels, {one.scale} times, {one.model}, {one.seconds:g} s"
    if one.width * one.height > LARGEST:
        return section(one.input.name, f"{facts}; too large to be shown here")
    before, after, part = _frame(one) if isinstance(one, Moved) else _picture(one)
    left, right = _image(before, "enlarged by bicubic interpolation"), _image(after, f"enlarged by {one.model}")
    names = f"<b class='left'>bicubic</b><b class='right'>{escape(one.model)}</b>"
    line = "<input type='range' max='1000' value='500' aria-label='how much is bicubic'>"
    pair = f"<div class='pair'>{right}<div class='before'>{left}</div>{names}{line}</div>"
    return section(one.input.name, f"{facts}{part}", pair)


def _picture(one: Enlarged) -> tuple[np.ndarray, np.ndarray, str]:
    """Before and after, (h, w, 3) uint8, and what part of the whole they are."""
    small, s = read_rows(one.input), one.scale
    top, bottom = _middle(small.height, s)
    left, right = _middle(small.width, s)
    before = _bicubic(_rgb(small, top, bottom, REACH), s, left, right, top - max(top - REACH, 0), bottom - top)
    del small
    after = _rgb(read_rows(one.output), s * top, s * bottom)[:, s * left : s * right]
    whole = (one.height, one.width) == after.shape[:2]
    return before, after, "" if whole else f"; shown are {after.shape[1]} x {after.shape[0]} pixels of its middle"


def _frame(one: Moved) -> tuple[np.ndarray, np.ndarray, str]:
    skip = (probe(one.input).frames or 0) // 2
    small, large = (next(read_video(path, skip=skip)) for path in (one.input, one.output))
    height, width = small.image.shape[:2]
    before = _bicubic(small.image, one.scale, 0, width, 0, height)
    return before, large.image[: before.shape[0], : before.shape[1]], f"; shown is the frame at {small.time:.2f} s"


def _middle(length: int, scale: int) -> tuple[int, int]:
    shown = min(length, SHOWN // scale)
    return (length - shown) // 2, (length - shown) // 2 + shown


def _rgb(rows: Rows, top: int, bottom: int, around: int = 0) -> np.ndarray:
    """(n, W, 3) uint8, over white, with up to `around` rows more at both ends."""
    pixels = rows.band(max(top - around, 0), min(bottom + around, rows.height))
    if rows.depth == 16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if rows.channels in (2, 4):
        colour, alpha = pixels[..., :-1].astype(np.uint16), pixels[..., -1:].astype(np.uint16)
        pixels = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels


def _bicubic(pixels: np.ndarray, s: int, left: int, right: int, top: int, rows: int) -> np.ndarray:
    """Columns `left` to `right` and `rows` rows from `top` on, enlarged."""
    first = max(left - REACH, 0)
    x = torch.from_numpy(pixels[:, first : right + REACH].copy()).permute(2, 0, 1)[None].float()
    y = enlarge(x, s)[0, :, s * top : s * (top + rows), s * (left - first) : s * (right - first)]
    return y.round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def _image(pixels: np.ndarray, alt: str) -> str:
    file, exact = BytesIO(), pixels.shape[0] * pixels.shape[1] <= EXACT
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if exact:
        picture.save(file, "PNG")
    else:
        picture.save(file, "JPEG", quality=95, subsampling=0)
    return image(file.getvalue(), alt)
