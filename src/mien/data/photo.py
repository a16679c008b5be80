"""A photo of any size, without all of its pixels: a view of it, and pieces of the original where one wants to look closer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import existing, opened, rgb, upright

Box = tuple[int, int, int, int]
SCALES = (8, 4, 2, 1)
"""By which a JPEG can be decoded smaller, at a fraction of the time and memory."""


@dataclass(frozen=True)
class Photo:
    """A photo, looked at from a distance."""

    view: np.ndarray
    """(h, w, 3) uint8 RGB, upright."""
    step: int
    """Pixels of the original, in both directions, that a pixel of the view stands for. A JPEG that had to be turned, and whose sides
    the step does not divide, lies in its view up to one of the view's pixels off."""
    height: int
    width: int
    """Of the original, upright."""
    piece: Callable[[Box], np.ndarray]
    """x1, y1, x2, y2 inside the original, upright -> its pixels (y2 - y1, x2 - x1, 3)."""


def whole(image: np.ndarray, longest: int) -> Photo:
    """A picture in memory, (H, W, 3) uint8, with a view of at most `longest` pixels a side."""
    (height, width), step = image.shape[:2], -(-max(image.shape[:2]) // longest)
    view = image if step == 1 else np.asarray(Image.fromarray(image).reduce(step))
    return Photo(view, step, height, width, lambda box: image[box[1] : box[3], box[0] : box[2]])


def open_photo(path: Path, longest: int) -> Photo:
    """The photo in a file, with a view of at most `longest` pixels a side; raises as `mien.data.pictures.read_picture` does.

    A JPEG is decoded at the view's size, and once more in full only when a piece is asked for.
    """
    with opened(existing(path), str(path)) as picture:
        width, height = picture.size
        step = -(-max(width, height) // longest)
        if step == 1 or (picture.format != "JPEG" and picture.mode not in ("L", "RGB")):
            return whole(rgb(upright(picture)), longest)
        if picture.format != "JPEG":
            upright(picture)
            return Photo(rgb(picture.reduce(step)), step, picture.height, picture.width, lambda box: rgb(picture.crop(box)))
        picture.draft(None, (-(-width // step), -(-height // step)))
        drawn, before = next(scale for scale in SCALES if -(-width // scale) == picture.width), picture.size
        if upright(picture).size != before:
            width, height = height, width
        rest = -(-step // drawn)
        return Photo(rgb(picture.reduce(rest)), drawn * rest, height, width, _Original(path))


class _Original:
    """The file decoded in full, on the first call."""

    def __init__(self, path: Path) -> None:
        self._path, self._picture = path, None

    def __call__(self, box: Box) -> np.ndarray:
        if self._picture is None:
            with opened(self._path, str(self._path)) as picture:
                self._picture = upright(picture)
        return rgb(self._picture.crop(box))
