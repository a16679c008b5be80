"""What an inspection looks at: an upright square around a face, never turned and never aligned.

Turning a face into place would resample it, and resampling traces are what an inspection looks for. The margins are those of Wang et
al. 2019, "Detecting Photoshopped Faces by Scripting Photoshop" (section 4.1): wide enough that a bent background shows.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

STEP, LARGEST = 16, 1024
"""A crop's side is a multiple of the first, as the inspector needs it; a larger crop than the second is resized to it."""
BESIDE, ABOVE = 1 / 2.5, 1 / 1.5
"""Margin to the left, to the right and below, and above a face's box, as shares of its width."""

Box = tuple[float, float, float, float]


def crop_of(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """A face's box x1, y1, x2, y2 in a picture of `shape` (H, W, ...) -> the square (x0, y0, side) around it, in whole pixels.

    It may reach beyond the picture; `cut` repeats the border there. Raises ValueError for a box with no pixel of the picture in it.
    """
    x1, y1, x2, y2 = box
    if not (min(x2, shape[1]) > max(x1, 0) and min(y2, shape[0]) > max(y1, 0)):
        found = ", ".join(f"{v:.1f}" for v in box)
        raise ValueError(f"the box ({found}) has no pixel of the {shape[1]} x {shape[0]} picture in it: expected x1 < x2 and y1 < y2")
    width = x2 - x1
    left, right, top, bottom = x1 - width * BESIDE, x2 + width * BESIDE, y1 - width * ABOVE, y2 + width * BESIDE
    side = max(round(max(right - left, bottom - top)), 1)
    return round((left + right - side) / 2), round((top + bottom - side) / 2), side


def square(image: np.ndarray, x0: int, y0: int, side: int) -> np.ndarray:
    """(H, W[, C]) -> the (side, side[, C]) whose first pixel is (x0, y0); beyond the picture its border is repeated."""
    height, width = image.shape[:2]
    if x0 >= 0 and y0 >= 0 and x0 + side <= width and y0 + side <= height:
        return image[y0:y0 + side, x0:x0 + side]
    rows, columns = (np.arange(start, start + side).clip(0, length - 1) for start, length in ((y0, height), (x0, width)))
    return image[rows[:, None], columns]


def looked_at(image: np.ndarray, box: Box) -> tuple[np.ndarray, tuple[int, int, int]]:
    """(H, W, 3) uint8 and a face's box -> the crop at the picture's own size, and its square (x0, y0, side).

    The side is rounded up to a multiple of `STEP`. Only a crop larger than `LARGEST` is resized, since that costs it its traces.
    """
    x0, y0, side = crop_of(box, image.shape)
    whole = -(-side // STEP) * STEP
    x0, y0 = x0 - (whole - side) // 2, y0 - (whole - side) // 2
    crop = np.ascontiguousarray(square(image, x0, y0, whole))
    if whole > LARGEST:
        crop = np.asarray(Image.fromarray(crop).resize((LARGEST, LARGEST), Image.Resampling.BICUBIC))
    return crop, (x0, y0, whole)


def cut(image: np.ndarray, box: Box, size: int) -> tuple[np.ndarray, float]:
    """(H, W, 3) uint8 and a face's box -> the crop (size, size, 3) uint8 and its scale in crop pixels per picture pixel.

    A crop that is `size` pixels already stays as it is, bit for bit; else it is resized bicubically, antialiased.
    """
    x0, y0, side = crop_of(box, image.shape)
    crop = np.ascontiguousarray(square(image, x0, y0, side))
    if side != size:
        crop = np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC))
    return crop, size / side
