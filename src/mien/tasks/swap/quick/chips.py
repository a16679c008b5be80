"""What a face network sees of a drawn window, as a function with a gradient."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from mien.faces.describe import placement
from mien.models.mien_face import SIZE


def chips_of(windows: Tensor, points: Tensor, size: int = SIZE) -> Tensor:
    """(B, 3, S, S) in 0..1 and (B, 68, 2) in windows -> (B, 3, size, size), aligned as `mien.faces.describe.chips` does it."""
    side = windows.shape[-1]
    centre, step = placement(points.double().cpu().numpy() * side, size)
    ramp = np.arange(size) - (size - 1) / 2
    at = centre[:, None, None] + step[:, None, None] * (ramp[None, :] + 1j * ramp[:, None])
    grid = (np.stack([at.real, at.imag], -1) + 0.5) / side * 2 - 1
    return F.grid_sample(windows, torch.from_numpy(grid).to(windows), align_corners=False)


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
