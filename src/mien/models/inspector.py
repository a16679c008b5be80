"""mien's own network against reshaped and swapped faces: a verdict, a field and its reliability from one pass, small enough for a CPU.

Bent pixels leave two kinds of trace: resampling, which lives in the finest detail and is local, and shapes that faces do not have. So
beside the colours the network is given what eight fixed high-pass filters leave of the brightness (Fridrich and Kodovsky 2012, "Rich
models for steganalysis"), and how strong that is in each cell of 4 x 4 pixels: interpolation takes strength away. A residual body
looks at ever larger parts, and a feature pyramid (Lin et al. 2017, arXiv 1612.03144) brings both together at an eighth of the size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.layers import conv_norm
from mien.models.mien_face import BT601, residual, unit

CLASSES = ("original", "reshaped", "swapped")
ORIGINAL, RESHAPED, SWAPPED = range(len(CLASSES))
WIDTHS, DEPTHS = (32, 64, 96, 128), (0, 1, 1, 1)
"""Channels and residual blocks at a quarter, an eighth, a 16th and a 32nd of the size."""
PYRAMID, HIDDEN = 32, 128
"""Channels of the pyramid; width of the verdict's hidden layer."""
CELL, CLIP, FLOOR = 4, 0.1, 1e-3
"""Pixels of a cell's side; beyond `CLIP` a residual is an edge, not a trace; strengths are not told apart far below `FLOOR`."""
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
    moved: Tensor
    """(B, 1, S, S) logit of the content there having been moved at all."""


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


def high_pass() -> Tensor:
    """(8, 1, 5, 5): first and second differences in the four directions, squares of 3 and 5 pixels; each sums to 0."""
    found = torch.zeros(8, 5, 5)
    found[0, 2, 2:4], found[1, 2:4, 2] = torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])
    second = torch.tensor([0.5, -1.0, 0.5])
    found[2, 2, 1:4], found[3, 1:4, 2] = second, second
    found[4, 1:4, 1:4] = -4 * second[:, None] * second
    fourth = torch.tensor([-1.0, 4.0, -6.0, 4.0, -1.0])
    found[5] = (fourth[:, None] * fourth) / 36
    found[6, 1:4, 1:4] = torch.diag(second)
    found[7] = found[6].flip(1)
    return found[:, None]


class Residuals(nn.Module):
    """(B, 3, H, W) in 0..1 -> (B, 8, H, W) in -1..1: what `high_pass` leaves of the brightness, clipped; nothing here is learnt."""

    kernel: Tensor
    share: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", high_pass(), persistent=False)
        self.register_buffer("share", torch.tensor(BT601).view(1, 3, 1, 1), persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """The border is repeated. Never in bf16, which would round a brightness by up to half a grey level: as much as a trace."""
        brightness = (x * self.share).sum(1, keepdim=True)
        with torch.autocast("cpu" if x.is_meta else x.device.type, enabled=False):
            return (F.conv2d(F.pad(brightness, (2, 2, 2, 2), mode="replicate"), self.kernel) / CLIP).clamp(-1, 1)


class Inspector(nn.Module):
    """(B, 3, S, S) RGB in 0..1, upright and unaligned -> `Inspected`; S is any multiple of 16."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.residuals = Residuals()
        kinds = len(self.residuals.kernel)
        own = widths[0] - kinds
        self.stem = nn.Sequential(nn.Conv2d(3 + kinds, own, CELL, CELL, bias=False), nn.BatchNorm2d(own), nn.ReLU())
        self.strength = nn.BatchNorm2d(kinds)
        stages = [nn.Sequential(*(residual(widths[0]) for _ in range(depths[0])))]
        for c_in, c_out, depth in zip(widths[:-1], widths[1:], depths[1:], strict=True):
            stages.append(nn.Sequential(unit(c_in, c_out, 3, 2), *(residual(c_out) for _ in range(depth))))
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(nn.Sequential(*conv_norm(width, PYRAMID)) for width in widths[1:])
        self.merge = nn.ModuleList(unit(PYRAMID, PYRAMID) for _ in widths[2:])
        self.told = nn.Conv2d(PYRAMID, 4, 3, padding=1)
        nn.init.zeros_(self.told.weight)
        seen = 2 * (PYRAMID + widths[-1] + kinds) + 4
        self.verdict = nn.Sequential(nn.Linear(seen, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(CLASSES)))

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.told, self.verdict

    def coarse(self, x: Tensor) -> Coarse:
        """(B, 3, S, S) -> the same before it is enlarged."""
        left, maps = self.residuals(x), []
        strength = self.strength(torch.log(F.avg_pool2d(left.abs(), CELL) + FLOOR / CLIP))
        x = torch.cat([self.stem(torch.cat([x * 2 - 1, left], 1)), strength], 1)
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
        pooled += [strength.mean((2, 3)), strength.std((2, 3))]
        return Coarse(self.verdict(torch.cat(pooled, 1)), field, spread, moved)

    def forward(self, x: Tensor) -> Inspected:
        """The same at full size; an error that is e on average lies below t in 1 - exp(-t / e) of the cases."""
        logits, *maps = self.coarse(x)
        told = F.interpolate(torch.cat(maps, 1), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return Inspected(logits, told[:, :2], torch.log(torch.expm1(NEAR * torch.exp(-told[:, 2:3]))), told[:, 3:])
