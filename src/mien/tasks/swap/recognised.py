"""Whose face is drawn, as a loss: mien's own face network looks at faces in the canonical window, and gradients go through it.

It was taught by dlib's network, which scores swaps, so the two are not independent; its weights and what it looks at are others.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.faces.align import window
from mien.faces.describe import MODELS, placement

MODEL = "mien-face"


def places_of(points: np.ndarray, side: int, size: int) -> Tensor:
    """(N, 68, 2) in pixels of windows of `side` -> (N, size, size, 2) places of the describer's chips, -1..1 from edge to edge."""
    centre, step = placement(points, size)
    ramp = np.arange(size) - (size - 1) / 2
    at = centre[:, None, None] + step[:, None, None] * (ramp[None, :] + 1j * ramp[:, None])
    return torch.from_numpy(((np.stack([at.real, at.imag], -1) + 0.5) * 2 / side - 1).astype(np.float32))


def chip_places(side: int, size: int) -> Tensor:
    """(size, size, 2) sampling places: the describer's chip of the average face in a window of `side`."""
    return places_of(window(side)[None], side, size)[0]


class Recogniser(nn.Module):
    """(B, 3, S, S) in 0..1, faces in the canonical window -> (B, 128); frozen."""

    places: Tensor

    def __init__(self, side: int) -> None:
        """`side`: of the window in pixels. The weights are bundled."""
        super().__init__()
        self.net = MODELS[MODEL].build().requires_grad_(False)
        self.register_buffer("places", chip_places(side, MODELS[MODEL].size), persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """The face's place is that of the average face: aligned windows show it there, but for a pixel or two."""
        grid = self.places.expand(len(faces), -1, -1, -1)
        return self.net(F.grid_sample(faces, grid, padding_mode="border", align_corners=False))
