"""Means and deviations over a whole picture, for networks that are run on it tile by tile or frame by frame.

Instance normalisation and AdaIN depend on all places at once. A network that takes its statistics from `Statistics` can be asked for
them in other ways: gathered over tiles, kept from an earlier pass, smoothed over the frames of a video.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mien.nn.style import statistics

EPSILON = 1e-5
Moments = tuple[Tensor, Tensor]
"""Mean and deviation, (B or 1, C, 1, 1) each, fp32."""


class Statistics(nn.Module):
    """(B, C, H, W) -> mean and deviation of each channel, of these very maps unless `how` says otherwise."""

    how: Callable[[Tensor], Moments] | None = None

    def forward(self, maps: Tensor) -> Moments:
        """(B, C, 1, 1) each, fp32."""
        return self.how(maps) if self.how else statistics(maps, EPSILON)


def places(net: nn.Module) -> list[Statistics]:
    """Where `net` needs statistics, in the order it was built."""
    return [part for part in net.modules() if isinstance(part, Statistics)]


@contextmanager
def asked(net: nn.Module, hows: Sequence[Callable[[Tensor], Moments]]) -> Iterator[None]:
    """Inside, each of the network's `places` asks its own of `hows`."""
    parts = places(net)
    before = [part.how for part in parts]
    try:
        for part, how in zip(parts, hows, strict=True):
            part.how = how
        yield
    finally:
        for part, how in zip(parts, before, strict=True):
            part.how = how


class Kept:
    """The same moments whatever is shown."""

    def __init__(self, moments: Moments) -> None:
        self.moments = moments

    def __call__(self, maps: Tensor) -> Moments:
        """Those kept."""
        return self.moments


class Enough(Exception):  # noqa: N818 - nothing went wrong
    """Raised once a tile's sums are taken: what comes behind needs what is being gathered."""


class Gathered:
    """Sums over the tiles of a picture; each pixel counts once. Raises `Enough` when it has a tile's.

    Before every tile say in `tile` what it is: its height and width, and the rows and columns that are its own, in pixels; these begin
    and, within the picture, end at multiples of the stride of any maps.
    """

    tile: tuple[int, int, slice, slice]

    def __init__(self) -> None:
        self.count = 0
        """Places seen."""
        self._sum, self._square, self._near = torch.zeros(()), torch.zeros(()), torch.zeros(())

    def __call__(self, maps: Tensor) -> Moments:
        """(1, C, h, w) of a tile."""
        parts = zip(self.tile[:2], maps.shape[-2:], self.tile[2:], strict=True)
        rows, columns = (_at(own, side, places) for side, places, own in parts)
        own = maps[..., rows, columns].float()
        if not self.count:  # relative to a mean nearby: a sum of squares of large numbers would lose the deviation
            self._near = own.mean((2, 3), keepdim=True)
        own = own - self._near
        self.count += own.shape[-1] * own.shape[-2]
        self._sum = self._sum + own.sum((2, 3), keepdim=True).cpu().double()
        self._square = self._square + own.square().sum((2, 3), keepdim=True).cpu().double()
        raise Enough

    @property
    def moments(self) -> Moments:
        """Of all tiles seen."""
        mean, near = self._sum / self.count, self._near
        spread = (self._square / self.count - mean.square()).clamp_min(0)
        return (mean + near.cpu()).float().to(near.device), (spread + EPSILON).sqrt().float().to(near.device)


def _at(own: slice, side: int, places: int) -> slice:
    """Pixels of a tile `side` long -> places of its maps; the last tile's maps may reach beyond the picture."""
    stride = 2 ** round(math.log2(side / places))
    return slice(own.start // stride, places if own.stop >= side else own.stop // stride)


class Steady:
    """Moments of frames one after the other, smoothed: a share `keep` of what was, the rest of what is. The first frame sets them."""

    def __init__(self, keep: float = 0.9) -> None:
        self.keep = keep
        self.moments: Moments | None = None

    def __call__(self, maps: Tensor) -> Moments:
        """(B, C, H, W), B frames in order -> theirs, (B, C, 1, 1)."""
        found = [self.follow((mean[None], spread[None])) for mean, spread in zip(*statistics(maps, EPSILON), strict=True)]
        means, spreads = zip(*found, strict=True)
        return torch.cat(means), torch.cat(spreads)

    def follow(self, now: Moments) -> Moments:
        """The next frame's own moments, (1, C, 1, 1) -> the smoothed ones."""
        before = self.moments or now
        mean, spread = (new.lerp(old, self.keep) for new, old in zip(now, before, strict=True))
        self.moments = mean, spread
        return self.moments
