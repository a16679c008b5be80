"""Error levels: how much each part of the picture changes when it is saved once more.

Parts that were saved less often, or more sharply, change more. After N. Krawetz (2007), "A Picture's Worth".
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops

from mien.tasks.inspect.evidence.subject import Subject, block_size
from mien.tasks.inspect.evidence.words import Words

QUALITY = 90
STRIP = 1024
"""Rows saved at once: of whole blocks, so that it does not change what is found, and a large picture is never in memory as floats."""
FULL = 99.5
"""Percentile that is drawn brightest."""
WORDS = Words(
    "The map shows how much each part changes when the picture is saved again at quality {quality}: on average {mean:.2f} grey "
    "levels, the brightest {full:.1f} or more.",
    "Edges and fine texture are always brighter. Look for a part that differs from others of the same texture: it may have been "
    "pasted in or saved a different number of times.",
    "Contrast, colour, sharpening and the subject itself brighten a part; retouching saved at one quality leaves nothing. The map is "
    "a place to look, never a proof.",
)  # fmt: skip


@dataclass(frozen=True)
class ErrorLevel:
    """The error-level map in numbers."""

    quality: int
    """It was saved at."""
    mean: float
    full: float
    """Grey levels: the mean over the picture, and what the map draws brightest."""
    block: int
    """Pixels a side that one dot of the map stands for."""
    words: Words


def error_level(subject: Subject, quality: int = QUALITY) -> tuple[ErrorLevel, np.ndarray]:
    """The numbers, and the map: (h, w) uint8, upright."""
    side = block_size(subject.stored.shape, 2)
    levels = np.concatenate([_strip(subject.stored[top : top + _rows(side)], quality, side)
                             for top in range(0, subject.stored.shape[0], _rows(side))])  # fmt: skip
    full = max(float(np.percentile(levels, FULL)), 1.0)
    drawn = np.clip(levels / full * 255, 0, 255).round().astype(np.uint8)
    mean = float(levels.mean())
    words = Words(WORDS.found.format(quality=quality, mean=mean, full=full), WORDS.meaning, WORDS.limits)
    return ErrorLevel(quality, round(mean, 3), round(full, 2), side, words), subject.spread(drawn, side)


def _rows(side: int) -> int:
    """Of a strip: whole 16-pixel JPEG units and whole blocks of the map."""
    unit = int(np.lcm(16, side))
    return unit * max(STRIP // unit, 1)


def _strip(pixels: np.ndarray, quality: int, side: int) -> np.ndarray:
    """(H, W, 3) uint8 -> (ceil(H / side), ceil(W / side)) mean absolute difference after saving."""
    saved = BytesIO()
    strip = Image.fromarray(np.ascontiguousarray(pixels))
    strip.save(saved, "JPEG", quality=quality, subsampling=0)
    apart = np.asarray(ImageChops.difference(strip, Image.open(saved)))
    return block_mean(apart.sum(2, dtype=np.uint32), side) / 3


def block_mean(values: np.ndarray, side: int) -> np.ndarray:
    """(H, W) -> (ceil(H / side), ceil(W / side)); blocks over the edge are the mean of what is inside."""
    rows, columns = (np.arange(0, length, side) for length in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, values.shape[0]]), np.diff([*columns, values.shape[1]]))
    return sums / counts
