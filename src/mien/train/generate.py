"""Training of a generator by likelihood: each step draws pictures of two colours from grey ones, and the cost is in nats a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn

from mien.data.files import atomic
from mien.models.generator import Plan, build, draw
from mien.models.pixelcnn import GatedPixelCNN
from mien.models.vae import VAE
from mien.nn.batches import seeded
from mien.nn.latent import binary
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.generate_recipe import GenerateRecipe
from mien.train.optim import optimiser, set_rate
from mien.train.task import OneNetworkTask

AT_ONCE = 250
"""Pictures in one batch of an evaluation."""
SHEET = 8
"""Pictures across and down of a preview."""


def coloured(grey: Tensor, random: torch.Generator) -> Tensor:
    """(B, H, W, 1) uint8 -> (B, 1, H, W) of 0 and 1, white with a chance of the grey value over 255."""
    return (torch.rand(grey.shape, generator=random) * 255 < grey).float().permute(0, 3, 1, 2)


def costs(net: nn.Module, x: Tensor, random: torch.Generator, beta: float = 1.0) -> dict[str, Tensor]:
    """(B, 1, H, W) of 0 and 1 -> (B,) nats: "cost", and of a VAE its two parts."""
    if isinstance(net, VAE):
        noise = torch.randn(len(x), net.latent, generator=random).to(x.device)
        pixels, divergence = net.bound(x, noise, beta)
        return {"cost": pixels + divergence, "pixels": pixels, "divergence": divergence}
    return {"cost": binary(net(x), x)}


def continued(net: nn.Module, plan: Plan, wanted: Plan) -> nn.Module:
    """What goes on learning: `net` itself, or a gated PixelCNN of more layers that begins as it. ValueError for any other plan."""
    if plan == wanted:
        return net
    layers = {"layers": wanted.options.get("layers")}
    if not isinstance(net, GatedPixelCNN) or replace(plan, options={**plan.options, **layers}) != wanted:
        raise ValueError(f"the recipe is for {wanted}, what it starts from is {plan}")
    grown = build(wanted)
    assert isinstance(grown, GatedPixelCNN)
    if len(grown.layers) < len(net.layers):
        raise ValueError(f"the recipe has {len(grown.layers)} layers, what it starts from {len(net.layers)}: a network only grows")
    grown.begin(net)
    return grown


class GenerateTask(OneNetworkTask):
    """A `Task` for `fit`: what a step shows is a function of seed and step."""

    def __init__(self, recipe: GenerateRecipe, train: np.ndarray, dev: np.ndarray,
                 begun: tuple[nn.Module, Plan] | None = None) -> None:  # fmt: skip
        """(N, S, S, 1) uint8; begun: the network that goes on learning. ValueError for pictures that are not square and grey, or of
        another size than it draws.
        """
        if train.shape[1] != train.shape[2] or train.shape[3] != 1:
            raise ValueError(f"found pictures of {' x '.join(map(str, train.shape[1:]))}, expected square grey ones: --set size=28")
        self.recipe, self.train = recipe, torch.from_numpy(np.ascontiguousarray(train))
        self.plan = Plan(recipe.network, train.shape[1], dict(recipe.options))
        torch.manual_seed(recipe.seed)
        self.net = continued(*begun, self.plan) if begun else build(self.plan)
        self.dev = coloured(torch.from_numpy(np.ascontiguousarray(dev)), seeded(recipe.seed, 2)) if len(dev) else None
        self.items = min(recipe.batch, len(train))
        self.epoch_steps = max(len(train) // self.items, 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(self.net, recipe)
        self.ema = EMA(self.net, recipe.average) if recipe.average else None
        self.detours, self._last, self._order = 0, -1, (-1, torch.empty(0))

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Nothing beside the network's way to its device."""
        super().setup(fabric, runtime)
        self.runtime = runtime

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Pictures, cost, gradient, step."""
        recipe = self.recipe
        set_rate(self.optimizer, recipe, self.share)
        if index <= self._last:  # rolled back: the same pictures would end the same way
            self.detours += 1
        self._last = index
        random = seeded(recipe.seed, self.detours, 1, index)
        x = coloured(self.train[self._which(index)], random).to(fabric.device)
        self.net.train()
        with fabric.autocast():
            told = costs(self.net, x, random, recipe.beta)
        means = {name: value.float().mean() for name, value in told.items()}
        self.optimizer.zero_grad()
        fabric.backward(means["cost"])
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        self.optimizer.step()
        return {"loss": means["cost"].detach()}

    def _which(self, index: int) -> Tensor:
        epoch, place = divmod(index, self.epoch_steps)
        key = epoch * 1000 + self.detours
        if self._order[0] != key:
            self._order = (key, torch.randperm(len(self.train), generator=seeded(self.recipe.seed, self.detours, 0, epoch)))
        return self._order[1][place * self.items:(place + 1) * self.items]

    def state(self) -> dict[str, Any]:
        """How often the run was rolled back."""
        return {"detours": self.detours}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.detours = state["detours"]

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Nats a picture of those held back, of a VAE with its two parts and without beta."""
        if self.dev is None:
            return {}
        found: dict[str, list[Tensor]] = {}
        random = seeded(self.recipe.seed, 3)
        device = next(self.net.parameters()).device
        for x in self.dev.split(AT_ONCE):
            with self.runtime.autocast():
                told = costs(self.result.eval(), x.to(device), random)
            for name, value in told.items():
                found.setdefault(name, []).append(value.float().cpu())
        means = {name: float(torch.cat(values).mean()) for name, values in found.items()}
        return {"dev/nats": means["cost"], "score": -means["cost"]} | {f"dev/{name}": means[name] for name in means if name != "cost"}

    def preview(self, path: Path) -> None:
        """A sheet of pictures from the same noise every time."""
        drawn = draw(self.result.eval(), self.plan.side, SHEET * SHEET, seeded(self.recipe.seed, 4))
        with atomic(path) as draft:
            Image.fromarray(sheet((drawn[:, 0] * 255).round().byte().numpy(), SHEET)).save(draft, "JPEG", quality=92)


def sheet(pictures: np.ndarray, across: int, gap: int = 2) -> np.ndarray:
    """(N, H, W, ...) uint8 -> one picture, `across` in a row, grey between them and where the last row ends."""
    count, height, width = pictures.shape[:3]
    down = -(-count // across)
    whole = np.full((down * (height + gap) + gap, across * (width + gap) + gap, *pictures.shape[3:]), 96, np.uint8)
    for i, one in enumerate(pictures):
        y, x = gap + i // across * (height + gap), gap + i % across * (width + gap)
        whole[y:y + height, x:x + width] = one
    return whole
