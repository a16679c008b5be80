"""SSIM (Wang et al. 2004) and PSNR, whole or inside a mask, on batches of tensors in 0..1."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian(size: int = 11, sigma: float = 1.5) -> Tensor:
    """(size,) normalised."""
    x = torch.arange(size) - (size - 1) / 2
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    return kernel / kernel.sum()


@cache
def band(length: int, size: int, sigma: float) -> Tensor:
    """(length, length) matrix whose product with a row of pixels is the blurred row; borders count as reflected."""
    eye = F.pad(torch.eye(length)[:, None], (size // 2,) * 2, mode="reflect")
    return F.conv1d(eye, gaussian(size, sigma)[None, None])[:, 0].T.contiguous()


def blur(x: Tensor, size: int = 11, sigma: float = 1.5) -> Tensor:
    """Separable blur of each channel as two matrix products: on a CPU ten times faster than one-channel convolutions."""
    rows, columns = (band(n, size, sigma).to(x) for n in x.shape[-2:])
    return rows @ (x @ columns.T)


def ssim_map(x: Tensor, y: Tensor, size: int = 11, sigma: float = 1.5) -> Tensor:
    """(B, C, H, W) twice -> (B, C, H, W): equation 13 with K1 = 0.01, K2 = 0.03, dynamic range 1, 11 x 11 Gaussian window."""
    mean_x, mean_y, xx, yy, xy = blur(torch.cat([x, y, x * x, y * y, x * y], 1), size, sigma).chunk(5, 1)
    c1, c2 = 0.01**2, 0.03**2
    product = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    return (2 * product + c1) * (2 * (xy - product) + c2) / ((squares + c1) * (xx + yy - squares + c2))


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(B, C, H, W), (B, 1, H, W) -> (B,) mean over channels and the pixels of the mask, by its weights."""
    weight = mask.expand_as(values)
    return (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1e-6)


def ssim(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, C, H, W) twice -> (B,)."""
    return masked_mean(ssim_map(x, y), torch.ones_like(x[:, :1]) if mask is None else mask)


def psnr(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, C, H, W) twice -> (B,) dB."""
    error = masked_mean((x - y) ** 2, torch.ones_like(x[:, :1]) if mask is None else mask)
    return -10 * torch.log10(error.clamp(min=1e-10))
