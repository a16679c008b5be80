"""The content's colours kept (Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", arXiv 1606.05897)."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = 0.299, 0.587, 0.114


def luma(x: Tensor) -> Tensor:
    """(1, 3, H, W) RGB in 0..1 -> (1, 1, H, W): Y of YIQ."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def grey(x: Tensor) -> Tensor:
    """(1, 3, H, W): brightness alone, in all three channels."""
    return luma(x).expand(-1, 3, -1, -1).contiguous()


def as_bright(style: Tensor, content: Tensor) -> Tensor:
    """(1, 3, h, w), (1, 3, H, W) -> (1, 3, h, w): the style's brightness with the content's mean and deviation (equation 10)."""
    ours, wanted = luma(style), luma(content)
    spread = float(wanted.std(correction=0) / ours.std(correction=0).clamp_min(1e-5))
    return ((ours - ours.mean()) * spread + wanted.mean()).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def coloured(x: Tensor, content: Tensor) -> Tensor:
    """(1, 3, H, W) twice: the brightness of `x`, I and Q of the content; not clipped."""
    return content + (luma(x) - luma(content))


def matched(style: Tensor, content: Tensor) -> Tensor:
    """(1, 3, h, w), (1, 3, H, W) -> (1, 3, h, w): the style with mean and covariance of the content's colours (equations 1 to 5)."""
    (mean, root), (wanted, target) = _spread(style), _spread(content)
    flat = style[0].flatten(1).double()
    moved = target @ torch.linalg.inv(root) @ (flat - mean) + wanted
    return moved.float().clamp(0, 1).reshape(style.shape)


def _spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3, 1) and root of the covariance (3, 3); one colour alone has a little spread."""
    flat = x[0].flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    covariance = (flat - mean) @ (flat - mean).T / flat.shape[1] + 1e-6 * torch.eye(3, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(covariance)
    return mean, vectors @ (values.sqrt()[:, None] * vectors.T)
