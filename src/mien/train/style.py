"""Training of a network that restyles in one pass, by what VGG16 sees (Johnson, Alahi and Fei-Fei 2016, arXiv 1603.08155).

Beside content, style and total variation: what is made of a picture and then moved must be what is made of the moved picture (Ruder,
Dosovitskiy and Brox 2016, arXiv 1604.08610, section 5), so that videos flicker less. The movement is invented: a smooth field and a
little noise on photographs, instead of films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from mien.data.files import atomic
from mien.models import vgg_features
from mien.models.style_net import StyleNet
from mien.nn.flow import sample
from mien.nn.style import content_cost, mean_gram, style_cost, total_variation
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.optim import optimiser, set_rate
from mien.train.style_recipe import StyleRecipe
from mien.train.task import OneNetworkTask

EPOCH = 1000
"""Steps that are called an epoch: a photograph has no end of patches."""
FAR, ROUGH, NOISE = 10.0, 4, 0.015
"""Largest displacement in pixels, points a side between which it is smooth, deviation of the noise in 0..1."""
WATCHED = 8
"""Photographs whose maps say how large a content cost is."""


def half(x: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 3, H / 2, W / 2), means of four."""
    return F.avg_pool2d(x, 2)


def tensor(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) in 0..1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


def sized(x: Tensor, shorter: int) -> Tensor:
    """(1, 3, H, W) with a shorter side of `shorter` pixels."""
    factor = shorter / min(x.shape[-2:])
    size = [round(length * factor) for length in x.shape[-2:]]
    return F.interpolate(x, size, mode="bilinear", antialias=True).clamp(0, 1)


def movement(batch: int, side: int, random: np.random.Generator) -> Tensor:
    """(B, 2, side, side): a smooth field of displacements, in pixels."""
    rough = torch.from_numpy(random.uniform(-1, 1, (batch, 2, ROUGH, ROUGH)).astype(np.float32)) * FAR
    return F.interpolate(rough, (side, side), mode="bicubic", align_corners=True)


