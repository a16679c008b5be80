"""Content and style as costs of a convolutional network's maps (Gatys, Ecker and Bethge 2016, "Image Style Transfer Using CNNs").

All maps are (B, C, H, W). Normalisations, by name: a Gram matrix is a sum over places, G = A A^T; N = H W places. The content cost is
1 / (4 N C) of the summed squared difference, the style cost of a layer 1 / (2 N C)^2 of the Gram matrices' (equations 1 and 4 of the
paper have 1 / 2 and the same 1 / (4 N^2 C^2)). Style and generated picture may differ in size: each Gram matrix is divided by its own
N, which for equal sizes is the same cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

AT_ONCE = 1 << 19
"""Numbers of half precision that are made fp32 at once."""


def gram(maps: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, C, H, W) -> (B, C, C): G_kk' = sum over places of a_k a_k', gathered in fp32; `mask` (B or 1, 1, H, W) weighs places."""
    return _Gram.apply(maps.flatten(2), None if mask is None else mask.flatten(2))  # pyright: ignore[reportReturnType]


class _Gram(torch.autograd.Function):
    """Since G is symmetric, its slope takes one product in place of two; the maps' layout is kept, no copy in fp32 made of them."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, mask: Tensor | None) -> Tensor:
        """(B, C, N), (B or 1, 1, N) -> (B, C, C)."""
        ctx.save_for_backward(flat, mask)
        batch, channels, places = flat.shape
        exact = torch.promote_types(flat.dtype, torch.float32)
        total = flat.new_zeros(batch, channels, channels, dtype=exact)
        step = places if flat.dtype == exact else max(AT_ONCE // channels, 1)
        with torch.autocast(flat.device.type, enabled=False):  # it would gather the sums in half precision
            for start in range(0, places, max(step, 1)):
                part = flat[..., start:start + step].to(exact)
                other = part if mask is None else part * mask[..., start:start + step].to(exact)
                total.baddbmm_(part, other.transpose(1, 2))
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """dJ/dA = (dJ/dG + its transpose) A, at each place as much as the mask has there."""
        flat, mask = ctx.saved_tensors
        slope = (grad + grad.transpose(1, 2)).to(flat.dtype)
        # places first where channels lie together: the result lies as the maps do
        found = slope @ flat if flat.stride(2) == 1 else (flat.transpose(1, 2) @ slope).transpose(1, 2)
        return found if mask is None else found.mul_(mask.to(found.dtype)), None


def mean_gram(maps: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, C, H, W) -> (B, C, C): `gram` over the number of places, or over the sum of the mask (nowhere: zeros)."""
    if mask is None:
        return gram(maps) / (maps.shape[-2] * maps.shape[-1])
    places = mask.flatten(1).sum(1).to(torch.float64 if maps.dtype == torch.float64 else torch.float32)
    return gram(maps, mask) / places.clamp_min(1e-6).view(-1, 1, 1)


def content_cost(maps: Tensor, content: Tensor) -> Tensor:
    """(B, C, H, W) twice -> (B,): sum of squares of the difference over 4 H W C."""
    return (maps.float() - content.float()).square().flatten(1).mean(1) / 4


def style_cost(mean: Tensor, wanted: Tensor) -> Tensor:
    """`mean_gram`s (B, C, C), (B or 1, C, C) -> (B,): sum of squares of the difference over (2 C)^2."""
    return (mean - wanted).square().flatten(1).mean(1) / 4


def weighted(costs: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Layer -> cost, layer -> lambda: their sum, J_style where the lambdas add up to 1."""
    return torch.stack([weights[name] * cost for name, cost in costs.items()]).sum(0)


def total_variation(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B,): mean squared step between neighbours, across and down (0 for a single row or column)."""
    across, down = (x[..., :, 1:] - x[..., :, :-1]), (x[..., 1:, :] - x[..., :-1, :])
    steps = [one.square().flatten(1).mean(1) if one.numel() else one.flatten(1).sum(1) for one in (across, down)]
    return steps[0] + steps[1]


def statistics(maps: Tensor, epsilon: float = 1e-5) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) -> mean and deviation over places, (B, C, 1, 1) each, in fp32."""
    flat = maps.float().flatten(2)
    mean, spread = flat.mean(2), (flat.var(2, correction=0) + epsilon).sqrt()
    return mean[..., None, None], spread[..., None, None]


def adain(content: Tensor, style: Tensor, epsilon: float = 1e-5) -> Tensor:
    """The content's maps with the style's mean and deviation in each channel (Huang and Belongie 2017, arXiv 1703.06868, eq. 8)."""
    (mean, spread), (wanted, deviation) = statistics(content, epsilon), statistics(style, epsilon)
    return ((content.float() - mean) / spread * deviation + wanted).to(content.dtype)
