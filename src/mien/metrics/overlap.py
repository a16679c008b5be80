"""Intersection over union of boxes as arrays; the same on tensors is `mien.nn.boxes`."""

from __future__ import annotations

import numpy as np


def iou(a: np.ndarray, b: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
    """(N, 4), (M, 4) x1, y1, x2, y2 -> (N, M) float64, 0..1; 0 where a union is empty.

    `crowd`: (M,) bool; an overlap with these is divided by the area of `a` alone, as COCO does with groups nobody has told apart.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = sides.clip(0).prod(-1)
    own = areas(a)[:, None]
    union = own + areas(b)[None] - common
    if crowd is not None:
        union = np.where(crowd[None], own, union)
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def areas(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) -> (N,) square pixels."""
    return (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(-1)
