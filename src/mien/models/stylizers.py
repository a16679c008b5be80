"""From the name of a model to what restyles pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models import adain, style_net
from mien.models.planned import model_file
from mien.models.stylizer import load, read_plan
from mien.nn.whole import Moments
from mien.nn.winograd4 import quicken_frozen
from mien.weights import cards, locate

NAMES = {"any": "mien-adain"}
"""What a person asks for -> the card of the network that is meant, beside cards' own names and the styles these networks hold."""
LEAST = 16
"""Pixels a side below which a picture is filled up for the network: a reflected edge needs something to reflect."""


@dataclass(frozen=True)
class Reach:
    """How a kind of network looks at a picture."""

    halo: int
    """Pixels around its own that a result depends on, the statistics of the whole left aside; a multiple of `step`."""
    step: int
    """Pixels a side at which its deepest maps work: tiles begin at multiples of it."""
    at_once: int
    """Pixels of a picture that take a gigabyte or less."""


def reach(net: nn.Module) -> Reach:
    """Of a network of `mien.models.stylizer.BUILDERS`."""
    if isinstance(net, adain.AdaIN):
        return Reach(32, adain.STEP, 1 << 20)  # encoder 13, decoder 12
    assert isinstance(net, style_net.StyleNet)
    deep = 2 * style_net.STEP * len(net.body)  # two convolutions a block
    return Reach(deep + 32, style_net.STEP, 1 << 23)  # down 8, up 14


class Stylizer:
    """A network with its styles, as pictures need it: `stylizer(x, (0.7, 0.3), strength=0.8)`."""

    def __init__(self, name: str, net: nn.Module, styles: Sequence[str], moments: Sequence[Moments] = ()) -> None:
        """`moments`: of the styles' pictures, for a network that takes these; `pictured` makes them."""
        self.name, self.net, self.styles, self.moments = name, net, tuple(styles), tuple(moments)
        self.reach = reach(net)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.net.parameters()).device

    @property
    def any(self) -> bool:
        """Whether styles are pictures (`pictured`) and not names."""
        return isinstance(self.net, adain.AdaIN)

    @torch.no_grad()
    def pictured(self, pictures: Sequence[Tensor], names: Sequence[str]) -> Stylizer:
        """The same with the styles of these pictures, (1, 3, h, w) RGB in 0..1. ValueError where its styles are its own."""
        if not isinstance(self.net, adain.AdaIN):
            raise ValueError(f"{self.name} has styles of its own, {', '.join(self.styles)}, and takes no pictures of others")
        return Stylizer(self.name, self.net, names, [self.net.style(large(one.to(self.device), LEAST)) for one in pictures])

    def shares(self, style: Sequence[float] | None = None) -> tuple[float, ...]:
        """Weights of the styles, adding up to 1; None: all alike. ValueError for another number of them, or none above 0."""
        given = tuple(style) if style is not None else (1.0,) * len(self.styles)
        if len(given) != len(self.styles) or not given or not all(0 <= one < math.inf for one in given) or not sum(given):
            raise ValueError(f"weights of styles {given}: expected {len(self.styles)} of 0 or more ({', '.join(self.styles)})")
        return tuple(one / sum(given) for one in given)

    def __call__(self, x: Tensor, style: Sequence[float] | None = None, strength: float = 1.0) -> Tensor:
        """(B, 3, H, W) RGB in 0..1 -> the same shape, not clipped.

        `strength` 0..1: of a network for any style equation 14 of Huang and Belongie 2017, of another one how much of what it draws
        lies over the picture.
        """
        height, width = x.shape[-2:]
        wide, shares = large(x, LEAST), x.new_tensor(self.shares(style))
        if isinstance(self.net, adain.AdaIN):
            y = self.net(wide, self.moments, shares, strength)
        else:
            y = self.net(wide, shares[None])
            y = torch.lerp(wide, y.to(wide.dtype), strength) if strength != 1 else y
        return y[..., :height, :width]

    def sense(self, x: Tensor, style: Sequence[float] | None = None) -> None:
        """Do what its statistics (`mien.nn.whole.places`) need, and no more."""
        if isinstance(self.net, adain.AdaIN):
            self.net.whole(self.net.encode(adain.filled(large(x, LEAST))))
        else:
            self(x, style)


def large(x: Tensor, least: int) -> Tensor:
    """(B, C, H, W): filled up to `least` pixels a side by repeating the last row and column."""
    return F.pad(x, (0, max(least - x.shape[-1], 0), 0, max(least - x.shape[-2], 0)), mode="replicate")


def opened(model: str | Path, device: torch.device | None = None) -> Stylizer:
    """`model`: one of `known()`, a card's name, a model file or a run folder; of a style's name, the network that holds it.

    ValueError for none of these; RuntimeError where the network needs VGG16's weights and they cannot be had.
    """
    net, plan = load(_file(str(model)))
    net = net.to(device) if device else net
    if isinstance(net, adain.AdaIN):
        quicken_frozen(net.encoder)
    return Stylizer(str(model), net, plan.styles)


def held() -> dict[str, str]:
    """Style -> card of the bundled network that holds it."""
    names = [card.name for card in cards() if card.kind == "stylizer"]
    return {style: name for name in names for style in read_plan(locate(name)).styles}


def known() -> list[str]:
    """Styles and models that are here."""
    there = {card.name for card in cards()}
    return [*held(), *(name for name, card in NAMES.items() if card in there)]


def _file(model: str) -> Path:
    name = NAMES.get(model, held().get(model, model))
    if file := model_file(name, "stylizer") or model_file(model, "stylizer"):
        return file
    names = ", ".join(known()) or "a picture"
    raise ValueError(f"no style {model!r}: choose {names}, a .safetensors file or the run folder of a training")
