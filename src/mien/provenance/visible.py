"""The visible text: "AI-generated" in a corner, large enough to be seen and readable on any background."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

SHARE = 0.05
"""Height of the letters in parts of the picture's shorter side, at least (GB 45438-2025, pictures and videos)."""
_BACK, _FORE, _COVER = 16, 255, 0.7


def mark(image: np.ndarray, text: str = "AI-generated") -> np.ndarray:
    """(H, W, 3) uint8 RGB -> a copy with `text` in white on dark, bottom right, 5 % of the shorter side high or more.

    ValueError: another shape or type, a text too long for the picture, or letters that the built-in font lacks.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"a picture of shape {image.shape}, {image.dtype}; expected (H, W, 3) uint8")
    height, width = image.shape[:2]
    ink = _banner(height, width, text)
    rows, columns = ink.shape
    out = image.copy()
    corner = out[height - rows :, width - columns :]
    # Letters are opaque, the ground beneath them nearly so: white on dark whatever the picture shows.
    ground = corner * (1 - _COVER) + _BACK * _COVER
    corner[:] = np.rint(ground * (1 - ink[..., None]) + _FORE * ink[..., None]).astype(np.uint8)
    return out


@lru_cache(maxsize=8)
def _banner(height: int, width: int, text: str) -> np.ndarray:
    """(h, w) float32 in 0..1: the letters' ink, with a margin. Kept: a video asks for it every frame."""
    from PIL import Image, ImageDraw, ImageFont

    if not text.strip():
        raise ValueError("an empty text for the visible label; expected a word or two")
    least = SHARE * min(height, width)
    # Below about 9 pixels letters cannot be read, so small pictures get larger ones, where they fit.
    for wanted in (max(least, 9.0), least):
        size = wanted
        font = ImageFont.load_default(size)
        # One row more: the outermost may be only a faint edge.
        while (box := font.getbbox("A"))[3] - box[1] < ceil(wanted) + 1:
            size += 0.5
            font = ImageFont.load_default(size)
        _drawable(text, font)
        left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
        margin = max(1, round(wanted / 3))
        rows, columns = bottom - top + 2 * margin, right - left + 2 * margin
        if rows <= height and columns <= width:
            canvas = Image.new("L", (columns, rows))
            ImageDraw.Draw(canvas).text((margin - left, margin - top), text, 255, font)
            return np.asarray(canvas, np.float32) / 255
    raise ValueError(f"the label {text!r} does not fit a picture of {width} x {height}; expected a shorter text")


def _drawable(text: str, font) -> None:
    missing = bytes(font.getmask("￿"))
    for letter in text:
        if not letter.isspace() and bytes(font.getmask(letter)) == missing:
            raise ValueError(f"the built-in font cannot write {letter!r}; expected Latin letters, as in 'AI-generated'")
