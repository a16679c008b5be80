"""How far a network looks, from its computed receptive field."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from mien.nn.reach.field import At, Pattern
from mien.nn.trace import trace


def halo(net: nn.Module, shape: tuple[int, int, int] = (3, 48, 48), scale: int = 1,
         run: Callable[[Tensor], object] | None = None) -> int:
    """Pixels of its input around its own that a result of `net` depends on, from its computed receptive field.

    `shape`: of an input it takes; `run`: a function that calls it, as `mien.nn.trace.trace` takes one. ValueError where the last layer
    does not give `scale` times the input's size, or depends on the whole picture, however large (a mean over it, attention).
    """
    last = trace(net, shape, run).layers[-1]
    sides = tuple(scale * side for side in shape[1:])
    if last.shape[-2:] != sides:
        raise ValueError(f"the network gives {last.shape[-2:]} for an input of {shape[1:]}, expected {sides}")
    reach = 0
    for place in last.reach.places:
        if not isinstance(place, At) or place.pattern.stride * scale != 1:
            raise ValueError(f"a result of the network's last layer ({last.name}) depends on the whole picture: it cannot be tiled")
        reach = max(reach, _around(place.pattern, scale))
    return reach


def _around(pattern: Pattern, scale: int) -> int:
    """Pixels to either side, whichever is more, over one period of the result's positions."""
    seen = [(p // scale, *pattern.window(p)) for p in range(math.lcm(len(pattern.lows), scale))]
    return int(max(0, *(own - low for own, low, _ in seen), *(high - own for own, _, high in seen)))
