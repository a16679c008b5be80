"""The same costs and gradients for pictures of any size: exact, in two passes over tiles.

A Gram matrix is a sum over places, so the first pass sums it tile by tile, each tile giving the places it owns and computed with as
many pixels around as those see. With the matrices known, so is dJ/dG, and with that held constant the style cost's gradient is the one
of sum <dJ/dG, a a^T>, again a sum over places: the second pass goes back through every tile for its own places alone, and adds up what
reaches each pixel. Tiles begin at multiples of the pools' stride, and end where the picture ends, so all maps are those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mien.models.vgg_features import VGGFeatures
from mien.nn.style import gram, style_cost
from mien.progress import Progress
from mien.runtime import Runtime
from mien.tasks.stylize.costs import Cost, Objective, Wanted, Weights, at_layer, laid, stride
from mien.tiled import Span, spans

Size = tuple[int, int]
SIDE = 384
"""Pixels of a tile, those around it not counted."""


@dataclass(frozen=True)
class Tile:
    """A part of the picture."""

    rows: Span
    columns: Span

    @property
    def seen(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that are computed."""
        return slice(self.rows.first, self.rows.last), slice(self.columns.first, self.columns.last)

    def owned(self, layer: str, height: int, width: int, within: bool = True) -> tuple[slice, slice]:
        """Rows and columns of the layer's maps that are this tile's, in its own maps or in those of the whole (height x width)."""
        step = stride(layer)
        return _owned(self.rows, step, height, within), _owned(self.columns, step, width, within)


def _owned(span: Span, step: int, length: int, within: bool) -> slice:
    start, stop = span.start // step, length // step if span.stop == length else span.stop // step
    shift = span.first // step if within else 0
    return slice(start - shift, max(stop, start) - shift)


def size_of(x: Tensor) -> Size:
    """Height and width."""
    return x.shape[-2], x.shape[-1]


