"""Train a swap: every person's decoder restores that person's face from the shared encoder's code of a warped one."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import AdamW

from mien.data.pictures import write_picture
from mien.faces.align import COVER
from mien.faces.faceset import FaceSet
from mien.faces.mask import weight_map
from mien.metrics.similarity import masked_mean, ssim, ssim_map
from mien.models.swap import SwapNet
from mien.nn.augment import Jitter, centre, training_pair
from mien.provenance.manifest import sign
from mien.runtime import Runtime
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.one_network import OneNetwork
from mien.train import EMA

HELD_OUT = 0.1
"""Share of a person's faces, the last ones, that training never sees: they give the score."""


@dataclass(frozen=True)
class Recipe:
    """A complete training configuration."""

    network: str = "compact"
    pretrained: bool = True
    batch: int = 16
    """Faces a person in one step."""
    rate: float = 5e-4
    encoder_rate: float = 2e-4
    """0 leaves the encoder as it is: for one-photo swaps and for adding a person."""
    betas: tuple[float, float] = (0.9, 0.99)
    structure: float = 0.5
    """Weight of 1 - SSIM beside 2 times the mean absolute error."""
    average: float = 0.998
    decay: bool = True
    """Lower the learning rate to a twentieth over the last three fifths."""
    calm: float = 0.2
    """What is left of the jitter in the end; it falls with the learning rate, so that the last steps see faces as they are."""
    clip: float = 1.0
    jitter: Jitter = field(default_factory=lambda: Jitter(colour=0.05, tint=0.03))
    adversary: Adversary | None = None
    """What joins the training once restoring no longer gets better: see `mien.tasks.swap.adversarial`."""


def tensors(faces: FaceSet, size: int) -> Tensor:
    """(N, 4, S, S) uint8: crops that cover `COVER` windows of `size` pixels, and how much each pixel counts."""
    side = round(size * COVER)
    crops = faces.crops(size=side)
    points = faces.crop_landmarks() * (side / faces.size)
    weights = np.stack([weight_map(p, (side, side)) for p in points])
    return torch.from_numpy(np.concatenate([crops, weights[..., None]], 3)).permute(0, 3, 1, 2).contiguous()


def decay(share: float) -> float:
    """The learning rate's factor when `share` of the training is done: 1 for the first two fifths, then a cosine to 0.05."""
    late = max(share - 0.4, 0.0) / 0.6
    return 0.05 + 0.95 * (1 + math.cos(math.pi * late)) / 2


def restoration(made: Tensor, target: Tensor, weight: Tensor, structure: float) -> tuple[Tensor, dict[str, float | Tensor]]:
    """(B, 3, S, S) twice, (B, 1, S, S) -> the loss, 2 |error| + structure * (1 - SSIM) by weight, and what to show of it."""
    error = masked_mean((made - target).abs(), weight).mean()
    unlike = masked_mean(1 - ssim_map(made, target), weight).mean()
    loss = 2 * error + structure * unlike
    return loss, {"loss": loss.detach(), "error": error.detach(), "structure": unlike.detach()}


def split(crops: Tensor) -> tuple[Tensor, Tensor]:
    """Training and held-out faces; of fewer than ten all are both."""
    held = round(len(crops) * HELD_OUT)
    return (crops[:-held], crops[-held:]) if len(crops) >= 10 else (crops, crops)


