"""The other side of an adversarial game: which judge goes with which generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from mien.models import cgan, dcgan, gan, projection
from mien.models.generator import Plan

JUDGES: dict[str, Callable[..., nn.Module]] = {
    "gan": gan.Judge, "cgan": cgan.Judge, "dcgan": dcgan.Judge, "projection": projection.Judge,
}  # fmt: skip
"""Network of a generator -> its judge's builder: (picture in -1..1, labels) -> (B, 1) without a sigmoid."""


def build_judge(plan: Plan, options: Mapping[str, Any]) -> nn.Module:
    """The untrained judge of pictures as `plan` draws them. ValueError for a network without one, or options it does not have."""
    if plan.network not in JUDGES:
        raise ValueError(f"{plan.network!r} is no network that plays against a judge; known: {', '.join(JUDGES)}")
    try:
        return JUDGES[plan.network](plan.side, plan.channels, len(plan.labels), **options)
    except TypeError as error:
        raise ValueError(f"the judge of {plan.network} cannot be built with {dict(options)}: {error}") from None
