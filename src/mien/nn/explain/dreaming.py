"""What a unit looks for, as a picture: which places of its map count, how large a canvas it needs, and what of it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.nn import trace
from mien.nn.explain.field import box
from mien.nn.explain.layers import Layer, Run, outputs
from mien.nn.explain.maximise import Ascent, maximise
from mien.nn.explain.patches import cut

SMALLEST, LARGE_MAP, SMALL_FIELD = 48, 8, 16
"""Pixels a side of a dream; positions a side from which the middle of a map counts alone; pixels up to which one place does."""
FIELDS = 6
"""Receptive fields a side."""
RIM = 28
"""Which part of a whole canvas is left out on each side: what appears there answers to padding."""


def dream(run: Run, module: nn.Module, layer: Layer, row: trace.Layer | None, shape: tuple[int, int, int], units: Sequence[int],
          how: Ascent, most: int | None = None) -> list[Tensor]:
    """(C, h, w) pictures in 0..1, one of `units` each, that excite it most.

    A unit that sees little counts at one place, and just what it sees there is shown. Another unit of a map counts by its mean
    over the middle half, where padding is far, and the middle half of the picture is shown. `row`: the traced row of the layer;
    `shape`: of the pictures that `layer` was found with; `most`: pixels a side of the canvas, at most.
    """
    channels, _, own = shape
    side = canvas(run, module, row, shape, own if most is None else min(own, most))
    length = layer.shape[-1] * side // own if layer.is_map else 1
    one_place = row is not None and row.is_map and max(row.field) <= SMALL_FIELD
    edge = length // 2 if one_place else length // 4 if length >= LARGE_MAP else 0

    def objective(made: Tensor) -> Tensor:
        features = outputs(run, [module], made)[0]
        picked = torch.stack([features[i, unit] for i, unit in enumerate(units)])
        if one_place:
            return picked[:, edge, edge]
        return (picked[:, edge:-edge, edge:-edge] if edge else picked).flatten(1).mean(1) if picked.ndim > 1 else picked

    made = maximise(objective, len(units), (channels, side, side), how)
    if one_place and row is not None:
        return [cut(one, box(row, (edge, edge))) for one in made]
    margin = side // 4 if edge else side // RIM if layer.is_map else 0
    return list(made[:, :, margin:side - margin, margin:side - margin])


def canvas(run: Run, module: nn.Module, row: trace.Layer | None, shape: tuple[int, int, int], most: int) -> int:
    """Pixels a side for a dream: six receptive fields, within `SMALLEST` and `most`; its own where the network takes no other."""
    channels, _, own = shape
    if row is None or not row.is_map:
        return own
    side = min(most, max(SMALLEST, FIELDS * max(row.field)) // 16 * 16)
    try:
        outputs(run, [module], torch.zeros(1, channels, side, side))
    except (RuntimeError, ValueError, AssertionError):
        return own
    return side


def stretched(picture: Tensor) -> Tensor:
    """(C, H, W) with its darkest and brightest hundredth at 0 and 1."""
    low, high = picture.flatten().quantile(0.01), picture.flatten().quantile(0.99)
    return (picture - low) / (high - low).clamp(min=1e-6)
