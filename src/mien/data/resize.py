"""Bicubic resizing as MATLAB's `imresize` does it, antialiased: what the papers on super-resolution make their small pictures with.

Keys' kernel with a = -1/2 (Keys 1981, equation 15); when a picture gets smaller the kernel is stretched by as much, so that all its
pixels count. Pixels beyond the border are those inside it, mirrored. Other libraries differ by up to a decibel: no antialiasing
(torch by default), a = -3/4 (OpenCV), borders cut off (Pillow).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mien.data.exact import exactly

REACH = 2
"""Pixels to each side that an enlarged pixel depends on."""


def keys(x: np.ndarray) -> np.ndarray:
    """The kernel, 0 from a distance of 2 on."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


@cache
def taps(length: int, target: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels (target, n) of `length` make each new one, and how much each counts, (target, n) float64 that add to 1."""
    stretch = min(scale, 1.0)
    width = 4 / stretch
    middle = (np.arange(target) + 0.5) / scale - 0.5
    first = np.floor(middle + 1 - width / 2).astype(int) - 1
    places = first[:, None] + np.arange(math.ceil(width) + 2)
    weights = stretch * keys(stretch * (middle[:, None] - places))
    weights /= weights.sum(1, keepdims=True)
    mirrored = np.mod(places, 2 * length)
    mirrored = np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored)
    used = np.any(weights != 0, 0)
    return mirrored[:, used], weights[:, used]


def _along(x: Tensor, dim: int, target: int, scale: float) -> Tensor:
    places, weights = taps(x.shape[dim], target, scale)
    shape = [1] * x.ndim
    shape[dim] = target
    out = None
    for place, weight in zip(places.T, weights.T, strict=True):
        part = x.index_select(dim, torch.from_numpy(place.copy()).to(x.device))
        part *= torch.from_numpy(weight.copy()).to(x).view(shape)
        out = part if out is None else out.add_(part)
    assert out is not None
    return out


def resize(x: Tensor, scale: float) -> Tensor:
    """(..., H, W) float -> (..., ceil(scale H), ceil(scale W)), neither rounded nor clipped; a scale below 1 reduces.

    Raises ValueError for a picture without pixels, or a scale that is not above 0.
    """
    height, width = x.shape[-2:]
    if not (scale > 0 and height and width):
        raise ValueError(f"cannot resize {height} x {width} pixels by {scale}: expected a picture and a factor above 0")
    rows = _along(x, x.ndim - 2, math.ceil(height * scale), scale)
    return _along(rows, x.ndim - 1, math.ceil(width * scale), scale)


@cache
def phases(scale: int) -> np.ndarray:
    """(scale^2, 1, 5, 5) float64: how the 5 x 5 pixels around one make each of the new ones that take its place."""
    places, weights = taps(4 * REACH + 1, scale * (4 * REACH + 1), float(scale))
    rows = np.zeros((scale, 2 * REACH + 1))
    for phase in range(scale):
        new = 2 * REACH * scale + phase  # of the pixel in the middle
        np.add.at(rows[phase], places[new] - REACH, weights[new])
    return np.einsum("ia,jb->ijab", rows, rows).reshape(scale**2, 1, 2 * REACH + 1, 2 * REACH + 1)


def enlarge(x: Tensor, scale: int) -> Tensor:
    """(B, C, H, W) -> (B, C, scale H, scale W): `resize` as one convolution, which every exchange format knows.

    A tile with `REACH` pixels around it gives what the whole picture gives.
    """
    batch, channels, height, width = x.shape
    if height < REACH or width < REACH:
        return resize(x, scale)
    single = x.reshape(batch * channels, 1, height, width)
    single = torch.cat([single[:, :, 1:2], single[:, :, :1], single, single[:, :, -1:], single[:, :, -2:-1]], 2)
    single = torch.cat([single[..., 1:2], single[..., :1], single, single[..., -1:], single[..., -2:-1]], 3)
    with exactly(x):
        made = F.pixel_shuffle(F.conv2d(single, torch.from_numpy(phases(scale)).to(x)), scale)
    return made.reshape(batch, channels, scale * height, scale * width)


def resize_pixels(image: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) or (H, W, C) uint8 -> the same, smaller or larger; like `imresize` rounded after the rows and after the columns."""
    x = torch.from_numpy(image.astype(np.float64).reshape(*image.shape[:2], -1)).permute(2, 0, 1)
    for dim in (1, 2):
        x = _along(x, dim, math.ceil(x.shape[dim] * scale), scale).add_(0.5).floor_().clamp_(0, 255)
    return x.permute(1, 2, 0).numpy().astype(np.uint8).reshape(x.shape[1], x.shape[2], *image.shape[2:])


def cropped(image: np.ndarray, scale: int) -> np.ndarray:
    """(H, W, ...) without the last rows and columns that `scale` does not divide ("modcrop")."""
    height, width = (side - side % scale for side in image.shape[:2])
    return image[:height, :width]
