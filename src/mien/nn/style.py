"""Content and style as costs of a convolutional network's maps (Gatys, Ecker and Bethge 2016, "Image Style Transfer Using CNNs").

All maps are (B, C, H, W). Normalisations, by name: a Gram matrix is a sum over places, G = A A^T; N = H W places. The content cost is
1 / (4 N C) of the summed squared difference, the style cost of a layer 1 / (2 N C)^2 of the Gram matrices' (equations 1 and 4 of the
paper have 1 / 2 and the same 1 / (4 N^2 C^2)). Style and generated picture may differ in size: each Gram matrix is divided by its own
N, which for equal sizes is the same cost.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def gram(maps: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, C, H, W) -> (B, C, C): G_kk' = sum over places of a_k a_k', gathered in fp32; `mask` (B or 1, 1, H, W) weighs places."""
    flat = maps.flatten(2)
    other = flat if mask is None else flat * mask.flatten(2).to(flat.dtype)
    return _product(flat, other.transpose(1, 2))


def _product(a: Tensor, b: Tensor) -> Tensor:
    # autocast would gather the sums in half precision
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float() if a.dtype != torch.float64 else a @ b


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
