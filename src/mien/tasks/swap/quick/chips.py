"""What a face network sees of a drawn window, as a function with a gradient."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from mien.models.mien_face import SIZE
from mien.tasks.swap.recognised import places_of


def chips_of(windows: Tensor, points: Tensor, size: int = SIZE) -> Tensor:
    """(B, 3, S, S) in 0..1 and (B, 68, 2) in windows -> (B, 3, size, size), aligned as `mien.faces.describe.chips` does it."""
    side = windows.shape[-1]
    grid = places_of(points.double().cpu().numpy() * side, side, size).to(windows)
    return F.grid_sample(windows, grid, align_corners=False)


def jostled(windows: Tensor, points: Tensor, rng: Generator) -> Tensor:
    """`chips_of`, moved, mirrored and blurred a little by chance: what pleases a network from one place alone is no likeness."""
    shift = torch.randn(len(points), 1, 2, generator=rng).to(points) * 0.01
    spread = 1 + torch.randn(len(points), 1, 1, generator=rng).to(points) * 0.03
    middle = points.mean(1, keepdim=True)
    chips = chips_of(windows, (points - middle) * spread + middle + shift)
    if torch.rand(1, generator=rng) < 0.5:
        chips = chips.flip(3)
    if torch.rand(1, generator=rng) < 0.5:
        chips = F.avg_pool2d(F.pad(chips, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return chips
