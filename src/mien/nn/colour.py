"""Brightness and colour as MATLAB's `rgb2ycbcr` separates them: ITU-R BT.601, Y in 16..235 of 255."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mien.data.exact import exactly

MATRIX = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
OFFSET = (16.0, 128.0, 128.0)
"""For R, G, B in 0..1; Y, Cb, Cr in 0..255."""
BACK = (np.linalg.inv(np.array(MATRIX)) * 255).tolist()


def ycbcr(x: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 -> (B, 3, H, W): Y, Cb, Cr in 0..1, Y from 16/255 to 235/255."""
    matrix, offset = x.new_tensor(MATRIX) / 255, x.new_tensor(OFFSET) / 255
    return _mixed(matrix, x) + offset.view(1, 3, 1, 1)


def luma(x: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 -> (B, 1, H, W): Y alone."""
    weights = (x.new_tensor(MATRIX[0]) / 255).view(1, 3, 1, 1)
    return (x * weights).sum(1, keepdim=True) + OFFSET[0] / 255


def grey(y: Tensor) -> Tensor:
    """(B, 1, H, W) Y from 16/255 to 235/255 -> (B, 3, H, W) RGB in 0..1 without colour, not clipped."""
    return ((y * 255 - OFFSET[0]) / sum(MATRIX[0])).expand(-1, 3, -1, -1)


def rgb(x: Tensor) -> Tensor:
    """The inverse of `ycbcr`, not clipped."""
    matrix, offset = x.new_tensor(BACK), x.new_tensor(OFFSET) / 255
    return _mixed(matrix, x - offset.view(1, 3, 1, 1))


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    with exactly(x):
        return torch.einsum("ij,bjhw->bihw", matrix, x)
