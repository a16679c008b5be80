"""Flicker: what changes in a result from frame to frame although nothing did in the video."""

from __future__ import annotations

import numpy as np

LEVELS = 2.0
"""Grey levels, on the mean of 3 x 3 pixels, by which a place changes that stands still: a camera's noise, no motion."""
CUT = 30.0
"""Mean grey difference of two small neighbouring frames above which a new scene begins."""


class Flicker:
    """`add` what is to stay as it is, frame by frame, and where that is expected; `mean` is how much it changes."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._sum, self._count = 0.0, 0

    def cut(self) -> None:
        """The next frame does not follow the last one."""
        self._last = None

    def add(self, values: np.ndarray, where: np.ndarray) -> None:
        """(H, W) float, (H, W) bool: places that count; where there are none nothing changed."""
        if self._last is not None:
            self._sum += float(np.abs(values - self._last)[where].mean()) if where.any() else 0.0
            self._count += 1
        self._last = values

    @property
    def mean(self) -> float:
        """In units of the values; 0 where there were no two neighbouring frames."""
        return self._sum / max(self._count, 1)


class Restless:
    """Flicker of a video that was redrawn: `made` of the result and `still` of the video, both where the video stands still."""

    def __init__(self) -> None:
        self.made, self.still = Flicker(), Flicker()
        self._last: np.ndarray | None = None

    def add(self, before: np.ndarray, after: np.ndarray) -> None:
        """(H, W, 3) uint8 twice: a frame of the video, and of the result."""
        now = grey(before)
        smooth = smoothed(now)
        where = np.ones_like(now, bool) if self._last is None else np.abs(smooth - self._last) < LEVELS
        self._last = smooth
        self.made.add(grey(after), where)
        self.still.add(now, where)


def grey(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) float32, 0..255."""
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def smoothed(values: np.ndarray) -> np.ndarray:
    """(H, W) -> means of 3 x 3 places, edges repeated."""
    whole = np.pad(values, 1, mode="edge")
    rows = whole[:-2] + whole[1:-1] + whole[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
