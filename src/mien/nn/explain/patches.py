"""The pieces of a data set that a unit answers to most (Zeiler & Fergus 2014, figure 2; Girshick et al. 2014, figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.explain.layers import Run, outputs

Box = tuple[int, int, int, int]
"""y1, x1, y2, x2 in pixels; may reach over the picture's edge."""


@dataclass(frozen=True)
class Peak:
    """Where a unit is strongest in one picture."""

    picture: int
    """Number in the data set."""
    at: tuple[int, ...]
    """Position on the layer's map, row first; () where the layer puts out a vector."""
    activation: float


@torch.no_grad()
def peaks(run: Run, layer: nn.Module, pictures: Tensor, units: Sequence[int], count: int = 9, batch: int = 64) -> list[list[Peak]]:
    """For each unit its `count` strongest peaks over pictures (N, C, H, W) uint8, one a picture, strongest first."""
    values, places, shape = [], [], ()
    for part in pictures.split(batch):
        features = outputs(run, [layer], part.float() / 255)[0][:, list(units)]
        shape = features.shape[2:]
        value, place = features.flatten(2).max(-1) if shape else (features, torch.zeros_like(features, dtype=torch.long))
        values.append(value)
        places.append(place)
    value, place = torch.cat(values), torch.cat(places)
    best = value.topk(min(count, len(value)), dim=0).indices
    return [[Peak(int(i), _unravel(int(place[i, k]), shape), float(value[i, k])) for i in best[:, k]] for k in range(len(units))]


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
