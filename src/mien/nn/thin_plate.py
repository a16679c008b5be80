"""Thin-plate splines for batches: where to sample a picture so that its points come to lie on others (Bookstein 1989)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

COARSE = 16
"""Nodes a side at which the spline is computed; between them it is interpolated: it is smooth, and there are thousands of pixels."""
RIDGE = 5e-3
"""Added to the diagonal in units of the window: points that coincide, as those of a closed eye, stay solvable."""


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """(B, N, 2), (B, P, 2) -> (B, N, P): r^2 log r^2, 0 where r is 0."""
    square = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square()
    return square * (square + 1e-9).log()


def spline(at: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Displacements (B, N, 2) at positions `at` (B, N, 2): what lies at a position after was at position + displacement.

    source, target: (B, P, 2), where points were and where they go; all three in windows, about 0..1.
    """
    batch, count, _ = target.shape
    basis = torch.cat([target.new_ones(batch, count, 1), target], 2)
    system = target.new_zeros(batch, count + 3, count + 3)
    system[:, :count, :count] = kernel(target, target) + RIDGE * torch.eye(count, device=target.device)
    system[:, :count, count:] = basis
    system[:, count:, :count] = basis.transpose(1, 2)
    shift = torch.cat([source - target, target.new_zeros(batch, 3, 2)], 1)
    weights = torch.linalg.solve(system, shift)
    return kernel(at, target) @ weights[:, :count] + torch.cat([torch.ones_like(at[..., :1]), at], 2) @ weights[:, count:]


def places(source: Tensor, target: Tensor, size: int) -> Tensor:
    """(B, P, 2) twice, in windows -> (B, size, size, 2) for `grid_sample` (align_corners=False): `source` lands on `target`."""
    ramp = (torch.arange(COARSE, device=source.device, dtype=source.dtype) + 0.5) / COARSE
    nodes = torch.stack(torch.meshgrid(ramp, ramp, indexing="xy"), -1).reshape(1, -1, 2).expand(len(source), -1, -1)
    moved = spline(nodes, source, target).view(len(source), COARSE, COARSE, 2).permute(0, 3, 1, 2)
    moved = F.interpolate(moved, size=(size, size), mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
    fine = (torch.arange(size, device=source.device, dtype=source.dtype) + 0.5) / size
    here = torch.stack(torch.meshgrid(fine, fine, indexing="xy"), -1)
    return (here + moved) * 2 - 1
