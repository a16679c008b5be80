"""The noise of every part of the picture: of one sensor it is alike everywhere, for the same brightness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.tasks.inspect.evidence.subject import Subject, block_size, luma
from mien.tasks.inspect.evidence.words import Words

STRIP = 512
"""Rows looked at once, about."""
FULL = 99.0
"""Percentile that is drawn brightest."""
QUIET = 0.35
"""Grey levels: below, a block counts as free of noise."""
WORDS = Words(
    "The map shows the noise of every block of {block} pixels: half of them have less than {middle:.2f} grey levels, the brightest "
    "{full:.1f} or more; {quiet:.0%} have hardly any.",
    "A part that is smoother or noisier than others of the same brightness may come from another picture, or was smoothed (skin "
    "filters), painted or warped, which averages noise away.",
    "Texture counts as noise, and darkness, focus, a phone's own processing and JPEG change noise from place to place. The map is a "
    "place to look, never a proof.",
)  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """The noise map in numbers."""

    middle: float
    """Median over the blocks of the noise's standard deviation, grey levels."""
    full: float
    """What the map draws brightest."""
    quiet: float
    """Share of blocks with hardly any noise."""
    block: int
    """Pixels a side."""
    words: Words


def noise(subject: Subject) -> tuple[Noise, np.ndarray]:
    """The numbers, and the map: (h, w) uint8, upright."""
    height = subject.stored.shape[0]
    side = block_size(subject.stored.shape, 8)
    rows = side * max(STRIP // side, 1)
    levels = np.concatenate([noise_levels(_with_edge(subject.stored, top, min(top + rows, height)), side)
                             for top in range(0, height, rows)])  # fmt: skip
    middle, full = float(np.median(levels)), max(float(np.percentile(levels, FULL)), 1.0)
    quiet = float((levels < QUIET).mean())
    words = Words(WORDS.found.format(block=side, middle=middle, full=full, quiet=quiet), WORDS.meaning, WORDS.limits)
    drawn = np.clip(np.sqrt(levels / full) * 255, 0, 255).round().astype(np.uint8)
    return Noise(round(middle, 3), round(full, 2), round(quiet, 4), side, words), subject.spread(drawn, side)


def noise_levels(grey: np.ndarray, side: int) -> np.ndarray:
    """(H + 2, W + 2) float grey -> (ceil(H / side), ceil(W / side)): the noise's standard deviation in each block, grey levels.

    The difference of two Laplacians (Immerkaer 1996) answers neither to slopes nor to straight edges along the axes; its median over a
    block is hardly moved by the rest.
    """
    across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    mask = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    padded = np.pad(mask, [(0, -length % side) for length in mask.shape], mode="symmetric")
    rows, columns = padded.shape[0] // side, padded.shape[1] // side
    blocks = padded.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    return np.median(blocks, axis=2) / (6 * 0.6745)


def _with_edge(stored: np.ndarray, top: int, bottom: int) -> np.ndarray:
    """Luma of the rows top..bottom with one more pixel on every side, repeated where the picture ends."""
    grey = luma(stored, max(top - 1, 0), bottom + 1)
    return np.pad(grey, ((int(top == 0), int(bottom == stored.shape[0])), (1, 1)), mode="edge")
