"""Similarity transforms between a picture and a crop, and the sampling that goes with them (NumPy and Pillow alone).

A transform is a (2, 3) float64 matrix M: picture point p -> crop point M[:, :2] @ p + M[:, 2]. Pixel corners lie at
integers: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N, 2), (N, 2) -> the (2, 3) rotation, scale and shift that best moves source onto target (Umeyama 1991)."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    u, d, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / s.var(0).sum()
    return np.hstack([scale * rotation, (mean_t - scale * rotation @ mean_s)[:, None]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """The (2, 3) transform that undoes `matrix`."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.hstack([inverse, -inverse @ matrix[:, 2:]])


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The (2, 3) transform that applies `first`, then `second`."""
    return np.hstack([second[:, :2] @ first[:, :2], (second[:, :2] @ first[:, 2] + second[:, 2])[:, None]])


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(2, 3), (..., 2) -> (..., 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def scale_of(matrix: np.ndarray) -> float:
    """Crop pixels per picture pixel."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def warp(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], fill: int = 0, fine: bool = True) -> np.ndarray:
    """(H, W[, 3]) uint8 and a picture-to-crop transform -> the crop of `size` (width, height).

    Shrinking is antialiased: the part that is needed is first box-averaged by a whole factor, then sampled bicubically, or (not
    `fine`) bilinearly, in a third of the time.
    """
    width, height = size
    corners = transform(invert(matrix), np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=float))
    x0, y0 = np.maximum(np.floor(corners.min(0)) - 4, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 4, (image.shape[1], image.shape[0]))
    if x1 <= x0 or y1 <= y0:
        return np.full((height, width, *image.shape[2:]), fill, np.uint8)
    part = Image.fromarray(np.ascontiguousarray(image[y0:y1, x0:x1]))
    factor = max(int(1 / scale_of(matrix)), 1)
    if factor > 1:
        part = part.reduce(factor)
    to_part = invert(matrix)
    to_part = np.hstack([to_part[:, :2], (to_part[:, 2] - (x0, y0))[:, None]]) / factor
    kernel = Image.Resampling.BICUBIC if fine else Image.Resampling.BILINEAR
    crop = part.transform((width, height), Image.Transform.AFFINE, tuple(to_part.ravel()), kernel,
                          fillcolor=(fill,) * image.shape[2] if image.ndim == 3 else fill)
    return np.asarray(crop)
