"""From displacements at the nodes of a coarse grid to a field at every pixel: smooth, still at the border, without folds."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from mien.nn import flow

CELLS = 50
"""Cells of the grid along the longer side: a warp is smooth, and computing it at every pixel would take thirty times as long."""
EDGE = 0.09
"""Over this share of the sides a field fades to 0 towards the border."""
FLAT = 0.08
"""The smallest determinant of p -> p + D(p) that is let through: below 0 a picture folds, near it a point smears into a line."""


@cache
def axis(length: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (cells + 1,) from 0 to `length`, and the (length, cells + 1) weights of a natural cubic spline at pixel centres."""
    count = cells + 1
    second = np.zeros((count, count))  # of the knots' second derivatives by their values; 0 at both ends
    inner = np.arange(1, cells)
    system = np.eye(count)
    system[inner, inner - 1], system[inner, inner], system[inner, inner + 1] = 1 / 6, 2 / 3, 1 / 6
    second[inner, inner - 1], second[inner, inner], second[inner, inner + 1] = 1, -2, 1
    curve = np.linalg.solve(system, second)
    at = (np.arange(length) + 0.5) * cells / length
    left = np.minimum(at.astype(int), cells - 1)
    b = (at - left)[:, None]
    a = 1 - b
    rows = np.eye(count)
    weights = a * rows[left] + b * rows[left + 1] + ((a**3 - a) * curve[left] + (b**3 - b) * curve[left + 1]) / 6
    return np.linspace(0, length, count).astype(np.float32), weights.astype(np.float32)


@cache
def cells_of(height: int, width: int) -> tuple[int, int]:
    """Cells down and across, as square as they come."""
    return tuple(max(round(CELLS * side / max(height, width)), 8) for side in (height, width))  # type: ignore[return-value]


@cache
def nodes(height: int, width: int) -> np.ndarray:
    """(N, 2) float32 positions, rows of x, in pixels with the first pixel's centre at 0.5."""
    down, across = cells_of(height, width)
    y, x = axis(height, down)[0], axis(width, across)[0]
    return np.stack(np.broadcast_arrays(x, y[:, None]), -1).reshape(-1, 2)


@cache
def fading(height: int, width: int) -> np.ndarray:
    """(N, 1) float32 at the nodes: 1 inside, smoothly 0 at the border."""
    share = nodes(height, width) / np.array([width, height], np.float32)
    near = (np.minimum(share, 1 - share).min(1, keepdims=True) / EDGE).clip(0, 1)
    return (near**2 * (3 - 2 * near)).astype(np.float32)


def dense(shifts: np.ndarray, height: int, width: int) -> np.ndarray:
    """(N, 2) at the nodes -> the backward field (2, H, W) float32, 0 at the border, scaled down where it would fold."""
    down, across = cells_of(height, width)
    grid = (shifts * fading(height, width)).astype(np.float32).reshape(down + 1, across + 1, 2).transpose(2, 0, 1)
    return fold_free(axis(height, down)[1] @ grid @ axis(width, across)[1].T)


def smallest_jacobian(field: np.ndarray) -> float:
    """(2, H, W) -> the smallest determinant of p -> p + D(p) between neighbouring pixels; above 0 there is no fold."""
    return float(flow.jacobian(torch.from_numpy(field)[None]).min())


def fold_free(field: np.ndarray) -> np.ndarray:
    """The field, or as much of it as leaves every determinant at `FLAT` or above."""
    while smallest_jacobian(field) < FLAT:
        field = field * np.float32(0.85)
    return field


def inverse(field: np.ndarray, steps: int = 40) -> np.ndarray:
    """(2, H, W) -> the field that undoes it."""
    return flow.inverse(torch.from_numpy(field)[None], steps)[0].numpy()


def carried(field: np.ndarray, points: np.ndarray, steps: int = 40) -> np.ndarray:
    """(N, 2) of the original -> where they are in the reshaped picture: q with q + D(q) = p, by fixed point."""
    pixels = torch.from_numpy(field)[None]
    start = torch.from_numpy(points.astype(np.float32)) - 0.5
    height, width = field.shape[1:]
    found = start
    for _ in range(steps):
        grid = (found + 0.5) * 2 / torch.tensor([width, height]) - 1
        shift = torch.nn.functional.grid_sample(pixels, grid[None, None], padding_mode="border", align_corners=False)
        found = start - shift[0, :, 0].T
    return (found + 0.5).numpy()
