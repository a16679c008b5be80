"""Fields of displacement: sampling, inverting, composing, folds, and the losses a network learns them by.

A backward field is (B, 2, H, W), x then y, in pixels of that picture: out(p) = in(p + field(p)) at pixel centres p; what lies outside
the picture is taken from its border. A fake is `sample(original, field)`; `sample(fake, inverse(field))` undoes it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 20
"""Of the fixed point: the error shrinks at each step by the steepness of the field, which rarely exceeds a half in a face."""
STRIDES = (2, 8, 16)
"""In pixels of the field: how far apart displacements are compared (Wang et al. 2019, arXiv 1906.05856, section 4.2)."""


def sample(x: Tensor, field: Tensor, mode: str = "bilinear") -> Tensor:
    """(B, C, H, W), (B, 2, H', W') -> (B, C, H', W'): x at p + field(p); `mode`: bilinear, bicubic or nearest."""
    height, width = field.shape[-2:]
    across = torch.arange(width, dtype=field.dtype, device=field.device)
    down = torch.arange(height, dtype=field.dtype, device=field.device)
    grid = torch.stack([(field[:, 0] + across) * 2 + 1, (field[:, 1] + down[:, None]) * 2 + 1], -1)
    grid = grid / torch.tensor([x.shape[-1], x.shape[-2]], dtype=field.dtype, device=field.device) - 1
    return F.grid_sample(x, grid.to(x.dtype), mode=mode, padding_mode="border", align_corners=False)


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The field of sampling with `first` and what comes out with `second`: second(p) + first(p + second(p))."""
    return second + sample(first, second)


def inverse(field: Tensor, steps: int = STEPS) -> Tensor:
    """E with E(q) = -field(q + E(q)), by fixed point; it exists where `jacobian` is positive, converges where slopes are below 1."""
    found = -field
    for _ in range(steps):
        found = -sample(field, found)
    return found


def jacobian(field: Tensor) -> Tensor:
    """(B, 2, H, W) -> (B, H - 1, W - 1): the smallest determinant of p -> p + field(p) between four neighbouring pixels.

    Between them the field is bilinear and its determinant linear, so the smallest is at a corner. Above 0 everywhere: no fold.
    """
    along, below = field[..., :, 1:] - field[..., :, :-1], field[..., 1:, :] - field[..., :-1, :]
    found = []
    for right in (along[..., :-1, :], along[..., 1:, :]):
        for down in (below[..., :-1], below[..., 1:]):
            found.append((1 + right[:, 0]) * (1 + down[:, 1]) - right[:, 1] * down[:, 0])
    return torch.stack(found).amin(0)


def end_point_error(field: Tensor, truth: Tensor) -> Tensor:
    """(B, 2, H, W) twice -> (B, H, W): how far the two displacements end from each other, in pixels."""
    return (field - truth).square().sum(1).sqrt()


def robust(field: Tensor, truth: Tensor, epsilon: float = 0.1) -> Tensor:
    """The same with a round foot (Charbonnier): sqrt(e^2 + epsilon^2) - epsilon, so that small errors do not pull as hard as large."""
    return ((field - truth).square().sum(1) + epsilon**2).sqrt() - epsilon


def relative(field: Tensor, truth: Tensor, strides: tuple[int, ...] = STRIDES) -> Tensor:
    """() mean robust error of the differences between pixels that lie a stride apart, across and down: shape, not offset."""
    error = field - truth
    zero, costs = torch.zeros_like(error), []
    for stride in strides:
        for dim in (2, 3):
            if stride < error.shape[dim]:
                length = error.shape[dim] - stride
                apart = error.narrow(dim, stride, length) - error.narrow(dim, 0, length)
                costs.append(robust(apart, zero.narrow(dim, 0, length)).mean())
    return torch.stack(costs).mean()


def laplace(error: Tensor, spread: Tensor) -> Tensor:
    """Negative log likelihood of errors >= 0 under a Laplace law of log scale `spread`: e exp(-s) + s (Kendall and Gal 2017)."""
    return error * torch.exp(-spread) + spread
