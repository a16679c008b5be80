"""Pictures a band of rows at a time, as they are in the file: grey or colour, with alpha or not, 8 or 16 bits; never copied whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import ORIENTATION, deep_grey, existing, opened, upright
from mien.progress import say

MODES: dict[str, tuple[str, int]] = {
    "1": ("L", 1), "L": ("L", 1), "LA": ("LA", 2), "La": ("LA", 2), "RGB": ("RGB", 3), "RGBA": ("RGBA", 4), "RGBa": ("RGBA", 4),
    "PA": ("RGBA", 4),
}  # fmt: skip
"""Pillow's mode -> what it becomes, and its channels; any other becomes RGB."""
DEEP = {"gray16": 1, "ya16": 2, "rgb48": 3, "rgba64": 4}
"""FFmpeg's pixel formats with 16 bits a channel, without the byte order -> channels."""
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}
"""EXIF orientation -> the view of the stored pixels that stands upright."""
BITS_PER_SAMPLE = 258


@dataclass(frozen=True)
class Rows:
    """A decoded picture, upright."""

    height: int
    width: int
    channels: int
    """1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; alpha is straight."""
    depth: int
    """Bits a channel: 8 or 16."""
    frames: int
    """Of the file; what is here is the first."""
    held: int
    """Bytes that the decoded picture takes."""
    band: Callable[[int, int], np.ndarray]
    """top, bottom -> those rows (n, W, C), uint8 or uint16."""


def read_rows(path: Path) -> Rows:
    """Decode a picture as it is: palettes and CMYK become RGB, all else stays; raises as `mien.data.pictures.read_picture` does."""
    path = existing(path)
    with opened(path, str(path)) as picture:
        frames = getattr(picture, "n_frames", 1)
        if _deep(picture) and (pixels := _sixteen(path)) is not None:
            return _of(TURNS.get(picture.getexif().get(ORIENTATION, 1), lambda a: a)(pixels), frames)
        picture = upright(picture)
        if (grey := deep_grey(picture)) is not None:
            return _of(grey.astype(np.uint16)[..., None], frames)
        mode, channels = _mode(picture)
        size = picture.width * picture.height * (1 if mode == "L" == picture.mode else 4)
        return Rows(picture.height, picture.width, channels, 8, frames, size, lambda top, bottom: _band(picture, mode, top, bottom))


def _of(pixels: np.ndarray, frames: int) -> Rows:
    height, width, channels = pixels.shape
    return Rows(height, width, channels, 16, frames, pixels.nbytes,
                lambda top, bottom: np.ascontiguousarray(pixels[top:bottom], dtype=np.uint16))


def _mode(picture: Image.Image) -> tuple[str, int]:
    """What the pixels become; a colour declared transparent counts as alpha."""
    mode, channels = MODES.get(picture.mode, ("RGB", 3))
    if channels in (1, 3) and picture.has_transparency_data:
        return ("LA", 2) if picture.mode == "L" else ("RGBA", 4)
    return mode, channels


def _band(picture: Image.Image, mode: str, top: int, bottom: int) -> np.ndarray:
    part = picture.crop((0, top, picture.width, bottom))
    pixels = np.asarray(part if part.mode == mode else part.convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1)


def _deep(picture: Image.Image) -> bool:
    """Whether channels have 16 bits, though Pillow would make 8 of them. Grey ones it keeps."""
    if picture.mode.startswith("I"):
        return False
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(BITS_PER_SAMPLE, (8,))) == 16  # pyright: ignore[reportAttributeAccessIssue]
    tiles = picture.tile  # pyright: ignore[reportAttributeAccessIssue]
    return any(isinstance(tile.args, str) and tile.args.endswith(";16B") for tile in tiles)


def _sixteen(path: Path) -> np.ndarray | None:
    """(H, W, C) 16-bit, either byte order, as stored; None, with a line, where FFmpeg cannot read them."""
    import av
    from av.error import FFmpegError

    with Image.open(path) as picture:
        picture.verify()  # FFmpeg would give what it can of a damaged file
    try:
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0))
    except (FFmpegError, StopIteration, IndexError) as error:
        say(f"{path}: its 16 bits cannot be read ({error}): going on with 8")
        return None
    kind, order = frame.format.name[:-2], frame.format.name[-2:]
    if kind not in DEEP:
        say(f"{path}: 16 bits as {frame.format.name} cannot be kept: going on with 8")
        return None
    plane, channels = frame.planes[0], DEEP[kind]
    stored = np.frombuffer(memoryview(plane), ">u2" if order == "be" else "<u2").reshape(frame.height, plane.line_size // 2)
    return stored[:, : frame.width * channels].reshape(frame.height, frame.width, channels)
