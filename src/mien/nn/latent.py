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
