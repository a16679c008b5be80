"""A trained network on one picture of any size in memory or read in rows: at once, or in tiles with statistics of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from mien.models.stylizers import Stylizer
from mien.nn.alpha import bled
from mien.nn.whole import Kept, Moments, Steady, asked, places
from mien.tasks.stylize.colour import coloured, matched
from mien.tasks.stylize.forward import Forward, Ready
from mien.tiled import Plan, plan
from mien.tiled.whole import Read, reduced, settled

KINDS = {8: torch.uint8, 16: torch.uint16}
COLOURS = 1 << 18
"""Pixels of the copy of a picture that says what colours it has."""


class Look:
    """Pictures of one kind (channels, bits) restyled: `of_pixels` on tiles, `sense` for statistics."""

    def __init__(self, found: Ready, how: Forward, channels: int = 3, depth: int = 8, made: int = 3, made_depth: int = 8) -> None:
        """`channels`, `depth`: of what goes in; `made`, `made_depth`: of what comes out."""
        self.found, self.how, self.stylizer = found, how, found.stylizer
        self.channels, self.depth, self.made, self.made_depth = channels, depth, made, made_depth
        # 8 bits of a float are too few for 16 of a colour
        self.runtime = replace(how.runtime, precision="fp32") if made_depth == 16 else how.runtime

    def plan(self, height: int, width: int) -> Plan:
        """At once or in tiles; all numbers of a plan but the time of `with_passes`."""
        reach, tile = self.stylizer.reach, self.how.tile
        if tile is None and height * width <= reach.at_once:
            tile = max(height, width)
        if tile is not None and tile >= max(height, width):
            return plan(height, width, tile=-(-max(height, width) // reach.step) * reach.step)
        tile = None if tile is None else max(tile // reach.step * reach.step, reach.step)
        pixel = 2 * max(self.channels, self.made) * self.depth // 8
        return plan(height, width, halo=reach.halo, tile=tile, align=reach.step, pixel=pixel)

    def colours(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Stored numbers (1, C, h, w) -> RGB in 0..1, and alpha where there is one; colours have flown out of what is visible."""
        whole = x.float() / (2**self.depth - 1)
        colour, alpha = (whole[:, :-1], whole[:, -1:]) if self.channels in (2, 4) else (whole, None)
        colour = bled(colour, alpha) if alpha is not None else colour
        return colour.expand(-1, 3, -1, -1), alpha

    def of_pixels(self, x: Tensor) -> Tensor:
        """(1, C, h, w) stored numbers -> (1, C', h, w); what is transparent stays so, or lies over white where C' has no alpha."""
        colour, alpha = self.colours(x)
        y = self.stylizer(colour, self.found.shares, self.how.strength).float()
        y = coloured(y, colour) if self.how.keep_colour == "luminance" else y
        if alpha is not None:
            y = torch.cat([y, alpha], 1) if self.made == 4 else 1 + (y.clamp(0, 1) - 1) * alpha
        return (y.clamp(0, 1) * (2**self.made_depth - 1)).round().to(KINDS[self.made_depth])

    def sense(self, x: Tensor) -> None:
        """What statistics need of stored numbers."""
        self.stylizer.sense(self.colours(x)[0], self.found.shares)

    def recoloured(self, planned: Plan, read: Read) -> Look:
        """With style pictures in the content's colours, where that is asked for."""
        if self.how.keep_colour != "histogram":
            return self
        content = self.colours(reduced(planned, read, COLOURS))[0]
        shown = tuple(matched(one, content) for one in self.found.shown)
        found = replace(self.found, stylizer=self.stylizer.pictured(shown, self.stylizer.styles))
        return Look(found, self.how, self.channels, self.depth, self.made, self.made_depth)

    def moments(self, planned: Plan, read: Read, label: str = "", smoothed: Sequence[Steady] = ()) -> list[Moments] | None:
        """Statistics of the whole picture for its tiles, `smoothed` by those of earlier ones; None where it is computed at once."""
        if planned.tiles == 1:
            return None
        return settled(self.stylizer.net, self.sense, planned, self.runtime, read, label, [one.follow for one in smoothed])

    def with_passes(self, planned: Plan) -> Plan:
        """The measured plan with the time that `moments` takes, about."""
        passes = (1 + len(places(self.stylizer.net))) / 2 if planned.tiles > 1 else 0
        return replace(planned, seconds=(1 + passes) * (planned.seconds or 0))


@contextmanager
def kept(stylizer: Stylizer, moments: list[Moments] | None) -> Iterator[None]:
    """Inside, the network takes these statistics; None: those of what it is shown."""
    if moments is None:
        yield
        return
    with asked(stylizer.net, [Kept(one) for one in moments]):
        yield
