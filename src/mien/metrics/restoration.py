"""Scores of a restored picture as the papers on super-resolution compute them, on brightness in 0..255.

Which colours, which rounding and which border one takes moves the same network by more than a decibel, so a `Protocol` says it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from mien.metrics.similarity import ssim_map


@dataclass(frozen=True)
class Protocol:
    """How pictures are compared."""

    border: int
    """Pixels at each side that do not count."""
    resizer: str = "MATLAB imresize, bicubic, antialiased"
    colour: str = "Y of MATLAB rgb2ycbcr (16..235), rounded to 8 bits"

    def __str__(self) -> str:
        return f"{self.colour}; {self.border} pixels of each border left out; made smaller by {self.resizer}"


def inner(image: np.ndarray, border: int) -> np.ndarray:
    """(H, W) without its borders. Raises ValueError where nothing is left."""
    if min(image.shape[:2]) <= 2 * border:
        raise ValueError(f"{image.shape[1]} x {image.shape[0]} pixels are too few to leave out {border} at each side")
    return image[border:-border, border:-border] if border else image


def psnr_y(restored: np.ndarray, truth: np.ndarray, border: int) -> float:
    """Two (H, W) in 0..255 -> dB; infinite where they are equal."""
    error = np.square(inner(restored, border).astype(np.float64) - inner(truth, border)).mean()
    return 10 * math.log10(255**2 / error) if error else math.inf


def ssim_y(restored: np.ndarray, truth: np.ndarray, border: int) -> float:
    """Two (H, W) in 0..255 -> mean SSIM over the 11 x 11 windows that lie inside (Wang et al. 2004, `ssim_index.m`).

    NaN where the picture is smaller than a window.
    """
    x, y = (torch.from_numpy(inner(one, border).astype(np.float64) / 255)[None, None] for one in (restored, truth))
    if min(x.shape[-2:]) < 11:
        return math.nan
    return float(ssim_map(x, y)[..., 5:-5, 5:-5].mean())
