"""The pieces of a data set that a unit answers to most (Zeiler & Fergus 2014, figure 2; Girshick et al. 2014, figure 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.explain.layers import Run, outputs

Box = tuple[int, int, int, int]
"""y1, x1, y2, x2 in pixels; may reach over the picture's edge."""
PIXELS, MANY = 2**17, 64
"""Of all pictures of a batch together; pictures in it, at most."""


@dataclass(frozen=True)
class Peak:
    """Where a unit is strongest in one picture."""

    picture: int
    """Number in the data set."""
    at: tuple[int, ...]
    """Position on the layer's map, row first; () where the layer puts out a vector."""
    activation: float


@dataclass(frozen=True)
class Answers:
    """How strongly every unit of one layer answers to each of N pictures, and where."""

    values: Tensor
    """(N, units): each unit's largest activation."""
    places: Tensor
    """(N, units): its place on the map, counted through row by row."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the map of each picture, () where the layer puts out a vector."""

    def best(self, unit: int, count: int) -> list[Peak]:
        """The unit's strongest peaks, one a picture, strongest first."""
        order = self.values[:, unit].topk(min(count, len(self.values))).indices.tolist()
        return [Peak(i, _unravel(int(self.places[i, unit]), self.shapes[i]), float(self.values[i, unit])) for i in order]

    def telling(self, count: int) -> list[int]:
        """Units that answer to a few of the pictures far more than to the others, each for another picture where that is possible.

        By the step from the middle answer to the mean of the upper tenth, in standard deviations.
        """
        upper = self.values.topk(max(len(self.values) // 10, 1), 0).values.mean(0)
        step = (upper - self.values.median(0).values) / (self.values.std(0, correction=0) + 1e-6)
        order, favourite = step.sort(descending=True).indices.tolist(), self.values.argmax(0).tolist()
        first: dict[int, int] = {}
        for unit in order:
            first.setdefault(favourite[unit], unit)
        apart = list(first.values())
        return (apart + [unit for unit in order if unit not in set(apart)])[:count]


@torch.no_grad()
def answers(run: Run, layers: Sequence[nn.Module], pictures: Sequence[Tensor] | Tensor,
            done: Callable[[int], None] = lambda count: None) -> list[Answers]:
    """What each of `layers` answers to pictures (C, H, W) uint8 of any sizes the network takes: one pass through it for all.

    `done` is told how many pictures more have been looked at.
    """
    kept: list[list[tuple[Tensor, Tensor, tuple[int, ...]]]] = [[] for _ in layers]
    for part in _batches(pictures):
        for own, features in zip(kept, outputs(run, layers, part.float() / 255), strict=True):
            shape = tuple(features.shape[2:])
            value, place = features.flatten(2).max(-1) if shape else (features, torch.zeros_like(features, dtype=torch.long))
            own.append((value, place, shape))
        done(len(part))
    return [Answers(torch.cat([value for value, _, _ in own]), torch.cat([place for _, place, _ in own]),
                    tuple(shape for value, _, shape in own for _ in value)) for own in kept]  # fmt: skip


def _batches(pictures: Sequence[Tensor] | Tensor) -> Iterator[Tensor]:
    """Neighbours of one size together, as many as `PIXELS` allow."""
    for size, same in groupby(pictures, key=lambda one: one.shape):
        together, many = list(same), min(max(PIXELS // (size[-1] * size[-2]), 1), MANY)
        for start in range(0, len(together), many):
            yield torch.stack(together[start:start + many])


def peaks(run: Run, layer: nn.Module, pictures: Tensor, units: Sequence[int], count: int = 9) -> list[list[Peak]]:
    """For each unit its `count` strongest peaks over pictures (N, C, H, W) uint8, one a picture, strongest first."""
    found = answers(run, [layer], pictures)[0]
    return [found.best(unit, count) for unit in units]


def _unravel(place: int, shape: Sequence[int]) -> tuple[int, ...]:
    at = []
    for side in reversed(shape):
        place, here = divmod(place, side)
        at.insert(0, here)
    return tuple(at)


def cut(picture: Tensor, box: Box, fill: float = 0.5) -> Tensor:
    """(C, H, W) -> (C, y2 - y1, x2 - x1): what the unit sees, `fill` outside the picture."""
    y1, x1, y2, x2 = box
    height, width = picture.shape[-2:]
    inside = picture[:, max(y1, 0):max(min(y2, height), 0), max(x1, 0):max(min(x2, width), 0)]
    assert inside.numel() > 0, "a unit sees at least one pixel"
    return F.pad(inside, (max(-x1, 0), max(x2 - width, 0), max(-y1, 0), max(y2 - height, 0)), value=fill)
