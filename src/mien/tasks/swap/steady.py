"""Landmarks smoothed over time: the one-euro filter (Casiez et al. 2012), strong at rest, weak in motion, no look-ahead."""

from __future__ import annotations

import math

import numpy as np


class Steady:
    """Call it with each frame's points; a new one for each track."""

    def __init__(self, fps: float, strength: float = 1.0) -> None:
        """`strength` 0 leaves the points as they are."""
        self.fps, self.strength = fps, strength
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None

    def _share(self, cutoff: np.ndarray | float) -> np.ndarray | float:
        """The share of the new value a low-pass filter of this cut-off frequency (Hz) takes."""
        return 1 / (1 + self.fps / (2 * math.pi * cutoff))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) -> (N, 2). Speeds are in face sizes a second, so one setting fits near and far faces."""
        points = points.astype(np.float64)
        if self.strength <= 0 or self._value is None or self._speed is None:
            self._value, self._speed = points, np.zeros_like(points)
            return points.astype(np.float32)
        size = float(np.ptp(points, axis=0).max())
        speed = (points - self._value) * self.fps / size
        self._speed = self._speed + self._share(1.0) * (speed - self._speed)
        pace = np.linalg.norm(self._speed, axis=1, keepdims=True)
        self._value = self._value + self._share((1.5 + 30 * pace) / self.strength) * (points - self._value)
        return self._value.astype(np.float32)
