"""The file under inspection, read once: its pixels as they are stored, for traces that hang on the grid of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import ORIENTATION, READABLE, calm, read_picture

BANDS = {"CMYK": "CMYK (print colours), turned into RGB", "YCCK": "CMYK (print colours), turned into RGB", "P": "a palette of colours",
         "L": "grey", "1": "black and white"}  # fmt: skip
LARGEST_MAP = 1024
"""Pixels on the longer side of a map, about."""


@dataclass(frozen=True)
class Subject:
    """A picture that could be read."""

    path: Path
    kind: str
    """As Pillow names it: JPEG, PNG, ..."""
    image: np.ndarray
    """(H, W, 3) uint8 RGB, upright."""
    stored: np.ndarray
    """The same pixels as the file holds them, not turned; a view."""
    orientation: int
    """EXIF, 1..8."""
    notes: tuple[str, ...]
    """What had to be changed or left out to look at it."""

    def spread(self, blocks: np.ndarray, side: int) -> np.ndarray:
        """A value for each block of `side` stored pixels -> a map of the picture, upright, LARGEST_MAP on its longer side at most."""
        shape = self.stored.shape[:2]
        step = max(max(shape) / LARGEST_MAP, 1.0)
        rows, columns = (np.minimum(np.arange(0, length, step).astype(int) // side, blocks.shape[axis] - 1)
                         for axis, length in enumerate(shape))  # fmt: skip
        return np.ascontiguousarray(turned(blocks[rows][:, columns], self.orientation))


def open_subject(path: Path) -> Subject:
    """Read a picture. ValueError in one line, as `read_picture`, where it is none or cannot be decoded."""
    path = Path(path)
    image = read_picture(path)
    with calm(), Image.open(path, formats=READABLE) as opened:
        kind, orientation = opened.format or "", opened.getexif().get(ORIENTATION, 1)
        notes = _notes(opened)
    orientation = orientation if orientation in _TURNS else 1
    return Subject(path, kind, image, as_stored(image, orientation), orientation, notes)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as stored -> upright (EXIF 2.32, table 4); a view."""
    swap, down, across = _TURNS[orientation]
    pixels = pixels.swapaxes(0, 1) if swap else pixels
    return pixels[::down, ::across]


def as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Upright -> as stored; a view."""
    swap, down, across = _TURNS[orientation]
    pixels = pixels[::down, ::across]
    return pixels.swapaxes(0, 1) if swap else pixels


_TURNS = {1: (False, 1, 1), 2: (False, 1, -1), 3: (False, -1, -1), 4: (False, -1, 1),
          5: (True, 1, 1), 6: (True, 1, -1), 7: (True, -1, -1), 8: (True, -1, 1)}  # fmt: skip
"""Rows and columns swapped, then rows and columns reversed."""


def _notes(opened: Image.Image) -> tuple[str, ...]:
    frames = getattr(opened, "n_frames", 1)
    checks = {
        f"animated, or several pictures in one file: the first of {frames} is inspected, and no other": frames > 1,
        f"stored as {BANDS.get(opened.mode, '')}": opened.mode in BANDS,
        "16 bits a channel, looked at with 8": opened.mode.startswith("I"),
        "transparent parts are laid over white": opened.has_transparency_data,
    }
    return tuple(words for words, is_so in checks.items() if is_so)


def luma(pixels: np.ndarray, top: int = 0, bottom: int | None = None) -> np.ndarray:
    """(H, W, 3) uint8 -> BT.601 luma of these rows, float32: of a strip, so that a large picture never stands in memory as floats."""
    strip = pixels[top:bottom].astype(np.float32)
    return strip @ np.array([0.299, 0.587, 0.114], np.float32)


def block_size(shape: tuple[int, ...], least: int) -> int:
    """Side of the blocks of a map of at most about LARGEST_MAP: a multiple of `least` pixels."""
    return least * max(-(-max(shape[:2]) // (LARGEST_MAP * least)), 1)