class SwapTask(OneNetwork):
    """A batch holds everybody's faces; each goes through the shared encoder and its person's decoder."""

    def __init__(self, net: SwapNet, crops: dict[str, Tensor], recipe: Recipe, learn: list[str] | None = None,
                 title: str = "preview of a face swap") -> None:
        """`crops`: per person as `tensors` gives them. `learn`: whose decoders are trained, by default everybody's."""
        self.net, self.recipe, self.title = net, recipe, title
        self.learn = learn or list(crops)
        self.seen, self.held = ({p: split(c)[i] for p, c in crops.items()} for i in (0, 1))
        self.items = recipe.batch * len(self.learn)
        self.rng = torch.Generator().manual_seed(0)
        for name, decoder in net.decoders.items():
            decoder.requires_grad_(name in self.learn)
        net.encoder.requires_grad_(recipe.encoder_rate > 0)
        groups = [{"params": [p for n in self.learn for p in net.decoders[n].parameters()], "lr": recipe.rate},
                  {"params": list(net.encoder.parameters()), "lr": recipe.encoder_rate}]
        groups = [{**g, "peak": g["lr"]} for g in groups if g["lr"] > 0]
        self.optimizer = AdamW(groups, betas=recipe.betas, weight_decay=1e-4, fused=True)
        self.ema = EMA(net, recipe.average)
        self.runtime: Runtime | None = None

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Remember how to compute, for the score."""
        super().setup(fabric, runtime)
        self.runtime = runtime

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """One batch of everybody through the encoder, each part through its person's decoder."""
        loss, told = restoration(*self.drawn(fabric), self.recipe.structure)
        self.descend(fabric, loss, self.recipe.clip)
        return told

    def drawn(self, fabric: Fabric) -> tuple[Tensor, Tensor, Tensor]:
        """The next batch, as many faces of each person: made (B, 3, S, S), what it should be, and how much each pixel counts."""
        size, recipe = self.net.size, self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * decay(self.share) if recipe.decay else group["peak"]
        seen = [self.seen[p] for p in self.learn]
        picked = [c[torch.randint(len(c), (recipe.batch,), generator=self.rng)] for c in seen]
        jitter = recipe.jitter.scaled(recipe.calm + (1 - recipe.calm) * decay(self.share) if recipe.decay else 1.0)
        warped, target, weight = training_pair(torch.cat(picked).to(fabric.device), size, COVER, jitter, self.rng)
        with fabric.autocast():
            codes = self.net.code(warped.contiguous(memory_format=torch.channels_last)).chunk(len(self.learn))
            made = torch.cat([self.net.decoders[p](code) for p, code in zip(self.learn, codes, strict=True)]).float()
        return made, target, weight

    def state(self) -> dict[str, Any]:
        """Where the random numbers stand, and what they are used for."""
        return {**super().state(), "recipe": asdict(self.recipe)}

    def _draw(self, faces: Tensor, person: str) -> Tensor:
        """(N, 3, S, S) -> the averaged network's picture of `person`."""
        assert self.runtime is not None
        with self.runtime.autocast():
            x = faces.to(self.runtime.device).contiguous(memory_format=torch.channels_last)
            return self.ema.module(x, person).float().cpu()

    def evaluate(self) -> dict[str, float]:
        """SSIM inside the face of at most 48 held-out faces a person; the score is the mean over people."""
        scores = {}
        for person in self.learn:
            held = self.held[person]
            held = held[torch.linspace(0, len(held) - 1, min(len(held), 48)).long()]
            true = centre(held, self.net.size, COVER)
            face = (true[:, 3:] > 0.3).float()
            scores[f"ssim/{person}"] = float(ssim(self._draw(true[:, :3], person), true[:, :3], face).mean())
        return {"score": sum(scores.values()) / len(scores), **scores}

    def preview(self, path: Path) -> None:
        """For four held-out faces of each person, side by side: the face, itself restored, and drawn as everybody else; signed."""
        rows = []
        for person in self.learn:
            held = self.held[person]
            true = centre(held[torch.linspace(0, len(held) - 1, 4).long()], self.net.size, COVER)[:, :3]
            others = [p for p in self.net.decoders if p != person]
            drawn = [true, self._draw(true, person), *(self._draw(true, p) for p in others)]
            rows.append(torch.cat([torch.cat(list(column), 2) for column in torch.stack(drawn, 1)], 2))
        picture = (torch.cat(rows, 1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        write_picture(path, picture)
        sign(path, path, title=self.title, action="faces restored and swapped by a network in training", model=self.recipe.network)
