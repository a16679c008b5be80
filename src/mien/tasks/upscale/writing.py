"""Writing what was enlarged: whether it can be, PNG row by row and other formats whole, signed as what it is."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import kept
from mien.data.png import LARGEST, PngWriter
from mien.data.rows import MODES
from mien.progress import Progress, say
from mien.provenance.identity import Identity
from mien.provenance.label import read_label
from mien.provenance.manifest import ENHANCED, sign
from mien.provenance.outputs import SIGNED
from mien.runtime import memory
from mien.tiled import Enlarger, Plan, amount

Shape = tuple[int, int, int, int]
"""Height, width, channels, bits a channel of a result."""
SIDES = {"PNG": LARGEST, "JPEG": 65_535, "WEBP": 16_383}
"""Pixels of the longest side these formats have."""
WHOLE = 8
"""Bytes a pixel that Pillow needs to write a picture that it takes whole."""
SMALL = 32_000_000
"""Pixels up to which a PNG is packed as tightly as usual: beyond, time matters more than a twentieth of the size."""
TRIES = 3
LARGE = 1 << 28
"""Bytes of a file beyond which it is not signed: who signs holds it in memory several times."""


def fits(output: Path, name: str, shape: Shape) -> None:
    """ValueError where the format has no pictures of that size."""
    if max(shape[:2]) > SIDES[name]:
        raise ValueError(f"{output}: {shape[1]} x {shape[0]} pixels, {name} has at most {SIDES[name]} a side: write .png")


def suffices(planned: Plan, held: int, output: Path, name: str, shape: Shape) -> Plan:
    """The plan with the memory that writing takes; `held`: bytes of it that the process has already.

    RuntimeError or OSError where memory or disk will not do, ValueError where they would for a PNG.
    """
    size = shape[0] * shape[1]
    whole = replace(planned, memory=planned.memory + (0 if name == "PNG" else WHOLE * size))
    free = memory()[1]
    if free is not None and whole.memory - held > free:
        more, png = amount(whole.memory - held), planned.memory - held
        if png <= free:
            raise ValueError(f"{output}: a {name} of this size takes about {more} of memory, {amount(free)} are free: write .png, "
                             f"which takes {amount(png)}")  # fmt: skip
        raise RuntimeError(f"about {more} of memory are needed, {amount(free)} are free: choose smaller tiles")
    needed = size * shape[2] * shape[3] // 8
    place = next(folder for folder in output.resolve().parents if folder.is_dir())
    there = shutil.disk_usage(place).free
    if needed > there:
        raise OSError(errno.ENOSPC, f"about {amount(needed)} of disk are needed meanwhile, {amount(there)} are free", str(place))
    return whole


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


def signed_as_enlarged(draft: Path, output: Path, source: Path, enlarger: Enlarger, signer: Identity | None) -> bool:
    """Sign `draft` as what it is: an enhanced `source`; a label that says the source was generated goes on with it.

    False, with a line, for a picture too large to be held in memory.
    """
    size = draft.stat().st_size
    if size > LARGE and draft.suffix.lower() in SIGNED:
        say(f"{output.name} has {amount(size)}: too large to be signed")
        return False
    sign_as_enlarged(draft, draft, output.name, source, enlarger, signer)
    return True


def sign_as_enlarged(draft: Path, target: Path, title: str, source: Path, enlarger: Enlarger, signer: Identity | None) -> None:
    """Sign a picture or a video, whatever its size."""
    by = "interpolation" if enlarger.name == "bicubic" else "a trained network"
    sign(draft, target, title=title, action=f"enlarged {enlarger.scale} times by {by} ({enlarger.name})", parents=[source],
         model=f"mien upscale {enlarger.name}", identity=signer, label=read_label(source) or {}, source_type=ENHANCED)
