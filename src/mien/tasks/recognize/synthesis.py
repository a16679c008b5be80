"""Faces of people who do not exist: two aligned faces mixed, their proportions bent; a teacher says what numbers they have.

A few thousand people are too few to learn a space of faces from by their own photos; mixtures of them fill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

WIDE, PADDING = 190, 0.45
"""Pixels and padding of the stored chips: as large on the face as dlib's 150 at 0.25, with room around it."""
CHIP = 150
"""Pixels of the teacher's view in the middle of them."""
MIXED, PARTED = 0.35, 0.25
"""Share of faces that are a mean of two, and that take some regions from one and some from another."""
BENT, BEND, STRETCH = 0.7, 0.035, 0.02
"""Share of faces whose proportions change, how far at most (of the chip's half), and the spread of width and height."""
GLASSES, COVERED, SIDE_LIT = 0.08, 0.08, 0.15
"""Shares of faces behind dark glasses, behind a hand or a hair or a cap (a smooth patch of one colour), and lit from one side."""
EYES, REACH = ((67.5, 64.0), (122.5, 64.0)), 27.0
"""Pixels of the eyes on the wide chip (x, y), and half the width of a glass."""
GREY = 0.02
"""Mean difference of the colours under which a picture counts as black and white."""


@dataclass(frozen=True)
class People:
    """Wide chips (N, 3, 190, 190) uint8 and whose they are."""

    chips: Tensor
    person: np.ndarray
    """(N,) names."""

    def draw(self, count: int, random: np.random.Generator) -> np.ndarray:
        """(count,) places: people by the root of how many photos they have (at most 12), then any of these."""
        names, start, photos = np.unique(self.person[self.order], return_index=True, return_counts=True)
        weight = np.minimum(photos, 12) ** 0.5
        chosen = random.choice(len(names), count, p=weight / weight.sum())
        return self.order[start[chosen] + (random.random(count) * photos[chosen]).astype(int)]

    @cached_property
    def order(self) -> np.ndarray:
        """Places sorted by person."""
        return np.argsort(self.person, kind="stable")


def new_faces(people: People, count: int, random: np.random.Generator, rng: Generator) -> Tensor:
    """(count, 3, 190, 190) in 0..1: as they are, mixed, in parts from two, and most of them bent."""
    first, second = (_coloured(people.chips[people.draw(count, random)], random, rng) for _ in range(2))
    kind = torch.from_numpy(random.random(count))
    share = torch.zeros(count, 1, WIDE, WIDE)
    mixed, parted = kind < MIXED, (kind >= MIXED) & (kind < MIXED + PARTED)
    share[mixed] = torch.from_numpy(random.uniform(0.3, 0.7, int(mixed.sum()))).float().view(-1, 1, 1, 1)
    share[parted] = torch.sigmoid(6 * _smooth(int(parted.sum()), 1, 4, rng))
    bent = _bent(first * (1 - share) + _like(second, first) * share, random, rng)
    return _hidden(_lit(bent, random, rng), random, rng)


def teachers_view(faces: Tensor) -> Tensor:
    """(N, 3, 190, 190) -> the (N, 3, 150, 150) in the middle."""
    edge = (WIDE - CHIP) // 2
    return faces[:, :, edge:-edge, edge:-edge].contiguous()


def _coloured(chips: Tensor, random: np.random.Generator, rng: Generator) -> Tensor:
    """(N, 3, H, W) uint8 -> 0..1, half of them mirrored; black-and-white ones tinted like skin: the teacher knows colour photos."""
    x = chips.float() / 255
    mirrored = torch.from_numpy(random.random(len(x)) < 0.5)
    x[mirrored] = x[mirrored].flip(-1)
    grey = (x.amax(1) - x.amin(1)).mean((1, 2)) < GREY
    tint = torch.rand(int(grey.sum()), 3, 1, 1, generator=rng) * torch.tensor([0.25, 0.08, -0.2]).view(1, 3, 1, 1)
    x[grey] = x[grey] * (1 + tint)
    return x.clamp(0, 1)


def _like(x: Tensor, other: Tensor) -> Tensor:
    """`x` with the mean and spread of `other`'s colours."""
    (mean, spread), (to, wide) = ((y.mean((2, 3), keepdim=True), y.std((2, 3), keepdim=True)) for y in (x, other))
    return ((x - mean) / (spread + 1e-3) * wide + to).clamp(0, 1)


