"""One picture optimised: from coarse to fine, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.models.vgg_features import VGGFeatures
from mien.nn.memory import keep_freed_memory
from mien.nn.winograd4 import quicken_frozen
from mien.runtime import Runtime, cpu_flags, memory
from mien.tasks.stylize.colour import as_bright, coloured, grey, matched
from mien.tasks.stylize.costs import Cost, Objective, Style, Wanted, Weights, content_of, grams_of, stride, whole
from mien.tasks.stylize.descent import OPTIMISERS, Descent, State
from mien.tasks.stylize.tiles import SIDE, content_in_tiles, grams_in_tiles, tiled

CONTENT_LAYERS: Mapping[str, float | None] = {"relu4_2": None}
STYLE_LAYERS: Mapping[str, float | None] = {"relu1_1": None, "relu2_1": None, "relu3_1": None, "relu4_1": None, "relu5_1": None}
"""Layer -> weight; None: as much as makes a picture with none of what is wanted cost 1, over the number of layers."""
COARSEST = 128
"""Pixels of the longer side from which on a picture is halved once more, unless told otherwise."""
HELD = 2200
"""Bytes a pixel that the maps down to relu5_1 take, there and back, in fp32."""
MOST = 3_000_000_000
"""Bytes of maps beyond which tiles are used, however much memory is free."""


@dataclass(frozen=True)
class How:
    """What was asked for."""

    steps: int = 200
    """In all sizes together."""
    scales: int | None = None
    """Sizes, each half of the next; None: until the longer side is about `COARSEST`."""
    start: str = "content"
    """content, noise or style."""
    content_weight: float = 1.0
    style_weight: float = 10.0
    variation: float = 0.0
    content_layers: Mapping[str, float | None] = field(default_factory=lambda: CONTENT_LAYERS)
    style_layers: Mapping[str, float | None] = field(default_factory=lambda: STYLE_LAYERS)
    mix: Sequence[float] = (1.0,)
    """Shares of the styles, adding up to 1."""
    style_scale: float = 1.0
    """The styles' longer side over the result's."""
    keep_colour: str = "none"
    """none, luminance or histogram."""
    optimiser: str = "lbfgs"
    """A key of `OPTIMISERS`."""
    seed: int = 0
    tile: int | None = None
    """Pixels of a tile; None: the whole picture while its maps fit in memory."""

    @property
    def layers(self) -> tuple[str, ...]:
        """All that are looked at."""
        return (*self.content_layers, *self.style_layers)


@dataclass(frozen=True)
class Moment:
    """After a step."""

    scale: int
    """0: the coarsest."""
    step: int
    """Done in this size."""
    done: int
    """Done in all."""
    cost: Cost
    """The lowest of this size."""
    first: Cost
    """The start picture's, in full size."""
    x: Tensor
    """What is looked at next, (1, 3, h, w)."""
    state: State
    """The optimiser's."""


