"""The picture that comes out of a field, resampled as editors do it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from mien.data.resize import keys


def tent(x: np.ndarray) -> np.ndarray:
    """Bilinear: 1 - |x|."""
    return 1 - np.abs(x)


def lanczos(x: np.ndarray) -> np.ndarray:
    """sinc(x) sinc(x / 3), |x| < 3."""
    return np.sinc(x) * np.sinc(x / 3)


Kernel = Callable[[np.ndarray], np.ndarray]
KERNELS: dict[str, tuple[int, Kernel]] = {"bilinear": (1, tent), "bicubic": (2, keys), "lanczos": (3, lanczos)}
"""Name -> pixels on each side, and the kernel's value at a distance."""
SHIFT = 6
STEPS = 1 << SHIFT
"""Positions between two pixels, each way, at which kernels are tabled: half a step moves a hard edge by two of 255 levels."""
STILL = 2e-3
"""Pixels; what moves less keeps its value, as beyond an editor's brush."""


def taps(kind: str) -> np.ndarray:
    """(STEPS * STEPS, (2 reach)^2) float32: the weights of the pixels around, row by row, for each position y, x between four."""
    reach, kernel = KERNELS[kind]
    weights = kernel(np.arange(STEPS)[:, None] / STEPS - np.arange(1 - reach, reach + 1))
    weights /= weights.sum(1, keepdims=True)
    return np.einsum("yj,xi->yxji", weights, weights).reshape(STEPS**2, -1).astype(np.float32)


TAPS = {kind: taps(kind) for kind in KERNELS}


def sampled(image: np.ndarray, field: np.ndarray, kind: str = "bicubic") -> np.ndarray:
    """(H, W, 3) uint8 and a backward field (2, H, W) -> the reshaped picture (H, W, 3) uint8.

    `kind`: bilinear, bicubic or lanczos. Beyond the picture its border is repeated. What does not move keeps its value.
    """
    if kind not in TAPS:
        raise ValueError(f"no resampling is called {kind!r}: choose {', '.join(TAPS)}")
    going = (np.abs(field) > STILL).any(0)
    out = image.copy()
    if not going.any():
        return out
    rows, columns = np.flatnonzero(going.any(-1)), np.flatnonzero(going.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    reach = KERNELS[kind][0]
    height, width = image.shape[:2]
    stride = np.int32(width + 2 * reach)
    first, between = [], []
    for axis, start, stop, length in ((0, x0, x1, width), (1, y0, y1, height)):
        place = np.arange(start, stop, dtype=np.float32)
        at = field[axis, y0:y1, x0:x1] + (place if axis == 0 else place[:, None])
        steps = np.rint(at.clip(0, length - 1) * STEPS).astype(np.int32)
        first.append((steps >> SHIFT) + 1)  # the first pixel of the kernel, in the padded picture
        between.append(steps & (STEPS - 1))
    around = (np.arange(2 * reach, dtype=np.int32)[:, None] * stride + np.arange(2 * reach, dtype=np.int32)).ravel()
    places = torch.from_numpy((first[1] * stride + first[0]).reshape(-1, 1)) + torch.from_numpy(around)
    weights = TAPS[kind].take(((between[1] << SHIFT) + between[0]).ravel(), axis=0)
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge").reshape(-1, 3)
    made = F.embedding_bag(places, torch.from_numpy(padded).float(), mode="sum", per_sample_weights=torch.from_numpy(weights))
    out[y0:y1, x0:x1] = made.clamp_(0, 255).round_().byte().numpy().reshape(y1 - y0, x1 - x0, 3)
    return out
