"""Training of an enlarger: pairs of patches, small ones made by MATLAB's bicubic, one scale a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from mien.data import wear
from mien.data.resize import cropped, resize, resize_pixels
from mien.models.enlarger import Plan, build
from mien.nn.colour import luma
from mien.train.average import EMA
from mien.train.optim import optimiser, set_rate
from mien.train.recipe import EnlargeRecipe
from mien.train.task import OneNetworkTask

CLIPPED = 1.0
"""Of the border of a large patch, in small pixels: bicubic interpolation knows nothing beyond a patch, in a picture it would."""


@dataclass(frozen=True)
class Pair:
    """One picture, brightness or RGB, large and small, for one scale."""

    large: np.ndarray
    """(s h, s w, C) uint8."""
    small: np.ndarray
    """(h, w, C) float32 in 0..1, not rounded: as the papers' protocol has it."""


def worn(small: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(h, w, C) in 0..1 -> the same, often blurred, noisy and saved as a JPEG of quality 30 to 95; rounded to 8 bits."""
    pixels = np.repeat(small, 3 // small.shape[2], 2)
    pixels = np.ascontiguousarray((pixels * 255).round().clip(0, 255).astype(np.uint8))
    if random.random() < 0.5:
        pixels = wear.blurred(pixels, float(random.uniform(0.3, 1.0)))
    if random.random() < 0.5:
        pixels = wear.noisy(pixels, float(random.uniform(1, 8)), small.shape[2] == 1, int(random.integers(2**32)))
    if random.random() < 0.7:
        pixels = wear.jpeg(pixels, int(random.integers(30, 96)))
    return pixels[..., :small.shape[2]].astype(np.float32) / 255


def brightness(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W, 1) uint8: MATLAB's Y."""
    x = torch.from_numpy(np.array(image, order="C")).permute(2, 0, 1)[None].double() / 255
    return (luma(x)[0, 0] * 255).round().byte().numpy()[..., None]


def pair(large: np.ndarray, scale: int) -> Pair:
    """(H, W, C) uint8 -> what a network for `scale` is shown and should answer; what `scale` does not divide is cut off."""
    whole = cropped(large, scale)
    small = resize(torch.from_numpy(whole / 255.0).permute(2, 0, 1), 1 / scale)
    return Pair(whole, small.permute(1, 2, 0).float().numpy())


def pairs(images: Sequence[np.ndarray], scales: Sequence[int], zooms: Sequence[float], least: int) -> dict[int, list[Pair]]:
    """(H, W, C) uint8 pictures -> scale -> pairs whose small pictures are `least` pixels or more a side."""
    found: dict[int, list[Pair]] = {scale: [] for scale in scales}
    for image in images:
        for zoom in zooms:
            large = image if zoom == 1 else resize_pixels(image, zoom)
            for scale in scales:
                if min(large.shape[:2]) >= least * scale:
                    found[scale].append(pair(large, scale))
    for scale, some in found.items():
        if not some:
            raise ValueError(f"no picture is large enough for patches of {least} pixels at x{scale}: --set patch=16 shows less")
    return found


class EnlargeTask(OneNetworkTask):
    """A `Task` for `fit`: what a step shows is a function of seed and step."""

    def __init__(self, recipe: EnlargeRecipe, train: Sequence[np.ndarray], dev: Sequence[np.ndarray] = (),
                 begun: tuple[nn.Module, Plan] | None = None) -> None:
        """`train`, `dev`: (H, W, C) uint8, brightness or RGB as the network takes it; `begun`: a trained network to go on from."""
        self.recipe = recipe
        self.plan = Plan(recipe.network, tuple(recipe.scales), dict(begun[1].options if begun else recipe.options))
        if begun and begun[1].network != recipe.network:
            raise ValueError(f"the recipe is for {recipe.network}, what it starts from is {begun[1].network}")
        torch.manual_seed(recipe.seed)
        self.net = begun[0] if begun else build(self.plan)
        self.sides = {scale: round(recipe.patch * 2 / scale) if recipe.even else recipe.patch for scale in recipe.scales}
        self.train = pairs(train, recipe.scales, recipe.zooms, max(self.sides.values()))
        self.dev = pairs(dev, recipe.scales, (1.0,), 1) if dev else {}
        self.sizes = {scale: np.cumsum([one.small[..., 0].size for one in some]) for scale, some in self.train.items()}
        self.items = recipe.batch
        area = sum(int(sizes[-1]) for sizes in self.sizes.values()) / len(self.sizes)
        self.epoch_steps = max(round(area / (recipe.batch * np.mean(list(self.sides.values())) ** 2)), 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(self.net, recipe)
        self.ema = EMA(self.net, recipe.average) if recipe.average else None
        self.detours, self._last = 0, -1
        convs = [part for part in self.net.modules() if isinstance(part, nn.Conv2d)]
        self._end = set(convs[-1].parameters()) if recipe.last_lr != 1 else set()

    def shown(self, fabric: Fabric, index: int) -> tuple[int, Tensor, Tensor]:
        """Scale, small and large patches of step `index`; the learning rate is set for it."""
        recipe = self.recipe
        set_rate(self.optimizer, recipe, self.share)
        if index <= self._last:  # rolled back: the same patches would end the same way
            self.detours += 1
        self._last = index
        scale = recipe.scales[index % len(recipe.scales)]
        random = np.random.default_rng((recipe.seed, self.detours, index))
        small, large = (part.to(fabric.device) for part in self.patches(scale, random))
        return scale, small, large

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Patches, loss, gradient, step."""
        recipe = self.recipe
        scale, small, large = self.shown(fabric, index)
        self.net.train()
        with fabric.autocast():
            told = self.net(small, scale)
        edge = round(CLIPPED * scale)
        told, truth = (part.float()[..., edge:-edge, edge:-edge] for part in (told, large))
        loss = F.l1_loss(told, truth) if recipe.loss == "absolute" else F.mse_loss(told, truth)
        self.optimizer.zero_grad()
        fabric.backward(loss)
        self._clip()
        self.optimizer.step()
        return {"loss": loss.detach()}

    def _clip(self) -> None:
        recipe = self.recipe
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        if recipe.relative_clip:
            for group in self.optimizer.param_groups:
                nn.utils.clip_grad_value_(group["params"], recipe.relative_clip / max(group["lr"], 1e-12))
        for p in self._end:
            if p.grad is not None:
                p.grad.mul_(recipe.last_lr)

    def patches(self, scale: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(B, C, p, p), (B, C, s p, s p) in 0..1, turned and mirrored alike; large pictures are drawn from more often."""
        side, sizes = self.sides[scale], self.sizes[scale]
        smalls, larges = [], []
        for _ in range(self.recipe.batch):
            one = self.train[scale][int(np.searchsorted(sizes, random.integers(sizes[-1]), side="right"))]
            y, x = (int(random.integers(0, length - side + 1)) for length in one.small.shape[:2])
            turn, mirror = int(random.integers(4)), bool(random.integers(2))
            small = np.rot90(one.small[y:y + side, x:x + side], turn)
            small = worn(small, random) if self.recipe.worn else small
            large = np.rot90(one.large[y * scale:(y + side) * scale, x * scale:(x + side) * scale], turn)
            smalls.append(small[:, ::-1] if mirror else small)
            larges.append(large[:, ::-1] if mirror else large)
        shown, wanted = (torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2) for some in (smalls, larges))
        return shown.contiguous(), wanted.float() / 255

    def state(self) -> dict[str, Any]:
        """How often the run was rolled back."""
        return {"detours": self.detours}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.detours = state["detours"]

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """PSNR of the held-back pictures at each scale, in dB; the score is their mean."""
        found = {f"dev/x{scale} dB": dev_psnr(self.result.eval(), some, scale) for scale, some in self.dev.items()}
        return found | {"score": sum(found.values()) / len(found)} if found else {}


def dev_psnr(net: nn.Module, some: Sequence[Pair], scale: int) -> float:
    """Mean dB over pictures, borders of `scale` pixels left out."""
    device = next(net.parameters()).device
    values = []
    for one in some:
        told = net(torch.from_numpy(one.small).permute(2, 0, 1)[None].to(device), scale).float().cpu().clamp(0, 1)
        truth = torch.from_numpy(one.large.copy()).permute(2, 0, 1)[None].float() / 255
        told, truth = (luma(x) if x.shape[1] == 3 else x for x in (told, truth))
        error = 255 * (told - truth)[..., scale:-scale, scale:-scale]
        values.append(10 * math.log10(255**2 / max(float(error.square().mean()), 1e-9)))
    return sum(values) / len(values)
