"""The small preview that cameras keep inside a photo: an editor that forgets to renew it leaves the picture as it was before."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import ExifTags, Image

from mien.data.pictures import calm

START, LENGTH = ExifTags.Base.JpegIFOffset, ExifTags.Base.JpegIFByteCount
LARGEST = 1_000_000
"""Pixels: a preview with more is none."""
SIDE = 48
"""Pixels at which preview and picture are compared: neither sharpening nor compression shows there."""


def read_thumbnail(exif: Image.Exif, block: bytes) -> np.ndarray | None:
    """(h, w, 3) uint8 as stored; None where there is none or it is damaged. `block`: the EXIF bytes of the file."""
    try:
        first = exif.get_ifd(ExifTags.IFD.IFD1)
        start, length = int(first[START]), int(first[LENGTH])
        data = block.removeprefix(b"Exif\0\0")[start : start + length]
        with calm(), Image.open(BytesIO(data), formats=["JPEG"]) as opened:
            return np.asarray(opened.convert("RGB")) if opened.width * opened.height <= LARGEST else None
    except Exception:  # absent, or malformed in any of a hundred ways
        return None


def correlation(stored: np.ndarray, thumbnail: np.ndarray) -> float:
    """Of the greys of a picture (H, W, 3) and its preview (h, w, 3), -1..1.

    Previews are often 4:3 with black bars above and below: they are cut to the picture's shape.
    """
    step = max(min(stored.shape[:2]) // (4 * SIDE), 1)
    picture, small = _grey(stored[::step, ::step]), _grey(_cut(thumbnail, stored.shape[1] / stored.shape[0]))
    size = float(np.sqrt((picture**2).sum() * (small**2).sum()))
    return float((picture * small).sum() / size) if size > 1e-6 else 1.0


def _grey(pixels: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) float with mean zero."""
    small = Image.fromarray(np.ascontiguousarray(pixels)).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    values = np.asarray(small, float)
    return values - values.mean()


def _cut(thumbnail: np.ndarray, aspect: float) -> np.ndarray:
    """The middle of it with this width over height."""
    height, width = thumbnail.shape[:2]
    across, down = min(width, max(round(height * aspect), 1)), min(height, max(round(width / aspect), 1))
    left, top = (width - across) // 2, (height - down) // 2
    return thumbnail[top : top + down, left : left + across]
