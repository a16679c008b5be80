"""Faces enlarged by a network where they would else be interpolated: small ones that are cut out, drawn ones that are pasted."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from mien.data.warp import compose, scale_of, warp
from mien.faces.align import alignment
from mien.faces.blend import window_box
from mien.models.enlarger import Enlarger
from mien.models.enlargers import SCALES, opened

MODEL = "fast"
WORTH = 1.25
"""Enlargements up to this are left to interpolation: there is hardly anything to add."""


class Enhancer:
    """`align` in place of `mien.faces.align.align`; `twice` for a drawn face."""

    def __init__(self, model: str = MODEL, device: torch.device | None = None) -> None:
        """ValueError for no such model."""
        self.model, self.device = model, device
        self.network = cache(self._opened)
        self.network(2)

    def _opened(self, scale: int) -> Enlarger:
        return opened(self.model, scale, self.device)

    def enlarged(self, face: np.ndarray, scale: int) -> np.ndarray:
        """(H, W, 3) uint8 -> (s H, s W, 3) uint8."""
        x = torch.from_numpy(np.array(face, order="C")).permute(2, 0, 1)[None].float() / 255
        y = self.network(scale)(x.to(self.device) if self.device else x)[0].float().cpu()
        return (y.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()

    def align(self, image: np.ndarray, landmarks: np.ndarray, size: int, cover: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8, (68, 2) -> the crop (size, size, 3) uint8 and the (2, 3) transform from the picture to it."""
        matrix = alignment(landmarks, size, cover)
        wanted = scale_of(matrix)
        if wanted <= WORTH:
            return warp(image, matrix, (size, size)), matrix
        scale = next((s for s in SCALES if s * WORTH >= wanted), SCALES[-1])
        around = self.network(scale).halo
        x1, y1, x2, y2 = window_box(matrix, size, image.shape)
        x1, y1, x2, y2 = max(x1 - around, 0), max(y1 - around, 0), min(x2 + around, image.shape[1]), min(y2 + around, image.shape[0])
        if x2 <= x1 or y2 <= y1:
            return warp(image, matrix, (size, size)), matrix
        large = self.enlarged(image[y1:y2, x1:x2], scale)
        back = np.array([[1 / scale, 0, x1], [0, 1 / scale, y1]])
        return warp(large, compose(matrix, back), (size, size)), matrix