def _smooth(count: int, channels: int, cells: int, rng: Generator) -> Tensor:
    """(count, channels, 190, 190) normal numbers on a coarse grid, interpolated."""
    coarse = torch.randn(count, channels, cells, cells, generator=rng)
    return F.interpolate(coarse, size=(WIDE, WIDE), mode="bicubic", align_corners=True)


def _bent(x: Tensor, random: np.random.Generator, rng: Generator) -> Tensor:
    """Other proportions: a smooth displacement, and a little wider or taller."""
    count = len(x)
    far = np.where(random.random(count) < BENT, random.uniform(0, BEND, count), 0)
    moved = _smooth(count, 2, 5, rng).permute(0, 2, 3, 1) * torch.from_numpy(2 * far).float().view(-1, 1, 1, 1)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, [0, 1], [0, 1]] = 1 + torch.randn(count, 2, generator=rng) * STRETCH
    grid = F.affine_grid(matrix, [count, 1, WIDE, WIDE], align_corners=False) + moved
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _lit(x: Tensor, random: np.random.Generator, rng: Generator) -> Tensor:
    """Some faces half in the dark: a ramp of light across them, down to a tenth, and a gamma."""
    some = torch.from_numpy(random.random(len(x)) < SIDE_LIT)
    count = int(some.sum())
    angle, steep = torch.rand(count, 1, 1, generator=rng) * 2 * torch.pi, 2 + 6 * torch.rand(count, 1, 1, generator=rng)
    ramp = torch.linspace(-1, 1, WIDE)
    side = torch.sigmoid(steep * (ramp * angle.cos() + ramp[:, None] * angle.sin() * 0.5))
    least = 0.1 + 0.5 * torch.rand(count, 1, 1, generator=rng)
    x[some] = (x[some] * (least + (1.2 - least) * side)[:, None]).clamp(0, 1)
    return x


def _hidden(x: Tensor, random: np.random.Generator, rng: Generator) -> Tensor:
    """Some faces behind dark glasses, some partly behind a smooth patch."""
    glasses, covered = (torch.from_numpy(random.random(len(x)) < share) for share in (GLASSES, COVERED))
    even = lambda count: torch.rand(count, 1, 1, 1, generator=rng)
    count = int(glasses.sum())
    colour = torch.rand(count, 3, 1, 1, generator=rng) * 0.15 + 0.2 * even(count) ** 2
    shine = 1 + 0.8 * torch.linspace(1, -1, WIDE).view(1, 1, -1, 1) * even(count)
    cover = _glass(count, rng) * (0.75 + 0.25 * even(count))
    x[glasses] = x[glasses] * (1 - cover) + (colour * shine).clamp(0, 1) * cover
    count = int(covered.sum())
    place = torch.sigmoid(12 * (_smooth(count, 1, 4, rng) - 0.7 - 0.5 * even(count)))
    colour = (torch.rand(count, 3, 1, 1, generator=rng) + 0.1 * _smooth(count, 1, 12, rng)).clamp(0, 1)
    x[covered] = x[covered] * (1 - place) + colour * place
    return x


def _glass(count: int, rng: Generator) -> Tensor:
    """(count, 1, 190, 190): 1 behind two glasses of some width, height and roundness and the bridge between them, 0 elsewhere."""
    even = lambda: torch.rand(count, 1, 1, generator=rng)
    x, y = torch.arange(WIDE).view(1, 1, -1), torch.arange(WIDE).view(1, -1, 1)
    wide, high, power = REACH * (0.75 + 0.4 * even()), REACH * (0.45 + 0.5 * even()), 2 + 4 * even()
    tilt, lower = 0.1 * even() - 0.05, 8 * even()
    level = y - lower - tilt * (x - WIDE / 2)
    inside = [1 - ((x - ex).abs() / wide) ** power - ((level - ey).abs() / high) ** power for ex, ey in EYES]
    bridge = torch.where((x > EYES[0][0]) & (x < EYES[1][0]), 1 - ((level - EYES[0][1] + high / 2) / 2) ** 2, -1.0)
    return torch.sigmoid(8 * torch.stack([*inside, bridge.expand_as(inside[0])]).amax(0))[:, None]
