"""Colours under transparency."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

RINGS = 4
"""Pixels by which colours flow: as far as an enlarged half-transparent pixel looks, with room to spare."""


def bled(colour: Tensor, alpha: Tensor, rings: int = RINGS) -> Tensor:
    """Let colours flow from visible pixels into fully transparent ones, whose own is arbitrary and would show at edges.

    (B, C, H, W) straight colours and (B, 1, H, W) alpha in 0..1 -> (B, C, H, W); each of `rings` rounds fills the pixels beside those
    that have a colour, with the mean of theirs.
    """
    known = (alpha > 0).to(colour.dtype)
    for _ in range(rings):
        weight = F.avg_pool2d(known, 3, 1, 1, divisor_override=1)
        mean = F.avg_pool2d(colour * known, 3, 1, 1, divisor_override=1) / weight.clamp(min=1)
        reached = (weight > 0).to(colour.dtype)
        colour = colour * known + mean * (1 - known) * reached + colour * (1 - known) * (1 - reached)
        known = reached
    return colour
