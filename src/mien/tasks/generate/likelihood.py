"""How well a generator foresees pictures: nats, where it can tell them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mien.models.generator import Plan
from mien.models.vae import VAE
from mien.nn.batches import seeded
from mien.progress import Progress
from mien.runtime import Runtime
from mien.tasks.generate.results import Likely
from mien.train.generate import AT_ONCE, costs


@torch.no_grad()
def likelihood(net: nn.Module, plan: Plan, x: Tensor, what: str, samples: int, runtime: Runtime) -> Likely:
    """Of (N, 1, S, S) pictures of 0 and 1, which are called `what`. ValueError for less than one sample."""
    if samples < 1:
        raise ValueError(f"found {samples} samples, expected 1 or more")
    random = seeded(0, 6)
    exact: list[Tensor] = []
    bounds: list[Tensor] = []
    with Progress("measure", total=len(x), unit="pictures") as bar:
        for some in x.split(AT_ONCE if not isinstance(net, VAE) else 50):
            some = some.to(runtime.device)
            cost = costs(net, some, random)["cost"]
            if isinstance(net, VAE):
                bounds.append(cost.cpu())
                noise = torch.randn(samples, len(some), net.latent, generator=random).to(runtime.device)
                cost = net.nats(some, noise)
            exact.append(cost.cpu())
            bar.advance(len(some))
    nats = float(torch.cat(exact).mean())
    return Likely(nats, float(torch.cat(bounds).mean()) if bounds else None, nats / math.log(2) / plan.side**2,
                  samples if bounds else None, f"{len(x)} {what}, white with a chance of their grey value, drawn once")  # fmt: skip
