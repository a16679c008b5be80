"""Adversarial training: a step is a round, `judge_steps` of the judge and one of the generator; every network and loss of the house.

What a round shows is a function of seed and step. The judge's passes over real and made pictures are one where its layers treat each
picture alone; with batch norm they are two, as in the DCGAN paper. In the generator's pass the judge's own gradients are not computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from mien.data.files import atomic
from mien.models.generator import Plan, build, latent, pictures
from mien.models.judges import build_judge
from mien.nn.batches import Changes, gather, seeded
from mien.nn.diff_augment import changed
from mien.nn.gan import LOSSES, clip_weights, gradient_penalty, r1
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.gan_recipe import GANRecipe
from mien.train.gan_watch import Watch
from mien.train.generate import SHEET, sheet
from mien.train.optim import optimiser, rate
from mien.train.task import Measured

SETTLING = 16
"""Batches that the averaged generator's batch statistics are taken from."""
UNBOUNDED = "wasserstein"
"""The loss whose values say nothing of who has won."""


class GANTask(Measured):
    """A `Task` for `fit` with two networks, two optimisers and two averages."""

    def __init__(self, recipe: GANRecipe, train: np.ndarray, labels: np.ndarray | None = None, names: tuple[str, ...] = (),
                 folder: Path | None = None) -> None:  # fmt: skip
        """(N, S, S, C) uint8 and, for a conditional one, (N,) places in `names`; folder: where sheets go. ValueError for others."""
        if train.ndim != 4 or train.shape[1] != train.shape[2]:
            raise ValueError(f"found pictures of {' x '.join(map(str, train.shape[1:]))}, expected square ones: --set size=64")
        if len(train) < 2:
            raise ValueError("found one picture, expected two or more: a judge that has seen one alone learns it by heart")
        if recipe.conditional and labels is None:
            raise ValueError("found pictures without labels, expected labels: a conditional network learns what to draw by them")
        self.recipe, self.folder = recipe, folder
        self.train = torch.from_numpy(np.ascontiguousarray(train))
        self.labels = torch.from_numpy(labels).long() if recipe.conditional and labels is not None else None
        self.plan = Plan(recipe.network, train.shape[1], dict(recipe.options), train.shape[3], names if recipe.conditional else ())
        torch.manual_seed(recipe.seed)
        self.net, self.judge = build(self.plan), build_judge(self.plan, recipe.judge)
        self.optimizer, self.judge_optimizer = optimiser(self.net, recipe), optimiser(self.judge, recipe)
        self.ema = {name: EMA(module, recipe.average) for name, module in self.modules().items()} if recipe.average else {}
        self.together = not any(isinstance(module, _BatchNorm) for module in self.judge.modules())
        self.items = min(recipe.batch, len(train))
        self.epoch_steps = max(len(train) // (self.items * recipe.judge_steps), 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.detours, self._last, self._order = 0, -1, (-1, torch.empty(0))
        shown = self._which(0)
        known = None if self.labels is None else self.labels[shown]
        self.watch = Watch(self._real(shown, None), recipe.loss != UNBOUNDED, known)

    def modules(self) -> dict[str, nn.Module]:
        """Generator and judge."""
        return {"net": self.net, "judge": self.judge}

    def optimizers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self.optimizer, "judge": self.judge_optimizer}

    def averages(self) -> dict[str, EMA]:
        """One each, or none."""
        return self.ema

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Nothing beside the networks' way to their device."""
        super().setup(fabric, runtime)
        self.runtime = runtime

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """A round; before some of them a sheet of samples, and a look at how alike they are."""
        recipe = self.recipe
        if index <= self._last:  # rolled back: the same pictures would end the same way
            self.detours += 1
            self.watch.forget()
        self._last, told = index, {}
        if index % recipe.sheets == 0:
            told["spread"] = self._look(index)
        factor = rate(recipe, self.share)
        for optimizer, lr in ((self.optimizer, recipe.lr), (self.judge_optimizer, recipe.lr * recipe.judge_rate)):
            for group in optimizer.param_groups:
                group["lr"] = lr * factor
        random = seeded(recipe.seed, self.detours, 1, index)
        self.net.train()
        self.judge.train()
        made, labels = torch.empty(0), None
        for turn in range(recipe.judge_steps):
            which = self._which(index * recipe.judge_steps + turn)
            labels = None if self.labels is None else self.labels[which].to(fabric.device)
            z = torch.randn(self.items, latent(self.net), generator=random).to(fabric.device)
            with fabric.autocast(), torch.set_grad_enabled(turn == recipe.judge_steps - 1):
                made = self.net(z, labels)  # the last ones are the generator's own lesson, too
            real, count = self._real(which, random), index * recipe.judge_steps + turn
            told |= self._judge_step(fabric, count, real, made.detach(), labels, random)
        told |= {"loss": self._generator_step(fabric, made, labels, random)}
        self.trouble = self.watch.trouble(index) if recipe.watch else ""
        return told

    def _judge_step(self, fabric: Fabric, turn: int, real: Tensor, made: Tensor, labels: Tensor | None,
                    random: torch.Generator) -> dict[str, float | Tensor]:  # fmt: skip
        recipe, game, real = self.recipe, LOSSES[self.recipe.loss], real.to(fabric.device)
        real, made = (changed(x, recipe.augment, random) for x in (real, made.to(real.dtype)))
        with fabric.autocast():
            if self.together:
                both = torch.cat([real, made]), None if labels is None else torch.cat([labels, labels])
                of_real, of_made = self.judge(*both).float().chunk(2)
            else:
                of_real, of_made = self.judge(real, labels).float(), self.judge(made, labels).float()
        loss = total = game.judge(of_real, of_made)
        told: dict[str, float | Tensor] = {"judging": loss.detach()}
        if recipe.penalty != "none" and turn % recipe.penalty_every == 0:
            steep = self._penalty(fabric, real, made, labels, random)
            told["penalty"] = steep.detach()
            total = loss + recipe.penalty_weight * recipe.penalty_every * steep
        self.judge_optimizer.zero_grad()
        fabric.backward(total)
        self._clip(self.judge)
        self.judge_optimizer.step()
        if recipe.clip_judge:
            clip_weights(self.judge.parameters(), recipe.clip_judge)
        self.watch.judged(float(loss.detach()))
        return told

    def _penalty(self, fabric: Fabric, real: Tensor, made: Tensor, labels: Tensor | None, random: torch.Generator) -> Tensor:
        """In fp32: gradients of gradients lose too much otherwise."""
        with torch.autocast(fabric.device.type, enabled=False):
            if self.recipe.penalty == "r1":
                return r1(lambda x: self.judge(x, labels), real)
            share = torch.rand(len(real), generator=random).to(fabric.device)
            return gradient_penalty(lambda x: self.judge(x, labels), real, made, share)

    def _generator_step(self, fabric: Fabric, made: Tensor, labels: Tensor | None, random: torch.Generator) -> Tensor:
        for p in self.judge.parameters():
            p.requires_grad_(False)  # it has learnt already: its gradients are not computed
        with fabric.autocast():
            told = self.judge(changed(made.float(), self.recipe.augment, random), labels)
        loss = LOSSES[self.recipe.loss].generator(told.float())
        self.optimizer.zero_grad()
        fabric.backward(loss)
        for p in self.judge.parameters():
            p.requires_grad_(True)
        self._clip(self.net)
        self.optimizer.step()
        return loss.detach()

    def _clip(self, net: nn.Module) -> None:
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(net.parameters(), self.recipe.clip)

    def _real(self, which: Tensor, random: torch.Generator | None) -> Tensor:
        """(B, C, S, S) in -1..1, mirrored by chance where the recipe says so."""
        changes = None
        if self.recipe.flip and random is not None:
            mirrored = torch.rand(len(which), generator=random) < 0.5
            changes = Changes(mirrored, torch.zeros(len(which), 2, dtype=torch.long), torch.zeros(len(which), 2, dtype=torch.long))
        return gather(self.train, which, changes).float() / 127.5 - 1

    def _which(self, turn: int) -> Tensor:
        """The pictures of one of the judge's steps: each once an epoch."""
        epoch, place = divmod(turn, max(len(self.train) // self.items, 1))
        key = epoch * 1000 + self.detours
        if self._order[0] != key:
            self._order = (key, torch.randperm(len(self.train), generator=seeded(self.recipe.seed, self.detours, 0, epoch)))
        return self._order[1][place * self.items:(place + 1) * self.items]

    @property
    def result(self) -> nn.Module:
        """What is kept in the end: the average where there is one, in use as it will be."""
        return self.ema["net"].module if self.ema else self.net

    @torch.no_grad()
    def settle(self) -> None:
        """Batch statistics of the averaged generator: its own, since those of the one that learns belong to other weights.

        They are the mean of `SETTLING` batches of fixed noise (Brock et al. 2019, arXiv 1809.11096, section 3.2: standing statistics).
        """
        norms = [module for module in self.result.modules() if isinstance(module, _BatchNorm)]
        if not norms or not self.ema:
            return
        random, before = seeded(self.recipe.seed, 5), [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        device = next(self.result.parameters()).device
        for _ in range(SETTLING):
            z = torch.randn(64, latent(self.net), generator=random).to(device)
            labels = torch.randint(len(self.plan.labels), (64,), generator=random).to(device) if self.plan.labels else None
            self.result(z, labels)
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.eval()

    @torch.no_grad()
    def samples(self) -> Tensor:
        """(64, C, S, S) in 0..1 from the same noise every time, of every label in turn."""
        net, learning = self.result, self.result.training
        with self.runtime.autocast():
            drawn = pictures(net.eval(), torch.randn(SHEET * SHEET, latent(net), generator=seeded(self.recipe.seed, 4)))
        net.train(learning)
        return drawn

    def asked(self, count: int) -> Tensor | None:
        """The labels of samples: all in turn."""
        return torch.arange(count) % len(self.plan.labels) if self.plan.labels else None

    def _look(self, index: int) -> float:
        """A sheet, and how far the samples lie apart, as a share of the real pictures."""
        self.settle()
        drawn = self.samples()
        if self.folder:
            write_sheet(drawn, self.folder / f"step-{index:07}.png")
        share = self.watch.look(drawn * 2 - 1, self.asked(len(drawn)))
        self.doubted = self.recipe.watch and self.watch.doubt
        return share

    def state(self) -> dict[str, Any]:
        """How often the run was rolled back, and what was seen."""
        return {"detours": self.detours, "watch": self.watch.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.detours = state["detours"]
        self.watch.load_state(state["watch"])

    def evaluate(self) -> dict[str, float]:
        """How far samples lie apart, as a share of real pictures: none of them says how good they look."""
        self.settle()
        return {"dev/spread": self.watch.share(self.samples() * 2 - 1, self.asked(SHEET * SHEET))}

    def preview(self, path: Path) -> None:
        """The sheet as it is now."""
        write_sheet(self.samples(), path)


def write_sheet(drawn: Tensor, path: Path) -> None:
    """(N, C, S, S) in 0..1 as one picture, `SHEET` across."""
    pixels = (drawn.float() * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    whole = sheet(pixels, SHEET)
    with atomic(path) as draft:
        Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole).save(draft, quality=92)
