"""Flicker: what changes from frame to frame inside a face although the video did not change there."""

from __future__ import annotations

import numpy as np

from mien.faces.align import align
from mien.faces.mask import face_mask
from mien.metrics import flicker
from mien.metrics.flicker import grey

SIDE = 128


class Flicker(flicker.Flicker):
    """`see` each frame before and after; `mean` in grey levels (0..255) inside the face, in the aligned 128-px window."""

    def see(self, before: np.ndarray, after: np.ndarray, landmarks: np.ndarray) -> None:
        """(H, W, 3) uint8 twice, (68, 2)."""
        window, matrix = align(before, landmarks, SIDE)
        made = grey(align(after, landmarks, SIDE)[0]) - grey(window)
        self.add(made, face_mask(landmarks @ matrix[:, :2].T + matrix[:, 2], (SIDE, SIDE)) > 127)
