"""mien's own network against reshaped and swapped faces: a verdict, a field and its reliability from one pass, small enough for a CPU.

Bent pixels leave two kinds of trace: resampling, which lives in the finest detail and is local, and shapes that faces do not have. The
first convolution reads every pixel but answers at every second alone, a residual body looks at ever larger parts, and a feature
pyramid (Lin et al. 2017, arXiv 1612.03144) brings both together at an eighth of the size, where the field is told.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.layers import conv_norm
from mien.models.mien_face import residual, unit

CLASSES = ("original", "reshaped", "swapped")
WIDTHS, DEPTHS = (32, 64, 96, 128), (0, 1, 1, 1)
"""Channels and residual blocks at a quarter, an eighth, a 16th and a 32nd of the size."""
HALF, PYRAMID, HIDDEN = 16, 32, 128
"""Channels at half the size and of the pyramid; width of the verdict's hidden layer."""
NEAR = 1.0
"""Pixels: reliability is the chance that the told displacement is off by less."""


class Inspected(NamedTuple):
    """What the network says of B crops of S x S pixels."""

    logits: Tensor
    """(B, 3), in the order of `CLASSES`."""
    field: Tensor
    """(B, 2, S, S), x then y: content now at p came from p + field(p), in pixels of the crop."""
    reliability: Tensor
    """(B, 1, S, S) logit of the field being off by less than `NEAR` pixels."""


class Coarse(NamedTuple):
    """What it is trained by, at an eighth of the size."""

    logits: Tensor
    """(B, 3)."""
    field: Tensor
    """(B, 2, S / 8, S / 8), in pixels of the crop."""
    spread: Tensor
    """(B, 1, S / 8, S / 8): the logarithm of the field's expected error in pixels."""
    moved: Tensor
    """(B, 1, S / 8, S / 8): logit of the content there having been moved at all; the verdict looks at it."""


class Inspector(nn.Module):
    """(B, 3, S, S) RGB in 0..1, upright and unaligned -> `Inspected`; S is 400 and may be any multiple of 16."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS, half: int = HALF) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, half, 5, 2), unit(half, widths[0], 3, 2))
        stages = [nn.Sequential(*(residual(widths[0]) for _ in range(depths[0])))]
        for c_in, c_out, depth in zip(widths[:-1], widths[1:], depths[1:], strict=True):
            stages.append(nn.Sequential(unit(c_in, c_out, 3, 2), *(residual(c_out) for _ in range(depth))))
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(nn.Sequential(*conv_norm(width, PYRAMID)) for width in widths[1:])
        self.merge = nn.ModuleList(unit(PYRAMID, PYRAMID) for _ in widths[2:])
        self.told = nn.Conv2d(PYRAMID, 4, 3, padding=1)
        nn.init.zeros_(self.told.weight)
        self.verdict = nn.Sequential(nn.Linear(2 * PYRAMID + 2 * widths[-1] + 4, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(CLASSES)))

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.told, self.verdict

    def coarse(self, x: Tensor) -> Coarse:
        """(B, 3, S, S) -> the same before it is enlarged."""
        x, maps = self.stem(x * 2 - 1), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        sides = [lateral(part) for lateral, part in zip(self.lateral, maps[1:], strict=True)]
        y = sides.pop()
        for merge in self.merge:
            side = sides.pop()
            y = merge(side + F.interpolate(y, size=side.shape[-2:], mode="bilinear", align_corners=False))
        told = self.told(y)
        field, spread, moved = told[:, :2], told[:, 2:3].clamp(-4, 4), told[:, 3:]
        size = (field.detach().square().sum(1, keepdim=True) + 1e-6).sqrt()
        pooled = [part for seen in (y, x, size, moved) for part in (seen.mean((2, 3)), seen.amax((2, 3)))]
        return Coarse(self.verdict(torch.cat(pooled, 1)), field, spread, moved)

    def forward(self, x: Tensor) -> Inspected:
        """The same at full size; an error that is e on average lies below t in 1 - exp(-t / e) of the cases."""
        logits, field, spread, _ = self.coarse(x)
        told = F.interpolate(torch.cat([field, spread], 1), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return Inspected(logits, told[:, :2], torch.log(torch.expm1(NEAR * torch.exp(-told[:, 2:]))))
