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


class Noted:
    """What the maps' own moments were, `moments` afterwards."""

    moments: Moments

    def __call__(self, maps: Tensor) -> Moments:
        """(B, C, H, W) -> their own."""
        self.moments = statistics(maps, EPSILON)
        return self.moments


class Gathered:
    """Sums over the tiles of a picture; while they are gathered, `meanwhile` is answered. Each pixel counts once.

    Before every tile say in `tile` what it is: its height and width, and the rows and columns that are its own, in pixels; these begin
    and, within the picture, end at multiples of the stride of any maps.
    """

    tile: tuple[int, int, slice, slice]

    def __init__(self, meanwhile: Moments) -> None:
        self.meanwhile = meanwhile
        self._count, self._sum, self._square = 0, torch.zeros(()), torch.zeros(())

    def __call__(self, maps: Tensor) -> Moments:
        """(1, C, h, w) of a tile."""
        parts = zip(self.tile[:2], maps.shape[-2:], self.tile[2:], strict=True)
        rows, columns = (_at(own, side, places) for side, places, own in parts)
        # relative to what is expected: a sum of squares of large numbers would lose the deviation
        own = maps[..., rows, columns].float() - self.meanwhile[0]
        self._count += own.shape[-1] * own.shape[-2]
        self._sum = self._sum + own.double().sum((2, 3), keepdim=True).cpu()
        self._square = self._square + own.square().double().sum((2, 3), keepdim=True).cpu()
        return self.meanwhile

    @property
    def moments(self) -> Moments:
        """Of all tiles seen."""
        mean = self._sum / self._count
        spread = (self._square / self._count - mean.square()).clamp_min(0)
        device = self.meanwhile[0].device
        return (mean.to(device) + self.meanwhile[0]).float(), (spread + EPSILON).sqrt().float().to(device)


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