class Painter:
    """`for moment in Painter(...).run(): ...`; `picture(moment)` is what there is then."""

    def __init__(self, content: Tensor, styles: Sequence[Tensor], masks: Sequence[Tensor], how: How, net: VGGFeatures,
                 runtime: Runtime, label: str = "") -> None:
        """`content` (1, 3, H, W), `styles` (1, 3, h, w) of any size, `masks` (1, 1, H, W): one for each style, or none; all in 0..1.

        `label`: what the progress of tiles is called. ValueError for pictures that the deepest layer leaves nothing of, and a style
        layer whose Gram matrix is nothing.
        """
        self.original, self.masks, self.how, self.runtime, self.label = content, masks, how, runtime, label
        layout = torch.channels_last if runtime.channels_last else torch.contiguous_format
        if runtime.device.type == "cpu" and (runtime.precision == "fp32" or cpu_flags() == {"avx512_bf16"}):
            # tiles of amx_bf16 multiply faster than sums are taken
            quicken_frozen(net, *((64, 128) if runtime.precision == "fp32" else (128, 256)))
        self.net = net.to(runtime.device, memory_format=layout)  # pyright: ignore[reportCallIssue] - its stub lacks it
        looks = {"luminance": (grey, as_bright), "histogram": (lambda x: x, matched), "none": (lambda x: x, lambda style, _: style)}
        ours, theirs = looks[how.keep_colour]
        self.content, self.styles = ours(content), [theirs(style, content) for style in styles]
        self.sizes: Sequence[tuple[int, int]] = sizes(content, self.styles, how)
        self.steps = shared(how.steps, len(self.sizes))
        self._weights: dict[int, Weights] = {}
        if runtime.device.type == "cpu" and self._side(self.sizes[-1]) is None:
            keep_freed_memory()  # tiles are for pictures so large that memory is better given back

    def run(self, kept: Moment | None = None) -> Iterator[Moment]:
        """Every step in turn, from the start or from a moment on."""
        first, finest = kept.first if kept else None, None
        if first is None and len(self.sizes) > 1:
            finest = self.objective(len(self.sizes) - 1)
            first, _ = finest(self._start(self.sizes[-1]), slope=False)
        x = kept.x if kept else self._start(self.sizes[0])
        done = kept.done if kept else 0
        for scale, size in enumerate(self.sizes):
            if kept and scale < kept.scale:
                continue
            x = self._finer(x, size)
            judged, steps = finest if finest and scale == len(self.sizes) - 1 else self.objective(scale), self.steps[scale]
            descent: Descent = OPTIMISERS[self.how.optimiser](x, steps)
            resuming = kept is not None and kept.scale == scale
            begin, lowest = (kept.step, kept.cost) if kept and resuming else (0, None)
            if kept and resuming:
                descent.load({name: one.to(x.device) if one.ndim == 4 else one for name, one in kept.state.items()})
            for step in range(begin, steps):
                cost, grad = judged(x)
                if not torch.isfinite(torch.tensor(cost.total)):
                    raise RuntimeError(f"the cost became {cost.total} in step {done + 1}: choose smaller weights, or --precision fp32")
                first = first or cost
                lowest = cost if lowest is None or cost.total < lowest.total else lowest
                x = descent.step(x, cost.total, grad)
                done += 1
                yield Moment(scale, step + 1, done, lowest, first, x, descent.state())
            x = descent.best()

    def picture(self, moment: Moment) -> Tensor:
        """(1, 3, H, W) in 0..1, in full size and the colours asked for; outside of all masks it is the content."""
        x = resized(moment.state["x"].detach().float().cpu().contiguous(), self.sizes[-1])
        if self.how.keep_colour == "luminance":
            x = coloured(x, self.original)
        if self.masks:
            cover = torch.stack(list(self.masks)).sum(0).clamp(0, 1)
            x = self.original + cover * (x - self.original)
        return x.clamp(0, 1)

    def _finer(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """(1, 3, h, w) -> (1, 3, *size): made larger, with the content's own fine detail where it began as the content."""
        if tuple(x.shape[-2:]) == size or self.how.start != "content":
            return resized(x, size)
        blurred = resized(resized(self.content, (x.shape[-2], x.shape[-1])), size)
        detail = resized(self.content, size) - blurred
        return (resized(x, size) + detail.to(x.device)).clamp_(0, 1)

    def _start(self, size: tuple[int, int]) -> Tensor:
        # made twice as large, noise has no checkerboard: VGG hardly sees one, so it would stay
        grains = [-(-length // 2) for length in self.sizes[0]]
        made = {
            "content": lambda: self.content,
            "style": lambda: self.styles[0],
            "noise": lambda: torch.rand(1, 3, *grains, generator=torch.Generator().manual_seed(self.how.seed)),
        }
        return resized(made[self.how.start](), size).to(self.runtime.device)

    def _side(self, size: tuple[int, int]) -> int | None:
        """Of the tiles; None for the whole picture."""
        return self.how.tile or (SIDE if size[0] * size[1] * HELD > room() else None)

    def objective(self, scale: int) -> Objective:
        """Of one size, with its targets."""
        (height, width), how = self.sizes[scale], self.how
        content = resized(self.content, (height, width))
        styles = [resized(style, style_size(style, max(height, width), how.style_scale)) for style in self.styles]
        side = self._side((height, width))
        contents, layers = tuple(how.content_layers), tuple(how.style_layers)
        if side is None:
            maps = content_of(self.net, content, contents, self.runtime)
        else:
            maps = content_in_tiles(self.net, content, contents, self.runtime, side)
        found = [grams_of(self.net, style, layers, self.runtime) if style.shape[-2] * style.shape[-1] * HELD <= room()
                 else grams_in_tiles(self.net, style, layers, self.runtime) for style in styles]  # fmt: skip
        masks = [resized(mask, (height, width)).to(self.runtime.device) for mask in self.masks] or [None] * len(styles)
        wanted = Wanted(maps, [Style(*one) for one in zip(found, how.mix, masks, strict=True)])
        weights = self._weights[scale] = weighed(wanted, how)
        if side is None:
            return whole(self.net, wanted, weights, self.runtime)
        return tiled(self.net, wanted, weights, self.runtime, side, self.label)

    @property
    def weights(self) -> Weights:
        """Those of the finest size that `objective` was asked for."""
        return self._weights[max(self._weights)]


def weighed(wanted: Wanted, how: How) -> Weights:
    """The weights, those filled in that were left open: 1 over what a picture with nothing of it costs, over the number of layers."""
    empty = {name: sum(one.share * float(one.grams[name].square().mean()) / 4 for one in wanted.styles) for name in how.style_layers}
    bare = {name: float(one.square().mean()) / 4 for name, one in wanted.content.items()}
    filled = [{name: weight if weight is not None else 1 / (len(given) * max(nothing[name], 1e-12)) for name, weight in given.items()}
              for given, nothing in ((how.content_layers, bare), (how.style_layers, empty))]  # fmt: skip
    return Weights(how.content_weight, how.style_weight, how.variation, *filled)


def sizes(content: Tensor, styles: Sequence[Tensor], how: How) -> tuple[tuple[int, int], ...]:
    """(height, width) of every scale, coarsest first. ValueError where the deepest layer leaves nothing of the finest."""
    height, width = content.shape[-2:]
    deepest = max(how.layers, key=stride)
    least = stride(deepest)

    def at(scale: int) -> tuple[int, int]:
        return round(height / 2**scale), round(width / 2**scale)

    def fits(scale: int) -> bool:
        all_sizes = [at(scale), *(style_size(style, max(at(scale)), how.style_scale) for style in styles)]
        return min(min(size) for size in all_sizes) >= least

    if not fits(0):
        worst = min([(width, height), *(style_size(style, max(height, width), how.style_scale)[::-1] for style in styles)], key=min)
        raise ValueError(f"{worst[0]} x {worst[1]} pixels are too few for {deepest}: expected {least} or more a side; choose a larger "
                         f"--size or layers less deep")  # fmt: skip
    wanted = how.scales or max(1, 1 + sum(max(at(scale)) >= COARSEST for scale in range(1, 16)))
    count = max(scale + 1 for scale in range(wanted) if all(fits(one) for one in range(scale + 1)))
    return tuple(at(scale) for scale in reversed(range(min(count, how.steps))))


def shared(steps: int, scales: int) -> tuple[int, ...]:
    """Steps of every scale, coarsest first: alike, what is over to the finest."""
    return *(steps // scales for _ in range(scales - 1)), steps - steps // scales * (scales - 1)


def style_size(picture: Tensor, side: int, times: float = 1.0) -> tuple[int, int]:
    """Height and width of a picture whose longer side becomes `side`, or so many times that."""
    height, width = picture.shape[-2:]
    scale = side * times / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, C, H, W) in 0..1 -> (1, C, *size), bicubic, antialiased; itself where it has that size."""
    if tuple(x.shape[-2:]) == size:
        return x
    return F.interpolate(x, size, mode="bicubic", antialias=True).clamp(0, 1)


def room() -> float:
    """Bytes that maps may take."""
    free = memory()[1]
    return MOST if free is None else min(MOST, free / 2)
