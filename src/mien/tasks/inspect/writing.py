"""The pictures of an inspection as files; the page takes the same bytes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.files import atomic


def png(picture: np.ndarray) -> bytes:
    """(H, W) or (H, W, 3) uint8."""
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, "PNG")
    return encoded.getvalue()


def jpeg(picture: np.ndarray, quality: int = 90) -> bytes:
    """(H, W, 3) uint8; for looking at, where the pixels need not be exact."""
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG", quality=quality, subsampling=0)
    return encoded.getvalue()


def write(path: Path, data: bytes) -> bytes:
    """Write a file, all or nothing; gives the bytes back."""
    with atomic(path) as draft:
        draft.write_bytes(data)
    return data
