"""A photo of a turned head bent over a face: what it hardly shows of one side is taken from its mirror image.

Where few of the photo's pixels have to cover many, a bent photo is smeared. Its mirror image shows the other side there, densely: the
two sides of a face are much alike, their lights are not, so detail is the mirror image's, coarse brightness and colour are continued
from where the photo shows the face well.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mien.faces.bending import bent, grid, mirrored_points, softened

COARSE = 64
"""Pixels a side at which is found who shows what how densely, and in which light."""
DENSER = 2.0
"""The mirror image is taken half where it shows a place so many times as densely, not at all from the root of that down."""
EDGE, LIGHT = 0.06, 0.12
"""Of the window: over how much one gives way to the other, and how coarse is what of the light is the photo's."""


def density(source: Tensor, target: Tensor, size: int = COARSE) -> Tensor:
    """Points (B, 77, 2) in windows, and where they go -> (B, 1, size, size): area of the source shown by an area of the result."""
    where = grid(source, target, size)
    right = F.pad((where[:, :, 2:] - where[:, :, :-2]).permute(0, 3, 1, 2), (1, 1, 0, 0), mode="replicate")
    down = F.pad((where[:, 2:] - where[:, :-2]).permute(0, 3, 1, 2), (0, 0, 1, 1), mode="replicate")
    cross = right[:, :1] * down[:, 1:] - right[:, 1:] * down[:, :1]
    return cross * (size / 4) ** 2  # both steps are of two pixels, and the grid's 2 are a window


def shares(source: Tensor, target: Tensor) -> Tensor:
    """(B, 77, 2) twice -> (B, 1, COARSE, COARSE) in 0..1: how much of each place the mirror image should show."""
    own, other = (density(points, target).clamp_min(1e-3) for points in (source, mirrored_points(source)))
    return softened(((other / own).log() / math.log(DENSER) - 0.5).clamp(0, 1), EDGE * COARSE)


def bent_both(photo: Tensor, source: Tensor, target: Tensor, size: int, cover: float = 1.0) -> Tensor:
    """As `mien.faces.bending.bent`, sharp, with the other side's detail where this one is stretched: (B, 3, size, size) in 0..1."""
    own, share = bent(photo, source, target, size, cover, sharp=True), shares(source, target)
    if not share.any():
        return own
    other = bent(photo.flip(3), mirrored_points(source), target, size, cover, sharp=True)
    small = (F.interpolate(x, size=(COARSE, COARSE), mode="area") for x in (own, other))
    lights = [_light(x, trust) for x, trust in zip(small, (1 - share, torch.ones_like(share)), strict=True)]
    change = F.interpolate(lights[0] - lights[1], size=(size, size), mode="bilinear", align_corners=False)
    share = F.interpolate(share, size=(size, size), mode="bilinear", align_corners=False)
    return torch.lerp(own, (other + change).clamp(0, 1), share)


def _light(x: Tensor, trust: Tensor) -> Tensor:
    """(B, 3, S, S) and where it counts (B, 1, S, S) -> its coarse brightness and colour there, and continued beyond."""
    parts = torch.cat([x * trust, trust], 1)
    soft = softened(parts.flatten(0, 1)[:, None], LIGHT * x.shape[-1]).view_as(parts)
    return soft[:, :3] / soft[:, 3:].clamp_min(1e-3)
