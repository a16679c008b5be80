"""A trained enlarger as one file: weights as safetensors, in its header the plan that builds the network again."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.data.exact import exactly
from mien.data.resize import REACH, enlarge
from mien.models import planned
from mien.models.mien_upscale import MienUpscale, Summed
from mien.models.srcnn import srcnn
from mien.models.srresnet import SRResNet
from mien.models.vdsr import vdsr
from mien.nn.colour import rgb, ycbcr

HEADER = "mien_enlarger"


class Afterwards(nn.Module):
    """A network that sharpens what bicubic interpolation has enlarged."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are answers."""
        return tuple(part for part in self.net.modules() if isinstance(part, nn.Conv2d))[-1:]

    def forward(self, x: Tensor, scale: int = 2) -> Tensor:
        """(B, 1, h, w) -> (B, 1, s h, s w)."""
        return self.net(enlarge(x, scale))


class OneScale(nn.Module):
    """A network that enlarges by what it was built for, asked as the others are."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return getattr(self.net, "last", ())

    def forward(self, x: Tensor, scale: int = 4) -> Tensor:
        """(B, C, h, w) -> (B, C, s h, s w); `scale` is the network's own."""
        return self.net(x)


BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "srcnn": lambda **options: Afterwards(srcnn(**options)),
    "vdsr": lambda **options: Afterwards(vdsr(**options)),
    "mien-upscale": MienUpscale,
    "srresnet": lambda **options: OneScale(SRResNet(**options)),
}
"""Network -> builder of a module that maps a picture (B, C, h, w) in 0..1 and a scale to (B, C, s h, s w)."""
COLOURED = {"srresnet"}
"""Those that take RGB; the others take brightness alone, and colours are enlarged by bicubic interpolation."""
EXACT = {"srcnn"}
"""Those whose layers hand the picture itself on, which bf16 rounds to 8 bits each time: 0.27 dB less at x2. They compute in fp32; the
others compute what is added to a picture (0.04 dB less in bf16)."""


@dataclass(frozen=True)
class Plan:
    """All that is needed to build a network before its weights are loaded."""

    network: str
    """A key of `BUILDERS`."""
    scales: tuple[int, ...]
    """That it was trained for."""
    options: Mapping[str, Any] = field(default_factory=dict)


def build(plan: Plan) -> nn.Module:
    """The untrained network. ValueError for none of that name, or options it does not have."""
    if plan.network not in BUILDERS:
        raise ValueError(f"no enlarger is called {plan.network!r}; known: {', '.join(BUILDERS)}")
    try:
        return BUILDERS[plan.network](**plan.options)
    except TypeError as error:
        raise ValueError(f"{plan.network} cannot be built with {dict(plan.options)}: {error}") from None


def reach(net: nn.Module, scale: int) -> int:
    """Pixels of the small picture to each side of its own that a result depends on."""
    radius = sum((part.kernel_size[0] - 1) // 2 if isinstance(part, nn.Conv2d) else isinstance(part, Summed) for part in net.modules())
    if isinstance(net, OneScale):
        return _reach_of_one(net, scale)
    if isinstance(net, Afterwards):
        return -(-radius // scale) + REACH
    alike = len(net.tails) - 1 if isinstance(net, MienUpscale) else 0  # one tail of several is asked
    return radius - alike


def _reach_of_one(net: nn.Module, scale: int) -> int:
    """Convolutions after the picture has been enlarged reach half as far, or a quarter."""
    far, factor = 0.0, 1
    for part in net.modules():
        if isinstance(part, nn.PixelShuffle):
            factor *= part.upscale_factor
        elif isinstance(part, nn.Conv2d):
            far += (part.kernel_size[0] - 1) // 2 / factor
    assert factor == scale
    return math.ceil(far)


class Enlarger:
    """A network at one scale, as pictures need it: (B, 3, h, w) RGB in 0..1 -> (B, 3, s h, s w); colours are enlarged by bicubic."""

    def __init__(self, name: str, net: nn.Module | None, scale: int, coloured: bool = False, exact: bool = False) -> None:
        """`net`: None for bicubic interpolation; `coloured`: takes RGB, see `COLOURED`; `exact`: in fp32 always, see `EXACT`."""
        self.name, self.net, self.scale, self.coloured, self.exact = name, net, scale, coloured, exact
        self.halo = REACH if net is None else max(reach(net, scale), REACH)

    def brightness(self, y: Tensor) -> Tensor:
        """(B, 1, h, w) in 0..1 -> (B, 1, s h, s w)."""
        if self.net is None:
            return enlarge(y, self.scale)
        with exactly(y) if self.exact else nullcontext():
            return self.net(y, self.scale)

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Not clipped."""
        return self.in_colour(x)

    def in_colour(self, x: Tensor) -> Tensor:
        """The same where gradients, or an export, are wanted."""
        if self.net is None:
            return enlarge(x, self.scale)
        if self.coloured:
            return self.net(x, self.scale)
        parts = ycbcr(x)
        return rgb(torch.cat([self.brightness(parts[:, :1]).to(x.dtype), enlarge(parts[:, 1:], self.scale)], 1))


def save(path: Path, net: nn.Module, plan: Plan, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and plan; a network that learnt with several convolutions where one will do is folded first."""
    if isinstance(net, MienUpscale) and not plan.options.get("folded"):
        net, plan = net.fold(), Plan(plan.network, plan.scales, dict(plan.options) | {"folded": True})
    planned.write(path, net, HEADER, asdict(plan), dtype)


def load(path: Path) -> tuple[nn.Module, Plan]:
    """The trained network, for use. ValueError where the file is none."""
    state, table = planned.read(path, HEADER, "an enlarger")
    plan = Plan(table["network"], tuple(table["scales"]), table["options"])
    return planned.fill(build(plan), state, path, plan.network), plan


def between(one: nn.Module, other: nn.Module, share: float) -> nn.Module:
    """A network of one architecture whose weights are `share` (0..1) of the way from `one` to `other`, which learnt on from it.

    Wang et al. 2018 (arXiv 1809.00219), section 3.4: between a network near on average and one that invents texture, every mixture of
    the two, without the noise of the latter. ValueError where their weights differ in name or shape.
    """
    first, last = one.state_dict(), other.state_dict()
    if {name: value.shape for name, value in first.items()} != {name: value.shape for name, value in last.items()}:
        raise ValueError("the two networks differ in their weights' names or shapes: expected two of one architecture")
    made = copy.deepcopy(one)
    made.load_state_dict({name: value.lerp(last[name], share) for name, value in first.items()})
    return made
