"""Large pictures written: PNG row by row, other formats whole, with the profile and the EXIF of what they were made from."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import kept
from mien.data.png import LARGEST, PngWriter
from mien.data.rows import MODES, Rows
from mien.progress import Progress, say

Shape = tuple[int, int, int, int]
"""Height, width, channels, bits a channel of a result."""
SIDES = {"PNG": LARGEST, "JPEG": 65_535, "WEBP": 16_383}
"""Pixels of the longest side these formats have."""
WHOLE = 8
"""Bytes a pixel that Pillow needs to write a picture that it takes whole."""
SMALL = 32_000_000
"""Pixels up to which a PNG is packed as tightly as usual: beyond, time matters more than a twentieth of the size."""
TRIES = 3


def told(rows: Rows, source: Path, kind: str, done: str) -> tuple[int, int]:
    """Channels and depth that a result has which keeps those of `rows` as `kind` (PNG, JPEG, WEBP); what gets lost is said.

    `done`: what happens to the picture: enlarged.
    """
    channels, depth = rows.channels, rows.depth
    if rows.frames > 1:
        say(f"{source.name} is an animation of {rows.frames} frames: the first is {done}")
    if kind != "PNG" and depth == 16:
        say(f"{source.name} has 16 bits a channel, {kind} has 8: write .png to keep them")
        depth = 8
    if kind == "JPEG" and channels in (2, 4):
        say(f"{source.name} is transparent, which JPEG cannot be: it is laid over white; write .png to keep it")
        channels -= 1
    return channels, depth


def kind_of(depth: int) -> type[np.uint8] | type[np.uint16]:
    """Of the numbers with so many bits."""
    return np.uint8 if depth == 8 else np.uint16


def fits(output: Path, name: str, shape: Shape) -> None:
    """ValueError where the format has no pictures of that size."""
    if max(shape[:2]) > SIDES[name]:
        raise ValueError(f"{output}: {shape[1]} x {shape[0]} pixels, {name} has at most {SIDES[name]} a side: write .png")


def level(shape: Shape) -> int:
    """How hard zlib tries."""
    return 6 if shape[0] * shape[1] <= SMALL else 3


def packing(sample: np.ndarray, shape: Shape) -> float:
    """Seconds that a PNG of `shape` takes to write, from some rows (n, W, C) like its own; the fastest of a few tries is believed."""
    (rows, width, channels), times = sample.shape, []
    for _ in range(TRIES):
        began = time.perf_counter()
        PngWriter(BytesIO(), width, rows, channels, shape[3], level=level(shape)).write(sample)
        times.append(time.perf_counter() - began)
    return min(times) * shape[0] * shape[1] * shape[2] * shape[3] / (8 * max(sample.nbytes, 1))


def write(draft: Path, name: str, parts: Iterable[np.ndarray], shape: Shape, source: Path, quality: int, label: str = "") -> None:
    """Parts (n, W, C) from top to bottom, with the profile and the EXIF of `source`; a PNG never is in memory as a whole.

    `label`: what the progress is called; none is shown without.
    """
    height, width, channels, depth = shape
    profile, exif = kept(source, (width, height), b"RGB " if channels > 2 else b"GRAY")
    if name == "PNG":
        with draft.open("wb") as file, (Progress(label, height, "rows") if label else nullcontext()) as bar:
            png = PngWriter(file, width, height, channels, depth, profile=profile, exif=exif, level=level(shape))
            for part in parts:
                png.write(part)
                if bar is not None:
                    bar.advance(len(part))
            png.close()
        return
    mode = next(mode for mode, count in MODES.values() if count == channels)
    picture, top = Image.new(mode, (width, height)), 0
    for part in parts:
        band = Image.fromarray(part[..., 0] if channels == 1 else part)
        picture.paste(band, (0, top))
        top += band.height
    options: dict[str, object] = {"exif": exif} if exif else {}
    if name == "JPEG":
        options["subsampling"] = 0
    picture.save(draft, format=name, icc_profile=profile, quality=quality, **options)