def cut(net: VGGFeatures, height: int, width: int, layers: tuple[str, ...], side: int = SIDE) -> tuple[Tile, ...]:
    """Tiles of at most about `side` pixels, with what `layers` see around them. ValueError below 1 pixel."""
    if side < 1:
        raise ValueError(f"tiles of {side} pixels, expected at least 1")
    align = max(stride(name) for name in layers)
    halo = reach(net, layers)
    rows, columns = (spans(length, max(side // align * align, align), halo, align) for length in (height, width))
    return tuple(Tile(row, column) for row in rows for column in columns)


def reach(net: VGGFeatures, layers: tuple[str, ...]) -> int:
    """Pixels to each side that a place of the deepest of these layers depends on, at most."""
    names, far = net.layers, 0
    for name in names[: max(names.index(name) for name in layers) + 1]:
        # a 3 x 3 convolution sees its neighbours; a pool two places of the layer before, half as far apart as its own
        far += stride(name) if name.startswith("conv") else stride(name) // 2 if name.startswith("pool") else 0
    return far


class Tiled:
    """An `Objective` that holds one tile's maps at a time; `label`: what its progress is called, none without."""

    def __init__(self, net: VGGFeatures, wanted: Wanted, weights: Weights, runtime: Runtime, side: int = SIDE,
                 label: str = "") -> None:
        self.net, self.wanted, self.weights, self.runtime, self.side, self.label = net, wanted, weights, runtime, side, label
        self.masks = [{name: at_layer(one.mask, name) for name in one.grams} if one.mask is not None else {} for one in wanted.styles]

    def __call__(self, x: Tensor, slope: bool = True) -> tuple[Cost, Tensor]:
        """As `Objective` says."""
        x = x.detach()
        tiles, grad = cut(self.net, *size_of(x), self.weights.layers, self.side), x.new_empty(0)
        content, means = self._forward(x, tiles)
        style, slopes = self._slopes(means)
        if slope:
            grad = torch.zeros_like(x)
            for tile in self._counted(tiles, "gradients"):
                self._back(x, tile, slopes, grad)
        variation = _variation(x, self.weights.variation, grad) if self.weights.variation else 0.0
        return Cost(self.weights.content * content + self.weights.style * style + variation, content, style), grad

    def _counted(self, tiles: tuple[Tile, ...], what: str) -> Iterator[Tile]:
        if not self.label or len(tiles) == 1:
            yield from tiles
            return
        with Progress(f"{self.label}: {what}", len(tiles), "tiles", every=30) as bar:
            for tile in tiles:
                yield tile
                bar.advance()

    def _forward(self, x: Tensor, tiles: tuple[Tile, ...]) -> tuple[float, dict[tuple[int, str], Tensor]]:
        """First pass: J_content, and (style, layer) -> the picture's mean Gram matrix (1, C, C) there."""
        size, content, sums = size_of(x), 0.0, {}
        for tile in self._counted(tiles, "Gram matrices"):
            with torch.no_grad(), self.runtime.autocast():
                maps = self.net(laid(x[(..., *tile.seen)], self.runtime), self.weights.layers)
            content += float(self._content(maps, tile, size))
            for key, own, mask in self._places(maps, tile, size):
                part = gram(own, mask)
                sums[key] = sums[key] + part if key in sums else part
        return content, {(number, name): total / self._count(number, name, size) for (number, name), total in sums.items()}

    def _content(self, maps: dict[str, Tensor], tile: Tile, size: Size) -> Tensor:
        """(): the tile's part of J_content."""
        total = torch.zeros((), device=self.runtime.device)
        for name, share in self.weights.content_layers.items():
            wanted = self.wanted.content[name]
            off = maps[name][(..., *tile.owned(name, *size))].float() - wanted[(..., *tile.owned(name, *size, within=False))]
            total = total + share * off.square().sum() / (4 * wanted.numel())
        return total

    def _places(self, maps: dict[str, Tensor], tile: Tile, size: Size) -> Iterator[tuple[tuple[int, str], Tensor, Tensor | None]]:
        """(style, layer), the tile's own places of its maps, and of the mask."""
        for number, masks in enumerate(self.masks):
            for name in self.weights.style_layers:
                mask = masks[name][(..., *tile.owned(name, *size, within=False))] if masks else None
                yield (number, name), maps[name][(..., *tile.owned(name, *size))], mask

    def _count(self, number: int, name: str, size: Size) -> float:
        """Places of a layer, or the mask's sum."""
        if self.masks[number]:
            return max(float(self.masks[number][name].sum()), 1e-6)
        return float((size[0] // stride(name)) * (size[1] // stride(name)))

    def _slopes(self, means: dict[tuple[int, str], Tensor]) -> tuple[float, dict[tuple[int, str], Tensor]]:
        """J_style, and its slope along every mean Gram matrix."""
        total, slopes = 0.0, {}
        for (number, name), mean in means.items():
            one, mean = self.wanted.styles[number], mean.requires_grad_()
            cost = one.share * self.weights.style_layers[name] * style_cost(mean, one.grams[name]).sum()
            (slopes[number, name],) = torch.autograd.grad(cost, mean)
            total += float(cost.detach())
        return total, slopes

    def _back(self, x: Tensor, tile: Tile, slopes: dict[tuple[int, str], Tensor], grad: Tensor) -> None:
        """Second pass: one tile's part of the gradient, added to `grad`."""
        size = size_of(x)
        part = laid(x[(..., *tile.seen)], self.runtime).requires_grad_()
        with self.runtime.autocast():
            maps = self.net(part, self.weights.layers)
        total = self.weights.content * self._content(maps, tile, size)
        for (number, name), own, mask in self._places(maps, tile, size):
            total = total + self.weights.style * (slopes[number, name] * gram(own, mask)).sum() / self._count(number, name, size)
        (found,) = torch.autograd.grad(total, part)
        grad[(..., *tile.seen)] += found


def _variation(x: Tensor, weight: float, grad: Tensor) -> float:
    """The weighted total variation, its gradient added to `grad` unless that is empty: no copy is held for autograd."""
    total = 0.0
    for dim in (2, 3):
        length = x.shape[dim]
        if length < 2:
            continue
        step = x.narrow(dim, 1, length - 1) - x.narrow(dim, 0, length - 1)
        total += float(step.square().mean())
        if not grad.numel():
            continue
        step *= 2 * weight / step.numel()
        grad.narrow(dim, 1, length - 1).add_(step)
        grad.narrow(dim, 0, length - 1).sub_(step)
    return weight * total


def tiled(net: VGGFeatures, wanted: Wanted, weights: Weights, runtime: Runtime, side: int = SIDE, label: str = "") -> Objective:
    """`whole`, tile by tile."""
    return Tiled(net, wanted, weights, runtime, side, label)


def content_in_tiles(net: VGGFeatures, picture: Tensor, layers: tuple[str, ...], runtime: Runtime,
                     side: int = SIDE) -> dict[str, Tensor]:
    """`costs.content_of` with one tile's maps in memory at a time."""
    size, out = size_of(picture), {}
    for tile in cut(net, *size, layers, side) if layers else ():
        with torch.no_grad(), runtime.autocast():
            maps = net(laid(picture[(..., *tile.seen)], runtime), layers)
        for name, one in maps.items():
            if name not in out:
                out[name] = torch.empty(1, one.shape[1], *(length // stride(name) for length in size), device=one.device)
            out[name][(..., *tile.owned(name, *size, within=False))] = one[(..., *tile.owned(name, *size))].float()
    return out


def grams_in_tiles(net: VGGFeatures, picture: Tensor, layers: tuple[str, ...], runtime: Runtime,
                   side: int = SIDE) -> dict[str, Tensor]:
    """`costs.grams_of` with one tile's maps in memory at a time."""
    size, sums = size_of(picture), {}
    for tile in cut(net, *size, layers, side):
        with torch.no_grad(), runtime.autocast():
            maps = net(laid(picture[(..., *tile.seen)], runtime), layers)
        for name, one in maps.items():
            part = gram(one[(..., *tile.owned(name, *size))])
            sums[name] = sums[name] + part if name in sums else part
    return {name: total / ((size[0] // stride(name)) * (size[1] // stride(name))) for name, total in sums.items()}
