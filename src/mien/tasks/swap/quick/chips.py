"""What a face network sees of a drawn window, as a function with a gradient."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

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
