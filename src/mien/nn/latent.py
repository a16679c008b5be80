"""Gaussian latent variables (Kingma and Welling 2014, arXiv 1312.6114) and costs of binary pictures, in nats."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(B, Z) twice -> (B,): KL(N(mean, variance) || N(0, 1)), closed form (appendix B)."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2


def moved(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Standard normal noise (..., Z) to a sample of N(mean, variance): mean + deviation * noise, so gradients reach both."""
    return mean + torch.exp(log_variance / 2) * noise


def gaussian(z: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0) -> Tensor:
    """(..., Z) -> (...): log density in nats."""
    log_variance = torch.as_tensor(log_variance, dtype=z.dtype, device=z.device)
    return -((z - mean).square() / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(-1) / 2


def binary(logits: Tensor, x: Tensor) -> Tensor:
    """(B, ...) logits of a one, (B, ...) in 0..1 -> (B,): -log p(x) in nats, summed over pixels."""
    return F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").flatten(1).sum(1)


def between(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """(Z,) twice, shares (N,) of the way -> (N, Z) along the great circle, length going evenly from one's to the other's.

    A straight line would pass through vectors much shorter than normal ones ever are (White 2016, arXiv 1609.04468).
    """
    lengths = one.norm(), other.norm()
    angle = torch.acos((one @ other / (lengths[0] * lengths[1])).clamp(-1, 1))
    if float(angle.sin().abs()) < 1e-4:
        return torch.lerp(one, other, share[:, None])
    parts = [torch.sin(part * angle)[:, None] * end / length
             for part, end, length in zip((1 - share, share), (one, other), lengths, strict=True)]  # fmt: skip
    return (parts[0] + parts[1]) / angle.sin() * torch.lerp(*lengths, share)[:, None]


def plane(across: int, device: torch.device | None = None) -> Tensor:
    """(across^2, 2): the middles of tiles of equal probability under N(0, 1) in two dimensions, row by row, upwards and to the right.

    The middles of `across` even steps in 0..1 through the inverse of the normal distribution (Kingma and Welling 2014, figure 4).
    """
    line = torch.special.ndtri((torch.arange(across, device=device) + 0.5) / across)
    return torch.stack([line.repeat(across), line.flip(0).repeat_interleave(across)], 1)
