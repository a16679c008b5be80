"""A few pictures as one that moves: WebP, which every browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.files import atomic

QUALITY = 80
LAST = 1500
"""Milliseconds that the last picture stays."""


def write_moving(path: Path, frames: Sequence[np.ndarray], milliseconds: int = 120) -> None:
    """(H, W, 3) uint8 each, shown for so long each, over and over. ValueError where there is none, or sizes differ."""
    if len({frame.shape for frame in frames}) != 1:
        raise ValueError(f"an animation needs pictures of one size, found {len(frames)} of {len({one.shape for one in frames})} sizes")
    images = [Image.fromarray(frame) for frame in frames]
    durations = [milliseconds] * (len(images) - 1) + [LAST]
    encoded = BytesIO()
    images[0].save(encoded, "WEBP", save_all=True, append_images=images[1:], duration=durations, loop=0, quality=QUALITY)
    with atomic(path) as draft:
        draft.write_bytes(encoded.getvalue())
