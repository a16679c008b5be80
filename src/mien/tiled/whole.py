"""Networks that need the statistics of a whole picture (instance normalisation, AdaIN) on pictures that are computed in tiles.

What a place's statistics are depends on those of the places before it. So they are gathered one place after the other, each in a pass
over the tiles that ends where that place is: exact, for half the time of as many runs as there are places. Memory is that of a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.whole import Enough, Gathered, Kept, Moments, asked, places
from mien.progress import Progress
from mien.runtime import Runtime
from mien.tiled.cutting import Plan, Span
from mien.tiled.running import computed

Read = Callable[[int, int], Tensor]
"""Rows (1, C, n, W) of a picture, from `top` to `bottom`."""
Sense = Callable[[Tensor], object]
"""Runs a network on a picture (1, C, h, w) for the sake of its statistics."""


def settled(net: nn.Module, sense: Sense, planned: Plan, runtime: Runtime, read: Read, label: str = "",
            then: Sequence[Callable[[Moments], Moments]] = ()) -> list[Moments]:
    """The statistics of a whole picture at every place of `net` that needs them, as if it were computed at once.

    Tiles must begin at multiples of the network's deepest stride (`plan(..., align=...)`). `label`: what the progress is called; none
    is shown without. `then`: for each place what becomes of its statistics before those behind it are gathered.
    """
    parts = places(net)
    known: dict[int, Moments] = {}
    bar = Progress(label, len(parts) * len(planned.bands), "rows of tiles") if label else None
    if bar is not None:
        bar.__enter__()
    try:
        while len(known) < len(parts):
            hows = [Kept(known[number]) if number in known else Gathered() for number in range(len(parts))]
            with asked(net, hows):
                for top in planned.bands:
                    _row(sense, planned, runtime, read, hows, top)
                    if bar is not None:
                        bar.advance()
            number, how = next((number, how) for number, how in enumerate(hows) if isinstance(how, Gathered) and how.count)
            known[number] = then[number](how.moments) if then else how.moments
    finally:
        if bar is not None:
            bar.__exit__(None, None, None)
    return [known[number] for number in range(len(parts))]


def reduced(planned: Plan, read: Read, most: int) -> Tensor:
    """The picture made smaller by a whole number, so that it has at most `most` pixels: (1, C, h, w) float; means of blocks."""
    factor = 1
    while planned.height * planned.width > most * factor**2:
        factor += 1
    step = -(-planned.bands[0].stop // factor) * factor
    parts = [F.avg_pool2d(read(top, min(top + step, planned.height)).float(), factor, ceil_mode=True)
             for top in range(0, planned.height, step)]  # fmt: skip
    return torch.cat(parts, -2)


def _row(sense: Sense, planned: Plan, runtime: Runtime, read: Read, hows: list[Kept | Gathered], band: Span) -> None:
    rows = read(band.first, band.last)
    for column in planned.columns:
        own = [slice(span.start - span.first, span.stop - span.first) for span in (band, column)]
        for how in hows:
            if isinstance(how, Gathered):
                how.tile = band.last - band.first, column.last - column.first, own[0], own[1]

        def network(x: Tensor) -> Tensor:
            with suppress(Enough):
                sense(x)
            return x

        computed(network, rows[..., column.first:column.last], runtime)
