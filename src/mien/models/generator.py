"""A trained generator of pictures as one file, and pictures drawn from it: the same seed, the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.models import cgan, dcgan, gan, planned, projection
from mien.models.pixelcnn import GatedPixelCNN, PixelCNN, sampled
from mien.models.vae import VAE

HEADER = "mien_generator"
ADVERSARIAL: dict[str, Callable[..., nn.Module]] = {
    "gan": gan.Generator, "cgan": cgan.Generator, "dcgan": dcgan.Generator, "projection": projection.Generator,
}  # fmt: skip
"""Those that learn against a judge (`mien.models.judges`): (noise, labels) -> pictures in -1..1; they have `latent` and `classes`."""
BUILDERS: dict[str, Callable[..., nn.Module]] = {"vae": VAE, "pixelcnn": PixelCNN, "gated-pixelcnn": GatedPixelCNN} | ADVERSARIAL
"""Network -> its builder; `Plan.options` are its arguments."""

LEAST = 64
"""Noise is drawn for so many pictures at least: torch draws less than 16 numbers in another order."""


@dataclass(frozen=True)
class Plan:
    """All that is needed to build a network before its weights are loaded."""

    network: str
    """A key of `BUILDERS`."""
    side: int
    """Pixels of a picture's side."""
    options: Mapping[str, Any] = field(default_factory=dict)
    channels: int = 1
    """1 for grey, 3 for RGB; only adversarial networks draw in colour."""
    labels: tuple[str, ...] = ()
    """What can be asked for, by name; empty where nothing can."""


def build(plan: Plan) -> nn.Module:
    """The untrained network. ValueError for none of that name, or options it does not have."""
    if plan.network not in BUILDERS:
        raise ValueError(f"no generator is called {plan.network!r}; known: {', '.join(BUILDERS)}")
    options = dict(plan.options) | ({"side": plan.side} if plan.network == "vae" else {})
    if plan.network in ADVERSARIAL:
        options |= {"side": plan.side, "channels": plan.channels, "classes": len(plan.labels)}
    try:
        return BUILDERS[plan.network](**options)
    except TypeError as error:
        raise ValueError(f"{plan.network} cannot be built with {dict(plan.options)}: {error}") from None


def save(path: Path, net: nn.Module, plan: Plan, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and plan; matrices and kernels as `dtype`."""
    planned.write(path, net, HEADER, asdict(plan), dtype)


def load(path: Path) -> tuple[nn.Module, Plan]:
    """The trained network, for use. ValueError where the file is none."""
    state, table = planned.read(path, HEADER, "a generator")
    if not {"network", "side", "options"} <= set(table):
        raise ValueError(f"{path} has a plan in its header that is none: {str(table)[:80]}")
    plan = Plan(table["network"], int(table["side"]), table["options"], int(table.get("channels", 1)), tuple(table.get("labels", ())))
    return planned.fill(build(plan), state, path, plan.network), plan


@torch.no_grad()
def draw(net: nn.Module, side: int, count: int, random: torch.Generator, known: Tensor | None = None,
         labels: Tensor | None = None) -> Tensor:  # fmt: skip
    """(count, 1 or 3, side, side) in 0..1 on the CPU: of a VAE each pixel's chance of being white, of a PixelCNN black or white.

    known (count, side, side): pixels to keep, NaN where they are to be drawn. labels (count,): what each shall show; every label in
    turn where a network that has some is not told. ValueError where the network cannot do that.
    """
    device = next(net.parameters()).device
    if isinstance(net, PixelCNN | GatedPixelCNN):
        chances = torch.rand(count, 1, side, side, generator=random).to(device)
        return sampled(net, chances, None if known is None else known.to(device)).cpu()
    if known is not None:
        raise ValueError("this network draws whole pictures: a pixelcnn completes given ones")
    few = torch.randn(max(count, LEAST), latent(net), generator=random)[:count]
    return pictures(net, few, labels)


@torch.no_grad()
def pictures(net: nn.Module, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """What is made of noise (B, Z) by a VAE or an adversarial generator: (B, 1 or 3, S, S) in 0..1 on the CPU, of labels (B,), shares
    of them (B, classes), or all in turn.
    """
    if isinstance(net, VAE):
        return torch.sigmoid(net.decode(z.to(next(net.parameters()).device))).cpu()
    device, classes = next(net.parameters()).device, int(getattr(net, "classes", 0))
    if classes and labels is None:
        labels = torch.arange(len(z)) % classes
    return ((net(z.to(device), None if labels is None else labels.to(device)).float() + 1) / 2).cpu()


def latent(net: nn.Module) -> int:
    """Numbers that a picture is drawn from. ValueError for a network that draws pixel by pixel."""
    if isinstance(net, PixelCNN | GatedPixelCNN):
        raise ValueError("a pixelcnn draws pixel by pixel: it has no latent numbers to walk through")
    return int(getattr(net, "latent"))  # noqa: B009