class StyleTask(OneNetworkTask):
    """A `Task` for `fit`: what a step shows is a function of seed and step."""

    def __init__(self, recipe: StyleRecipe, net: StyleNet, styles: Mapping[str, np.ndarray], train: Sequence[np.ndarray],
                 dev: Sequence[np.ndarray] = (), features: vgg_features.VGGFeatures | None = None) -> None:
        """`styles`: name -> picture; all pictures (H, W, 3) uint8; `features`: None for VGG16's.

        ValueError for layers VGG does not have, or pictures too small for them; RuntimeError where its weights cannot be had.
        """
        self.recipe, self.net, self.styles = recipe, net, tuple(styles)
        self.train = [image for image in train if min(image.shape[:2]) >= recipe.patch]
        self.dev = [patch(image, recipe.patch, 0.5, 0.5, min(image.shape[:2])) for image in dev]
        if not self.train:
            raise ValueError(f"no photograph has {recipe.patch} pixels a side: --set patch=128 shows less")
        self.features = (features or vgg_features.load()).eval().requires_grad_(False)
        self.seen = tuple({**recipe.layers, **recipe.content})
        self.items = recipe.batch * len(styles)
        self.epoch_steps, self.steps = EPOCH, max(round(EPOCH * recipe.epochs), 1)
        if recipe.learnt == "styles":
            net.requires_grad_(False)
            for part in net.last:
                part.requires_grad_(True)
        self.optimizer = optimiser(net, recipe)
        self.ema = EMA(net, recipe.average) if recipe.average else None
        self.strengths = torch.tensor(recipe.strengths or (1.0,) * len(styles))
        self._aim(styles)

    @torch.no_grad()
    def _aim(self, styles: Mapping[str, np.ndarray]) -> None:
        """Gram matrices of the styles in both sizes, and the units costs are measured in."""
        self.wanted: list[dict[str, Tensor]] = []
        pictures = [sized(tensor(image), self.recipe.style_side) for image in styles.values()]
        for shrink in (lambda x: x, half):
            maps = [self.features(shrink(x), self.recipe.layers) for x in pictures]
            self.wanted.append({layer: torch.cat([mean_gram(one[layer]) for one in maps]) for layer in self.recipe.layers})
        self.style_units = [{layer: style_cost(torch.zeros_like(grams), grams) for layer, grams in one.items()} for one in self.wanted]
        side = self.recipe.patch
        watched = torch.cat([half(patch(image, side, 0.5, 0.5, min(image.shape[:2]))) for image in self.train[:WATCHED]])
        maps = self.features(watched, self.recipe.content)
        self.content_units = {layer: float(content_cost(torch.zeros_like(one), one).mean()) for layer, one in maps.items()}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """VGG and the styles' Gram matrices, too, go to the device."""
        super().setup(fabric, runtime)
        self.features.to(fabric.device)
        if runtime.channels_last:
            self.features.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.strengths = self.strengths.to(fabric.device)
        for table in (*self.wanted, *self.style_units):
            table.update({layer: value.to(fabric.device) for layer, value in table.items()})

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Photographs in all styles, costs, gradient, step."""
        recipe, random = self.recipe, np.random.default_rng((self.recipe.seed, index))
        set_rate(self.optimizer, recipe, self.share)
        self.net.train()
        photos = torch.cat([self.drawn(random) for _ in range(recipe.batch)]).to(fabric.device)
        x, which = self.in_all_styles(photos)
        with fabric.autocast():
            made = self.net(x, which)
        costs = self.costs(fabric, photos, made, index % 2, random)
        if recipe.steady:
            costs["steady"] = recipe.steady * self.unsteady(fabric, x, which, made, random)
        loss = torch.stack([*costs.values()]).sum()
        self.optimizer.zero_grad()
        fabric.backward(loss)
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        self.optimizer.step()
        return {"loss": loss.detach(), **{name: cost.detach() for name, cost in costs.items()}}

    def in_all_styles(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, p, p) -> (B S, 3, p, p) and (B S, S): every photograph once for each style."""
        count = len(self.styles)
        which = torch.eye(count, device=photos.device).repeat(len(photos), 1)
        return photos.repeat_interleave(count, 0), which

    def costs(self, fabric: Fabric, photos: Tensor, made: Tensor, size: int, random: np.random.Generator) -> dict[str, Tensor]:
        """Weighted costs of content, style and variation; size 0: of a window half as large, 1: of all at half the size."""
        recipe, side, made = self.recipe, self.recipe.patch // 2, made.float()
        if size:
            looked, truth = half(made), half(photos)
        else:
            y, x = (int(corner) for corner in random.integers(0, side + 1, 2))
            looked, truth = (one[..., y:y + side, x:x + side] for one in (made, photos))
        with fabric.autocast():
            maps = self.features(looked, self.seen)
            with torch.no_grad():
                wanted = self.features(truth, recipe.content)
        content = [weight * content_cost(maps[layer], wanted[layer].repeat_interleave(len(self.styles), 0)) / self.content_units[layer]
                   for layer, weight in recipe.content.items()]  # fmt: skip
        repeat, style = len(photos), []
        for layer, weight in recipe.layers.items():
            grams, units = self.wanted[size][layer].repeat(repeat, 1, 1), self.style_units[size][layer].repeat(repeat)
            style.append(weight * style_cost(mean_gram(maps[layer]), grams) / units)
        styles = torch.stack(style).sum(0) / sum(recipe.layers.values())
        return {
            "content": torch.stack(content).sum(0).mean(),
            "style": recipe.style_weight * (self.strengths.repeat(repeat) * styles).mean(),
            "variation": recipe.variation * total_variation(made).mean(),
        }

    def unsteady(self, fabric: Fabric, x: Tensor, which: Tensor, made: Tensor, random: np.random.Generator) -> Tensor:
        """() of one picture of the batch, moved: mean squared difference between moved afterwards and moved before."""
        one = int(random.integers(len(x)))
        field = movement(1, self.recipe.patch, random).to(x.device)
        noise = torch.from_numpy(random.normal(0, NOISE, tuple(x[:1].shape)).astype(np.float32)).to(x.device)
        moved = (sample(x[one:one + 1], field) + noise).clamp(0, 1)
        with fabric.autocast():
            again = self.net(moved, which[one:one + 1])
        error = again.float() - sample(made[one:one + 1].float(), field)
        edge = round(FAR)  # beyond the edge there was nothing to be moved in
        return error[..., edge:-edge, edge:-edge].square().mean()

    def drawn(self, random: np.random.Generator) -> Tensor:
        """(1, 3, p, p) of a random photograph, place and size, mirrored or not."""
        image = self.train[int(random.integers(len(self.train)))]
        side = int(random.integers(self.recipe.patch, min(image.shape[:2]) + 1))
        x = patch(image, self.recipe.patch, random.random(), random.random(), side)
        return x.flip(3) if random.integers(2) else x

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Costs of the photographs held back, in both sizes; the score is less their sum."""
        if not self.dev:
            return {}
        fabric, device = Fabric(accelerator="cpu"), next(self.net.parameters()).device
        sums: dict[str, float] = {}
        for number, photo in enumerate(self.dev):
            photos = photo.to(device)
            made = self.result.eval()(*self.in_all_styles(photos))
            for size in (0, 1):
                for name, cost in self.costs(fabric, photos, made, size, np.random.default_rng(number)).items():
                    sums[name] = sums.get(name, 0.0) + float(cost) / (2 * len(self.dev))
        return {f"dev/{name}": value for name, value in sums.items()} | {"score": -sum(sums.values())}

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """The photographs held back in every style, a row each."""
        if not self.dev:
            return
        from PIL import Image

        device, rows = next(self.net.parameters()).device, []
        for photo in self.dev:
            made = self.result.eval()(*self.in_all_styles(photo.to(device))).float().cpu()
            rows.append(torch.cat([photo, made]).clamp(0, 1).permute(2, 0, 3, 1).flatten(1, 2))
        sheet = (torch.cat(rows) * 255).round().byte().numpy()
        with atomic(path) as draft:
            Image.fromarray(sheet).save(draft, format="JPEG", quality=90)


def patch(image: np.ndarray, size: int, down: float, across: float, side: int) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, size, size) in 0..1: a square of `side` pixels, so far (0..1) down and across, made smaller."""
    y, x = (round(share * (length - side)) for share, length in zip((down, across), image.shape[:2], strict=True))
    return sized(tensor(image[y:y + side, x:x + side]), size)
