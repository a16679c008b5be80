"""A trained network that restyles pictures as one file: weights as safetensors, in its header the plan that builds it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mien.models import planned, vgg_features
from mien.models.adain import AdaIN
from mien.models.style_net import StyleNet

HEADER = "mien_stylizer"
BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "adain": lambda **options: AdaIN(vgg_features.load(), **options),
    "style-net": StyleNet,
}
"""Network -> its builder; `Plan.options` are its arguments."""


@dataclass(frozen=True)
class Plan:
    """All that is needed to build a network before its weights are loaded."""

    network: str
    """A key of `BUILDERS`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    styles: tuple[str, ...] = ()
    """Names of the styles it knows, in its order; none for a network that takes pictures of them."""


def build(plan: Plan) -> nn.Module:
    """The untrained network. ValueError for none of that name, or options it does not have."""
    if plan.network not in BUILDERS:
        raise ValueError(f"no network for styles is called {plan.network!r}; known: {', '.join(BUILDERS)}")
    try:
        return BUILDERS[plan.network](**plan.options)
    except TypeError as error:
        raise ValueError(f"{plan.network} cannot be built with {dict(plan.options)}: {error}") from None


def save(path: Path, net: nn.Module, plan: Plan, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and plan; matrices and kernels as `dtype`."""
    planned.write(path, net, HEADER, asdict(plan), dtype)


def read_plan(path: Path) -> Plan:
    """What a file holds, from its header alone. ValueError where it is no file of a network for styles."""
    return _plan(path, planned.plan_of(path, HEADER, "styles"))


def load(path: Path) -> tuple[nn.Module, Plan]:
    """The trained network, for use. ValueError where the file is none; RuntimeError where it needs VGG16 and that cannot be had."""
    state, table = planned.read(path, HEADER, "styles")
    plan = _plan(path, table)
    return planned.fill(build(plan), state, path, plan.network).requires_grad_(False), plan


def _plan(path: Path, table: Mapping[str, Any]) -> Plan:
    if not {"network", "options", "styles"} <= set(table):
        raise ValueError(f"{path} has a plan in its header that is none: {str(table)[:80]}")
    return Plan(table["network"], table["options"], tuple(table["styles"]))
