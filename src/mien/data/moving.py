"""Pictures as one that moves: WebP, which every browser shows, GIF, and MP4."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
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


FILMS = (".gif", ".webp", ".mp4", ".m4v", ".mov")


def write_film(path: Path, frames: Sequence[np.ndarray], rate: int = 25) -> None:
    """(H, W, 3) uint8 each, `rate` a second, as the suffix says; GIF and WebP go round without a stop.

    ValueError where there is none, sizes differ, or another suffix is asked for.
    """
    suffix = path.suffix.lower()
    if suffix not in FILMS:
        raise ValueError(f"{path}: cannot write {path.suffix or 'no suffix'}, expected one of {' '.join(FILMS)}")
    if len({frame.shape for frame in frames}) != 1:
        raise ValueError(f"a film needs pictures of one size, found {len(frames)} of {len({one.shape for one in frames})} sizes")
    if suffix not in (".gif", ".webp"):
        _video(path, frames, rate)
        return
    images, encoded = [Image.fromarray(frame) for frame in frames], BytesIO()
    more = {"quality": QUALITY} if suffix == ".webp" else {"disposal": 1}
    images[0].save(encoded, suffix[1:].upper(), save_all=True, append_images=images[1:], duration=1000 // rate, loop=0, **more)
    with atomic(path) as draft:
        draft.write_bytes(encoded.getvalue())


def _video(path: Path, frames: Sequence[np.ndarray], rate: int) -> None:
    from mien.data.video import VideoInfo, VideoWriter

    like = VideoInfo(frames[0].shape[1], frames[0].shape[0], Fraction(rate), Fraction(1, rate))
    with VideoWriter(path, like) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, number)
