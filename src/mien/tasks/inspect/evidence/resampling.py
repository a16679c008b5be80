"""Was the picture enlarged? Interpolated pixels are smoother than those between which they lie, and that repeats.

Gallagher (2005): the second derivative along the rows, its size averaged down the columns, has a peak in its spectrum at the frequency
of the interpolation: 1 - 1/s for an enlargement by s below two, 1/s above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mien.tasks.inspect.evidence.subject import Subject, luma
from mien.tasks.inspect.evidence.words import Words

STRIP = 512
"""Rows looked at once."""
SMALLEST = 128
"""Pixels on the shorter side, below which a spectrum says nothing."""
LOW = 0.06
"""Cycles a pixel: below is the picture itself, not a trace."""
LATTICE = 8
"""JPEG blocks repeat every 8 pixels, the colours of a sensor every 2: peaks at multiples of 1/8 are no trace of resizing."""
STRONG = 4.2
"""Natural logarithm of a peak's power over its surroundings from which a trace is believed; docs/inspect.md has the figures."""
AROUND = 25
"""Frequencies on each side of a peak that are its surroundings."""
LIMITS = ("Shrinking leaves no trace that this test sees, nor does enlarging 1.6 or 2 times (hidden behind the JPEG grid), turning by "
          "an angle, or moving a small part such as a face; JPEG hides the trace, at quality 80 more often than not. A resized "
          "picture is not a forged one.")  # fmt: skip


@dataclass(frozen=True)
class Resampling:
    """The strongest trace of interpolation over the whole picture."""

    resampled: bool
    strength: float
    """Logarithm of the peak's power over its surroundings."""
    frequency: float
    """Cycles a pixel."""
    factor: float | None
    """The enlargement between 1 and 2 that fits the peak; 1 over the frequency, which is above 2, fits it as well."""
    along: str
    """'rows' or 'columns': where it is strongest."""
    words: Words


def resampling(subject: Subject) -> Resampling | None:
    """The trace in the stored pixels; None where the picture is too small."""
    if min(subject.stored.shape[:2]) < SMALLEST:
        return None
    across, down = second_derivatives(lambda top, bottom: luma(subject.stored, top, bottom), subject.stored.shape[0])
    peaks = {"rows": peak(across), "columns": peak(down)}
    along = max(peaks, key=lambda one: peaks[one][0])
    strength, frequency = peaks[along]
    resampled = strength >= STRONG
    factor = 1 / (1 - frequency) if resampled else None
    if resampled:
        words = Words(f"Interpolated pixels repeat along the {along}, {frequency:.3f} times a pixel.",
                      f"The picture, or most of it, was probably enlarged, {factor:.2f} or {1 / frequency:.1f} times. A photo "
                      "straight from a camera shows no such trace, unless it was zoomed digitally.", LIMITS)  # fmt: skip
    else:
        words = Words("No trace of an enlargement.", "Nothing here speaks for a resized picture.", LIMITS)
    return Resampling(resampled, round(strength, 2), round(frequency, 4), factor and round(factor, 3), along, words)


def second_derivatives(grey: Callable[[int, int], np.ndarray], height: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean log second derivative along the rows (W - 2,) and along the columns (H - 2,).

    `grey(top, bottom)` gives rows of the picture as floats (bottom - top, W).
    """
    across, down = 0.0, []
    for top in range(0, height, STRIP):
        rows = grey(top, min(top + STRIP + 2, height))
        inner = rows[:STRIP]
        across = across + np.log1p(np.abs(inner[:, :-2] - 2 * inner[:, 1:-1] + inner[:, 2:])).sum(0, dtype=float)
        down.append(np.log1p(np.abs(rows[:-2] - 2 * rows[1:-1] + rows[2:])).mean(1))
    return np.asarray(across) / height, np.concatenate(down)


def peak(signal: np.ndarray) -> tuple[float, float]:
    """(N,) -> logarithm of the strongest peak's power over its surroundings, and its frequency."""
    count = len(signal)
    slow = np.convolve(np.pad(signal, 8, mode="edge"), np.full(17, 1 / 17), "valid")
    power = np.log(np.abs(np.fft.rfft((signal - slow) * np.hanning(count))) ** 2 + 1e-12)
    frequencies = np.fft.rfftfreq(count)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(power, AROUND, mode="reflect"), 2 * AROUND + 1)
    over = power - np.median(around, axis=-1)
    apart = np.abs(frequencies * LATTICE - np.rint(frequencies * LATTICE)) / LATTICE
    over[(frequencies < LOW) | (apart < 2 / count)] = 0.0
    best = int(over.argmax())
    return float(over[best]), float(frequencies[best])
