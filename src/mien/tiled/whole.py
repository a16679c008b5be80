"""Networks that need the statistics of a whole picture (instance normalisation, AdaIN) on pictures that are computed in tiles.

What a layer's statistics are depends on those of the layers before it, so one pass over the tiles gathers only the first layer's
exactly. A smaller copy of the picture gives a first guess of all of them; each pass gathers all anew, computed with the guess before:
after n passes those of the first n layers are exact, the rest much nearer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.whole import Gathered, Moments, Noted, asked, places
from mien.runtime import Runtime
from mien.tiled.cutting import Plan
from mien.tiled.running import computed

Sense = Callable[[Tensor], object]
"""Runs a network on a picture (1, C, h, w) for the sake of its statistics."""


def noted(net: nn.Module, sense: Sense, small: Tensor, runtime: Runtime) -> list[Moments]:
    """The statistics of a picture that is computed at once."""
    hows = [Noted() for _ in places(net)]
    with asked(net, hows):
        _run(sense, small, runtime)
    return [how.moments for how in hows]


def gathered(net: nn.Module, sense: Sense, planned: Plan, runtime: Runtime, read: Callable[[int, int], Tensor],
             meanwhile: Sequence[Moments]) -> list[Moments]:
    """One pass over the tiles of `planned`: statistics of the whole picture, computed with `meanwhile`; `read` as in `run`.

    Tiles must begin at multiples of the network's deepest stride (`plan(..., align=...)`).
    """
    hows = [Gathered(moments) for moments in meanwhile]
    with asked(net, hows):
        for band in planned.bands:
            rows = read(band.first, band.last)
            for column in planned.columns:
                own = [slice(span.start - span.first, span.stop - span.first) for span in (band, column)]
                for how in hows:
                    how.tile = band.last - band.first, column.last - column.first, own[0], own[1]
                _run(sense, rows[..., column.first:column.last], runtime)
    return [how.moments for how in hows]


def reduced(planned: Plan, read: Callable[[int, int], Tensor], most: int) -> Tensor:
    """The picture made smaller by a whole number, so that it has at most `most` pixels: (1, C, h, w) float; means of blocks."""
    factor = 1
    while planned.height * planned.width > most * factor**2:
        factor += 1
    step = -(-planned.bands[0].stop // factor) * factor
    parts = [F.avg_pool2d(read(top, min(top + step, planned.height)).float(), factor, ceil_mode=True)
             for top in range(0, planned.height, step)]  # fmt: skip
    return torch.cat(parts, -2)


def _run(sense: Sense, x: Tensor, runtime: Runtime) -> None:
    def network(x: Tensor) -> Tensor:
        sense(x)
        return x

    computed(network, x, runtime)
