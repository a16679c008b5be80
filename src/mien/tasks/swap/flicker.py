"""Flicker: what changes from frame to frame inside a face although the video did not change there."""

from __future__ import annotations

import numpy as np

from mien.faces.align import align
from mien.faces.mask import face_mask

SIDE = 128


class Flicker:
    """`add` each frame before and after; `mean` in grey levels (0..255) inside the face, in the aligned 128-px window."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._sum, self._count = 0.0, 0

    def cut(self) -> None:
        """The next frame does not follow the last one."""
        self._last = None

    def add(self, before: np.ndarray, after: np.ndarray, landmarks: np.ndarray) -> None:
        """(H, W, 3) uint8 twice, (68, 2)."""
        window, matrix = align(before, landmarks, SIDE)
        made = _grey(align(after, landmarks, SIDE)[0]) - _grey(window)
        if self._last is not None:
            mask = face_mask(landmarks @ matrix[:, :2].T + matrix[:, 2], (SIDE, SIDE)) > 127
            self._sum += float(np.abs(made - self._last)[mask].mean()) if mask.any() else 0.0
            self._count += 1
        self._last = made

    @property
    def mean(self) -> float:
        """0 where there were no two neighbouring frames."""
        return self._sum / max(self._count, 1)


def _grey(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
