"""Training of a decoder for any style (Huang and Belongie 2017, equations 11 to 13), short enough for a CPU.

Only the decoder learns, so what the encoder makes of photos and styles is computed once and kept. The decoder first learns to give
photos back and is shown more and more styles; Muon and an average of the weights do the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor

from mien.data.files import atomic
from mien.models import vgg_features
from mien.models.adain import LAYER, AdaIN, joined
from mien.nn.style import statistics
from mien.nn.whole import Moments
from mien.runtime import Runtime
from mien.train.adain_recipe import AdaINRecipe
from mien.train.average import EMA
from mien.train.optim import optimiser, set_rate
from mien.train.task import OneNetworkTask
from mien.train.textures import texture

SIZES = {"relu1_1": 30.0, "relu2_1": 190.0, "relu3_1": 360.0, "relu4_1": 250.0, "relu5_1": 40.0}
"""Deviation of the layers' maps, root mean square over 24 photos of the Berkeley set: what their errors are measured in."""
USUAL, FLOOR = 32, 10.0
"""Contents that say what is usual, and the least deviation: some channels are silent in most photos."""
CONTENT, LOOK, STEP, DEV = range(4)
"""What random numbers are for."""


@dataclass(frozen=True)
class Seen:
    """A crop, and what the encoder makes of it."""

    pixels: Tensor
    """(1, 3, s, s) uint8."""
    maps: Tensor
    """(1, 259, s / 4, s / 4) fp16, as `AdaIN.encode` gives them, in units of `SIZES`."""
    style: Moments
    """Of these maps."""
    moments: dict[str, Moments]
    """Of each layer's."""


