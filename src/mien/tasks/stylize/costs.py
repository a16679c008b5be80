"""What the optimised picture is judged by: alpha J_content + beta J_style + variation, and the gradient (Gatys et al. 2016).

J_content and J_style are those of `mien.nn.style`, with its normalisations; a style's Gram matrices are gathered in fp32 whatever the
convolutions compute in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.models.vgg_features import VGGFeatures
from mien.nn.style import content_cost, mean_gram, style_cost, total_variation
from mien.runtime import Runtime


@dataclass(frozen=True)
class Weights:
    """How much what counts."""

    content: float
    """alpha."""
    style: float
    """beta."""
    variation: float
    content_layers: Mapping[str, float]
    """Layer -> share."""
    style_layers: Mapping[str, float]
    """Layer -> lambda."""

    @property
    def layers(self) -> tuple[str, ...]:
        """All that are looked at."""
        return (*self.content_layers, *(name for name in self.style_layers if name not in self.content_layers))


@dataclass(frozen=True)
class Style:
    """One of the styles wanted."""

    grams: Mapping[str, Tensor]
    """Layer -> mean Gram matrix (1, C, C)."""
    share: float = 1.0
    """In the mix."""
    mask: Tensor | None = None
    """(1, 1, H, W) in 0..1: where it goes; None: everywhere."""


@dataclass(frozen=True)
class Wanted:
    """What the picture shall have."""

    content: Mapping[str, Tensor]
    """Layer -> maps (1, C, H / 2^n, W / 2^n)."""
    styles: Sequence[Style]


@dataclass(frozen=True)
class Cost:
    """One picture's; `total` is the weighted sum."""

    total: float
    content: float
    """J_content."""
    style: float
    """J_style."""


class Objective(Protocol):
    """What a picture costs."""

    def __call__(self, x: Tensor, slope: bool = True) -> tuple[Cost, Tensor]:
        """(1, 3, H, W) RGB in 0..1 -> its cost and the gradient (1, 3, H, W); without `slope` the cost alone, and an empty tensor."""
        ...


def stride(layer: str) -> int:
    """Pixels of the picture from one place of this layer to the next."""
    block = next(int(letter) for letter in layer if letter.isdigit())
    return 2**block if layer.startswith("pool") else 2 ** (block - 1)


def at_layer(mask: Tensor, layer: str) -> Tensor:
    """(1, 1, H, W) -> (1, 1, h, w): the mask as large as the layer's maps, averaged."""
    return F.avg_pool2d(mask, stride(layer))


def laid(x: Tensor, runtime: Runtime) -> Tensor:
    """On the device, in its layout."""
    return x.to(runtime.device).contiguous(memory_format=torch.channels_last if runtime.channels_last else torch.contiguous_format)


def grams_of(net: VGGFeatures, picture: Tensor, layers: Sequence[str], runtime: Runtime) -> dict[str, Tensor]:
    """Layer -> mean Gram matrix (1, C, C) of a style picture (1, 3, H, W)."""
    with torch.no_grad(), runtime.autocast():
        maps = net(laid(picture, runtime), layers)
    return {name: mean_gram(one) for name, one in maps.items()}


def content_of(net: VGGFeatures, picture: Tensor, layers: Sequence[str], runtime: Runtime) -> dict[str, Tensor]:
    """Layer -> maps of a content picture (1, 3, H, W), in fp32."""
    with torch.no_grad(), runtime.autocast():
        return {name: one.float() for name, one in net(laid(picture, runtime), layers).items()}


def whole(net: VGGFeatures, wanted: Wanted, weights: Weights, runtime: Runtime) -> Objective:
    """The objective on pictures that fit in memory with all their maps: one pass forward, one back."""
    masks = [{name: at_layer(one.mask, name) for name in one.grams} if one.mask is not None else {} for one in wanted.styles]

    def objective(x: Tensor, slope: bool = True) -> tuple[Cost, Tensor]:
        x = laid(x.detach(), runtime).requires_grad_(slope)
        with runtime.autocast():
            maps = net(x, weights.layers)
        content = sum_of([share * content_cost(maps[name], wanted.content[name]) for name, share in weights.content_layers.items()], x)
        style = style_costs(wanted, weights, lambda number, name: mean_gram(maps[name], masks[number].get(name)), x)
        total = weights.content * content + weights.style * style
        if weights.variation:
            total = total + weights.variation * total_variation(x)
        (grad,) = torch.autograd.grad(total.sum(), x) if slope else (x.new_empty(0),)
        return Cost(*(float(one.detach()) for one in (total, content, style))), grad.contiguous()

    return objective


def style_costs(wanted: Wanted, weights: Weights, mean: Callable[[int, str], Tensor], like: Tensor) -> Tensor:
    """(1,): J_style, from `mean(style's number, layer)`, the picture's mean Gram matrices (1, C, C)."""
    unmasked: dict[str, Tensor] = {}  # the same for all styles that go everywhere

    def found(number: int, one: Style, name: str) -> Tensor:
        if one.mask is not None:
            return mean(number, name)
        if name not in unmasked:
            unmasked[name] = mean(number, name)
        return unmasked[name]

    return sum_of([one.share * lamda * style_cost(found(number, one, name), one.grams[name])
                   for number, one in enumerate(wanted.styles) for name, lamda in weights.style_layers.items()], like)  # fmt: skip


def sum_of(costs: Sequence[Tensor], like: Tensor) -> Tensor:
    """(1,) each -> (1,); 0 for none."""
    return torch.stack([*costs]).sum(0) if costs else like.new_zeros(1, dtype=torch.float32)
