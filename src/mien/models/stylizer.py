"""A trained network that restyles pictures as one file: weights as safetensors, in its header the plan that builds it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mien.data.files import atomic
from mien.models import vgg_features
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
    state = {name: value.detach().cpu().to(dtype if value.ndim > 1 else value.dtype).contiguous()
             for name, value in net.state_dict().items()}  # fmt: skip
    with atomic(path) as draft:
        save_file(state, draft, metadata={HEADER: json.dumps(asdict(plan))})


def read_plan(path: Path) -> Plan:
    """What a file holds, from its header alone. ValueError where it is no file of a network for styles."""
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(HEADER)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a whole .safetensors file: {error}") from None
    if text is None:
        raise ValueError(f"{path} holds weights, but no styles of mien (no plan in its header)")
    try:
        table = json.loads(text)
        return Plan(table["network"], table["options"], tuple(table["styles"]))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} has a plan in its header that is none: {text[:80]}") from None


def load(path: Path) -> tuple[nn.Module, Plan]:
    """The trained network, for use. ValueError where the file is none; RuntimeError where it needs VGG16 and that cannot be had."""
    plan = read_plan(path)
    with safe_open(str(path), framework="pt") as file:
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no dict
    net = build(plan)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{path} holds other weights than {plan.network} has: {str(error).splitlines()[-1].strip()}") from None
    return net.eval().requires_grad_(False), plan