class AdaINTask(OneNetworkTask):
    """A `Task` for `fit`: what a step shows is a function of seed and step."""

    def __init__(self, recipe: AdaINRecipe, photos: Sequence[np.ndarray], paintings: Sequence[np.ndarray], dev: Sequence[np.ndarray],
                 features: vgg_features.VGGFeatures | None = None, start: AdaIN | None = None) -> None:
        """`photos`, `paintings`, `dev`: (H, W, 3) uint8. `features`: None for VGG16's (RuntimeError where they cannot be had).

        `start`: a network that has learnt already, whose encoder is then taken.
        """
        self.recipe, self.photos, self.paintings = recipe, photos, paintings
        self.features = (start.encoder if start else features or vgg_features.load()).eval().requires_grad_(False)
        self.layers = tuple(dict.fromkeys((*recipe.weights, LAYER)))
        torch.manual_seed(recipe.seed)
        self.net = self._adain = (start or AdaIN(self.features)).train().requires_grad_(True)
        self._kept: dict[tuple[int, int], Seen] = {}
        if start is None:
            self._become_usual([self.content(number) for number in range(min(USUAL, recipe.contents))])
        self.items = recipe.batch
        self.steps = max(round(recipe.epochs * len(photos) / recipe.batch), 1)
        self.optimizer = optimiser(self.net, recipe)
        self.ema = EMA(self.net, recipe.average) if recipe.average else None
        self.dev = [self._see(self._crop(image, self._random(DEV, place))) for place, image in enumerate(dev)]

    def _become_usual(self, some: Sequence[Seen]) -> None:
        means, spreads = (torch.cat([one.style[part] for one in some]) for part in (0, 1))
        mean = means.mean(0, keepdim=True)
        self._adain.usual_mean.copy_(mean)
        self._adain.usual_spread.copy_((spreads.square() + (means - mean).square()).mean(0, keepdim=True).sqrt().clamp_min(FLOOR))
        self._adain.usual_spread[:, self._adain.channels:] = 0.25

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """VGG, too, goes to the device."""
        super().setup(fabric, runtime)
        self.features.to(fabric.device)
        if runtime.channels_last:
            self.features.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Contents and styles, some of them the content's own; loss, gradient, step."""
        recipe, random = self.recipe, self._random(STEP, index)
        set_rate(self.optimizer, recipe, self.share)
        contents = [self.content(int(random.integers(recipe.contents))) for _ in range(recipe.batch)]
        early = max(2 - 2 * self.share / recipe.first, 0) if recipe.first else 0
        if self.share < recipe.first / 2:
            return self._given_back(fabric, contents)
        own = random.random(recipe.batch) < recipe.own + (1 - recipe.own) * early
        styles = [content if same else self.look(int(random.integers(recipe.looks)))
                  for content, same in zip(contents, own, strict=True)]  # fmt: skip
        with fabric.autocast():
            made, losses = self.losses(contents, styles, fabric.device)
        again = torch.from_numpy(own.astype(np.float32)).to(made.device)
        losses["pixels"] = ((made.float() - truth(contents, made.device)).abs().flatten(1).mean(1) * again).mean()
        loss = losses["content"] + recipe.style * losses["style"] + recipe.pixels * losses["pixels"]
        self.optimizer.zero_grad()
        fabric.backward(loss)
        self.optimizer.step()
        return {"loss": loss.detach(), **{name: value.detach() for name, value in losses.items()}}

    def _given_back(self, fabric: Fabric, contents: Sequence[Seen]) -> dict[str, float | Tensor]:
        """A step of the first part, by pixels alone: VGG takes most of the time and adds little as long as colours are not learnt."""
        maps = torch.cat([one.maps for one in contents]).to(fabric.device).float() * SIZES[LAYER]
        with fabric.autocast():
            made = self._adain.decode(maps)
        loss = self.recipe.pixels * (made.float() - truth(contents, made.device)).abs().mean()
        self.optimizer.zero_grad()
        fabric.backward(loss)
        self.optimizer.step()
        return {"loss": loss.detach()}

    def losses(self, contents: Sequence[Seen], styles: Sequence[Seen], device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
        """The pictures made, and equations 12 and 13; errors are squared, in units of `SIZES`, and means over channels and places."""
        net = self._adain if self._adain.training else self.result
        assert isinstance(net, AdaIN)
        maps = torch.cat([one.maps.to(device).float() for one in contents]) * SIZES[LAYER]  # autocast on a CPU knows no fp16
        mean, spread = (torch.cat([one.style[part] for one in styles]).to(device) for part in (0, 1))
        target = net.target(maps, [(mean, spread)], torch.ones(1))
        made = net.decode(target)
        seen = self.features(made, self.layers)
        content = ((seen[LAYER].float() - target[:, :net.channels]) / SIZES[LAYER]).square().mean()
        style = made.new_zeros((), dtype=torch.float32)
        for layer, weight in self.recipe.weights.items():
            goal = (torch.cat([one.moments[layer][part] for one in styles]).to(device) for part in (0, 1))
            style = style + weight * sum(((now - then) / SIZES[layer]).square().mean()
                                         for now, then in zip(statistics(seen[layer]), goal, strict=True))  # fmt: skip
        return made, {"content": content, "style": style}

    def content(self, number: int) -> Seen:
        """Photo crop `number`; computed once."""
        if (CONTENT, number) not in self._kept:
            random = self._random(CONTENT, number)
            image = self.photos[number % len(self.photos)]
            self._kept[CONTENT, number] = self._see(self._crop(image, random))
        return self._kept[CONTENT, number]

    def look(self, number: int) -> Seen:
        """Style `number`: of a painting, a drawn texture, or a photo, at times in other colours."""
        if (LOOK, number) not in self._kept:
            random = self._random(LOOK, number)
            kind = int(random.choice(3, p=np.array(self.recipe.shares) / sum(self.recipe.shares)))
            if kind == 1 or (kind == 0 and not self.paintings):
                crop = texture(random, self.recipe.side)
            else:
                pictures = self.paintings if kind == 0 else self.photos
                crop = self._crop(pictures[int(random.integers(len(pictures)))], random)
                crop = recoloured(crop, random) if random.random() < 0.7 else crop
            self._kept[LOOK, number] = self._see(crop)
        return self._kept[LOOK, number]

    def _see(self, crop: np.ndarray) -> Seen:
        pixels = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None]
        with torch.no_grad():
            found = self.features((pixels.float() / 255).to(next(self.features.parameters()).device), self.layers)
            maps = joined(found[LAYER].float(), pixels.float().to(found[LAYER].device) / 255)
        mean, spread = statistics(maps)
        moments: dict[str, Moments] = {}
        for name, one in found.items():
            level, depth = statistics(one)
            moments[name] = level.cpu(), depth.cpu()
        return Seen(pixels, (maps / SIZES[LAYER]).half().cpu(), (mean.cpu(), spread.cpu()), moments)

    def _crop(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A square of any scale from that of the pixels up to all of the picture; at times mirrored."""
        side, most = self.recipe.side, min(image.shape[:2])
        size = min(max(round(side * (most / side) ** random.random()), 16), most)
        y, x = (int(random.integers(length - size + 1)) for length in image.shape[:2])
        crop = image[y:y + size, x:x + size]
        crop = crop if size == side else np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.LANCZOS))
        return crop[:, ::-1] if random.random() < 0.5 else crop

    def _random(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self.recipe.seed, kind, number))

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Loss on photos held back, each in the style of two looks that are not learnt from."""
        device = next(self.net.parameters()).device
        total = {"content": 0.0, "style": 0.0}
        self.net.eval()
        for shift in (0, 1):
            looks = [self.look(self.recipe.looks + 2 * place + shift) for place in range(len(self.dev))]
            for name, value in self.losses(self.dev, looks, device)[1].items():
                total[name] += float(value) / 2
        self.net.train()
        score = -total["content"] - self.recipe.style * total["style"]
        return {f"dev/{name}": value for name, value in total.items()} | {"score": score}

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """A sheet: a row for each of five photos held back, itself, given back, and in five styles, which are above."""
        net, device = self.result, next(self.net.parameters()).device
        assert isinstance(net, AdaIN)
        looks = [self.look(self.recipe.looks + place) for place in range(5)]
        blank = torch.full_like(self.dev[0].pixels, 255)
        rows = [torch.cat([blank, blank, *(look.pixels for look in looks)], 3)]
        for one in self.dev[:5]:
            maps = one.maps.to(device).float() * SIZES[LAYER]
            made = [net.decode(net.target(maps, [look.style], torch.ones(1))) for look in (one, *looks)]
            rows.append(torch.cat([one.pixels, *((y.clamp(0, 1) * 255).round().byte().cpu() for y in made)], 3))
        with atomic(path) as draft:
            Image.fromarray(torch.cat(rows, 2)[0].permute(1, 2, 0).numpy()).save(draft, format="JPEG", quality=92)


def truth(contents: Sequence[Seen], device: torch.device) -> Tensor:
    """(B, 3, s, s) in 0..1."""
    return torch.cat([one.pixels for one in contents]).to(device).float() / 255


def recoloured(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 -> the same shapes: channels exchanged, each lighter or darker, at times turned into its negative."""
    x = crop[..., random.permutation(3)].astype(np.float32) / 255
    x = 1 - x if random.random() < 0.2 else x
    x = x ** np.exp(random.normal(0, 0.3, 3))
    grey = x.mean(-1, keepdims=True)
    x = grey + (x - grey) * random.uniform(0.2, 1.6)
    return (x * 255).clip(0, 255).astype(np.uint8)
