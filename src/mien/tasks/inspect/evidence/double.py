"""Was a JPEG saved as a JPEG before? The steps of the first compression leave gaps and peaks in the histograms of the second.

After Lukas and Fridrich (2003): for every step the first table may have had, the histogram it would leave is made from the
picture itself, decoded and cut off the 8 x 8 grid, where no compression left a trace; the step whose histogram fits best is taken.
Popescu and Farid (2004) look for the same trace as periodicity.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from PIL import Image

from mien.data.pictures import READABLE, calm
from mien.tasks.inspect.evidence.subject import Subject
from mien.tasks.inspect.evidence.tables import ijg
from mien.tasks.inspect.evidence.words import Words

BLOCKS = 40_000
"""Blocks looked at, in evenly spaced rows: more say no more."""
FEWEST = 300
"""Blocks below which no histogram says anything."""
MODES = tuple((row, column) for row in range(4) for column in range(4) if 0 < row + column <= 3)
"""The lowest frequencies beside the mean: the others are mostly zero."""
STEPS = 48
"""Largest first step tried."""
BINS = 25
"""Largest multiple of the second step that counts."""
NOISE = 0.5
"""Standard deviation of a coefficient after rounding to pixels and back, grey levels: sqrt(1/12) for luma, more through RGB."""


FITS, FREE = 0.005, 0.02
"""Nats a coefficient from which two compressions are believed: of standard tables (one number to choose), of any steps. Of 54 pictures
compressed once at qualities 60 to 95 none reached either; docs/inspect.md says what was measured on others."""
TOTAL = 30.0
"""Nats in all, at least: of a tiny picture a few coefficients prove nothing."""
WHY = {
    "no": ("One compression explains the file.", "Nothing here speaks for an earlier save."),
    "twice": ("Saved as a JPEG at least twice, {first}.",
              "It was opened and saved again: in an editor, by a messenger, or on upload to a site. For a file said to come straight "
              "from a camera, that needs an explanation."),
}  # fmt: skip
LIMITS = ("Nearly every picture on the web was saved twice, so this is no sign of forgery. An earlier save at a much finer quality "
          "than the last, or at the same one, leaves no trace that this test sees; nor does one before the picture was resized or "
          "cropped.")  # fmt: skip


@dataclass(frozen=True)
class DoubleJpeg:
    """Traces of an earlier compression on the same grid."""

    twice: bool
    first_quality: int | None
    """IJG quality of the earlier tables, where they were standard and can be told."""
    gain: float
    """How much better two compressions explain a coefficient than one, nats."""
    blocks: int
    words: Words


@dataclass(frozen=True)
class Weighed:
    """Log-likelihood over one compression, for each mode and first step."""

    gains: np.ndarray
    """(modes, STEPS) nats in all, of first steps 1..STEPS."""
    counted: int
    """Coefficients that are not zero."""


def double_jpeg(subject: Subject, luma_table: tuple[int, ...]) -> DoubleJpeg | None:
    """Traces of an earlier save; None where the picture is too small to tell. `luma_table`: (64,) of the file."""
    luma = read_luma(subject)
    blocks = (luma.shape[0] // 8) * (luma.shape[1] // 8)
    if blocks < FEWEST:
        return None
    found = weigh(luma, np.array(luma_table))
    quality, standard = best_standard(found)
    free = float(found.gains.max(1).sum())
    share = max(found.counted, 1)
    twice = max(standard, free) >= TOTAL and (standard / share >= FITS or free / share >= FREE)
    first = quality if twice and standard >= 0.7 * free else None
    before = f"before at about quality {first}" if first else "before with tables that are no standard ones"
    said, meaning = WHY["twice" if twice else "no"]
    return DoubleJpeg(twice, first, round(max(standard, free) / share, 4), min(blocks, BLOCKS),
                      Words(said.format(first=before), meaning, LIMITS))  # fmt: skip


def best_standard(found: Weighed) -> tuple[int, float]:
    """The IJG quality whose table explains all modes best as the first one, and its gain in nats."""
    steps = np.stack([ijg(quality)[[8 * row + column for row, column in MODES]] for quality in range(1, 101)])
    gains = np.take_along_axis(found.gains, np.minimum(steps.T, STEPS) - 1, axis=1).sum(0)
    gains[(steps > STEPS).any(1)] = -np.inf
    return int(gains.argmax()) + 1, float(gains.max())


def transform() -> np.ndarray:
    """(8, 8) orthonormal DCT-II: coefficients are `T @ block @ T.T`."""
    k, n = np.mgrid[:8, :8]
    return np.where(k == 0, sqrt(1 / 8), 0.5) * np.cos((2 * n + 1) * k * np.pi / 16)


def blocks_of(luma: np.ndarray, most: int = BLOCKS) -> np.ndarray:
    """(H, W) uint8 -> (N, 8, 8) coefficients of whole blocks, in evenly spaced rows of blocks."""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    if not rows or not columns:
        return np.zeros((0, 8, 8), np.float32)
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, max(most // columns, 1))).round().astype(int))
    parts = luma[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)[chosen].transpose(0, 2, 1, 3).reshape(-1, 8, 8)
    matrix = transform().astype(np.float32)
    return matrix @ (parts.astype(np.float32) - 128) @ matrix.T


def read_luma(subject: Subject) -> np.ndarray:
    """(H, W) uint8: the brightness as the decoder has it, before any turn into RGB."""
    with calm(), Image.open(subject.path, formats=READABLE) as opened:
        opened.draft("L", opened.size)
        return np.asarray(opened if opened.mode == "L" else opened.convert("L"))


def weigh(luma: np.ndarray, table: np.ndarray) -> Weighed:
    """Of every first step: how much better it explains each mode than one compression alone. `table`: (64,) of the file."""
    own, free = blocks_of(luma), blocks_of(luma[4:, 4:])
    gains, counted = np.zeros((len(MODES), STEPS)), 0
    for i, (row, column) in enumerate(MODES):
        step = int(table[8 * row + column])
        seen = np.clip(np.abs(np.rint(own[:, row, column] / step)), 0, BINS + 1).astype(int)
        histogram = np.bincount(seen, minlength=BINS + 2)[1 : BINS + 1]
        gains[i], counted = gain(histogram, free[:, row, column], step), counted + int(histogram.sum())
    return Weighed(gains, counted)


def gain(histogram: np.ndarray, free: np.ndarray, step: int) -> np.ndarray:
    """(BINS,) counts of |multiples| 1..BINS and coefficients of no grid -> (STEPS,) log-likelihood over one compression."""
    whole = np.abs(np.rint(free)).astype(int)
    weights = np.bincount(np.minimum(whole, 8191)).astype(float)
    values = np.arange(len(weights))
    once = _log_chances(values, weights, step)
    first = np.arange(1, STEPS + 1)
    twice = np.stack([_log_chances(np.rint(values / one) * one, weights, step) for one in first])
    return (twice - once) @ histogram


def _log_chances(values: np.ndarray, weights: np.ndarray, step: int) -> np.ndarray:
    """(BINS,) log probability of each multiple 1..BINS of `step`, given that it is one, of coefficients at `values` +- NOISE."""
    edges = (np.arange(BINS + 1) + 0.5) * step
    below = _normal((edges[:, None] - values[None]) / NOISE) @ weights
    chances = np.maximum(np.diff(below), 0)
    smooth = np.convolve(np.pad(chances, 2, mode="edge"), np.full(5, 0.2), "valid")
    mixed = 0.97 * chances + 0.03 * smooth + 1e-3
    return np.log(mixed / mixed.sum())


_ERF = np.array([0.5 * (1 + erf(x / sqrt(2))) for x in np.linspace(-6, 6, 2401)])


def _normal(x: np.ndarray) -> np.ndarray:
    """Cumulative normal distribution, from a table."""
    return _ERF[np.clip(np.rint(x * 200 + 1200), 0, 2400).astype(int)]
