"""How a JPEG was compressed: its quantisation tables, the quality they stand for, how colour was thinned out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, JpegImagePlugin

from mien.data.pictures import READABLE, calm
from mien.tasks.inspect.evidence.subject import Subject
from mien.tasks.inspect.evidence.words import Words

LUMA = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
])  # fmt: skip
"""ITU-T T.81, table K.1, row by row."""
CHROMA = np.array([
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *[99] * 32,
])  # fmt: skip
"""Table K.2."""
JPEGS = ("JPEG", "MPO")
"""MPO: a JPEG with more pictures behind it, as many phones write."""
THINNED = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
LIMITS = ("How hard a picture was compressed says nothing about what it shows: every save, upload or messenger changes it, and an "
          "editor can save with any table.")  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """The compression of a JPEG."""

    quality: int
    """IJG 1..100: of the tables themselves, or the nearest to the luma table."""
    standard: bool
    """The tables are those of the Independent JPEG Group at this quality: of most software, of few cameras."""
    subsampling: str
    """4:4:4, 4:2:2, 4:2:0 or other."""
    progressive: bool
    luma: tuple[int, ...]
    """64 steps, row by row."""
    chroma: tuple[int, ...] | None
    words: Words


@cache
def ijg(quality: int, chroma: bool = False) -> np.ndarray:
    """(64,) the table of libjpeg at a quality 1..100, row by row (jcparam.c: jpeg_quality_scaling, baseline)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip(((CHROMA if chroma else LUMA) * scale + 50) // 100, 1, 255)


def nearest_quality(luma: np.ndarray) -> tuple[int, bool]:
    """(64,) -> the IJG quality whose luma table is nearest by the logarithms of its steps, and whether it is that very table."""
    apart = [float(np.abs(np.log(luma / ijg(quality))).mean()) for quality in range(1, 101)]
    best = int(np.argmin(apart))
    return best + 1, apart[best] == 0


def tables(subject: Subject) -> Tables | None:
    """The compression of this file; None where it is no JPEG."""
    if subject.kind not in JPEGS:
        return None
    with calm(), Image.open(subject.path, formats=READABLE) as opened:
        found = getattr(opened, "quantization", {})
        sampling, progressive = JpegImagePlugin.get_sampling(opened), "progressive" in opened.info
        layers = getattr(opened, "layer", [])
    if not found:
        return None
    steps = [np.array(found[which]) for which in sorted(found)]
    colour = steps[1] if len(steps) > 1 and len(layers) > 1 else None
    quality, exact = nearest_quality(steps[0])
    standard = exact and (colour is None or bool((colour == ijg(quality, chroma=True)).all()))
    subsampling = THINNED.get(sampling, "other") if len(layers) == 3 else "none"
    chroma = None if colour is None else tuple(map(int, colour))
    return Tables(quality, standard, subsampling, progressive, tuple(map(int, steps[0])), chroma,
                  _words(quality, standard, subsampling))  # fmt: skip


def _words(quality: int, standard: bool, subsampling: str) -> Words:
    kind = {"none": "without colour to thin out"}.get(subsampling, f"colour {subsampling}")
    if standard:
        return Words(f"Standard tables of quality {quality}, {kind}.",
                     "Saved by software with the common JPEG library; most cameras bring tables of their own.", LIMITS)  # fmt: skip
    return Words(f"Tables of its own, nearest to quality {quality}, {kind}.",
                 "Usual for photos straight from a camera or phone, and for some editors, Photoshop for one.", LIMITS)  # fmt: skip
