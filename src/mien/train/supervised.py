"""Supervised training of a classifier: a recipe and pictures in, a `Task` for `fit` out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.classifier import Plan, build, check, fit_inputs, probabilities
from mien.nn.batches import draw, gather, seeded
from mien.nn.norms import restatistic
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.optim import optimiser, penalised, set_rate
from mien.train.recipe import Recipe
from mien.train.task import OneNetworkTask

AT_ONCE = 500
"""Pictures in one batch of an evaluation."""
SETTLE = 8000
"""Training pictures that batch statistics are taken of anew."""
SIDE = 0.3
"""What the losses of side heads count (Szegedy et al. 2014, section 5)."""


@dataclass(frozen=True)
class Part:
    """Pictures (N, H, W, C) uint8 and labels (N,) int64, both on the device that trains."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class SupervisedTask(OneNetworkTask):
    """All randomness is a function of (seed, epoch) and (seed, step): a resumed run and one on several processes see the same
    batches; every process takes its share of the global batch and of the numbers drawn for it.
    """

    def __init__(
        self, recipe: Recipe, classes: tuple[str, ...], train: Part, dev: Part | None = None, net: nn.Sequential | None = None
    ) -> None:
        """`net`: trained weights to go on from (input layer first), else a new one whose input layer is fitted on `train`."""
        height, width, channels = train.images.shape[1:]
        self.recipe, self.train, self.dev = recipe, train, dev
        self.plan = Plan(recipe.network, (channels, height, width), classes, recipe.inputs, recipe.mirror, dict(recipe.options))
        check(self.plan)
        if recipe.shift >= min(height, width):
            raise ValueError(f"a shift of up to {recipe.shift} pixels leaves nothing of pictures of {width} x {height}")
        torch.manual_seed(recipe.seed)
        self.net = build(self.plan) if net is None else net
        if net is None:
            fit_inputs(self.net, train.images.permute(0, 3, 1, 2))
        self.batch = min(recipe.batch or len(train), len(train))
        self.items = self.batch
        self.epoch_steps = max(len(train) // self.batch, 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(self.net, recipe)
        self.ema = EMA(self.net, recipe.average) if recipe.average else None
        self.l1 = [p for name, p in self.net.named_parameters() if name in penalised(self.net, recipe.penalised)] if recipe.l1 else []
        self.detours, self._last, self._order = 0, -1, (-1, torch.empty(0))
        self.right = torch.zeros((), dtype=torch.long)
        self.shown, self.best = 0, float("-inf")
        self.total: Callable[[Tensor], Tensor] = lambda mine: mine
        self.forward: nn.Module = self.net

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Networks and pictures to the device; several processes: gradients are averaged over them."""
        super().setup(fabric, runtime)
        self.runtime = runtime
        self.train = Part(self.train.images.to(fabric.device), self.train.labels.to(fabric.device))
        self.right = self.right.to(fabric.device)
        if fabric.world_size > 1:
            if self.batch % fabric.world_size:
                raise ValueError(f"a batch of {self.batch} cannot be shared by {fabric.world_size} processes: choose a multiple")
            self.items = self.batch // fabric.world_size
            self.forward = fabric.setup_module(self.net, move_to_device=False)
            self.total = lambda mine: torch.as_tensor(fabric.all_reduce(mine, reduce_op="sum"))

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Batch, loss, gradient, penalties, step."""
        recipe = self.recipe
        set_rate(self.optimizer, recipe, self.share)
        images, labels, others, mix = self._batch(fabric, index)
        with fabric.autocast():
            out = self.forward(images)
        logits, *sides = (one.float() for one in (out if isinstance(out, tuple) else (out,)))
        loss = self._mixed(logits, labels, others, mix)
        for side in sides:
            loss = loss + SIDE * self._mixed(side, labels, others, mix)
        self.optimizer.zero_grad()
        fabric.backward(loss)
        for p in self.l1:
            if p.grad is not None:
                p.grad.add_(p.detach().sign(), alpha=recipe.l1)
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        self.optimizer.step()
        self.right += (logits.detach().argmax(1) == labels).sum()
        self.shown += len(labels)
        return {"loss": loss.detach()}

    def _mixed(self, logits: Tensor, labels: Tensor, others: Tensor, mix: float) -> Tensor:
        if mix == 1:
            return self._loss(logits, labels)
        return mix * self._loss(logits, labels) + (1 - mix) * self._loss(logits, others)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.recipe.loss == "squared":
            return (logits.softmax(1) - F.one_hot(labels, logits.shape[1])).square().sum(1).mean()
        return F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def _batch(self, fabric: Fabric, index: int) -> tuple[Tensor, Tensor, Tensor, float]:
        """Pictures, labels, the labels mixed in, and how much of the first."""
        recipe = self.recipe
        if index <= self._last:  # rolled back: the same batches would end the same way
            self.detours += 1
        self._last = index
        epoch, place = divmod(index, self.epoch_steps)
        whole = self._shuffled(epoch)[place * self.batch : (place + 1) * self.batch]
        mine = slice(fabric.global_rank, None, fabric.world_size)
        which = whole[mine].to(self.train.images.device)
        if not (recipe.flip or recipe.shift or recipe.cutout or recipe.mixup):
            return gather(self.train.images, which), self.train.labels[which], self.train.labels[which], 1.0
        random = seeded(recipe.seed, self.detours, 1, index)
        size = (self.train.images.shape[1], self.train.images.shape[2])
        changes = draw(len(whole), size, recipe.shift, random)
        changes.mirrored.copy_((whole * 2654435761 // 65536 + epoch) % 2 == 0 if recipe.flip else torch.zeros_like(changes.mirrored))
        images = gather(self.train.images, which, changes[mine], recipe.cutout)
        if not recipe.mixup:
            return images, self.train.labels[which], self.train.labels[which], 1.0
        mix = float(np.random.default_rng(int(torch.randint(2**31, (), generator=random))).beta(recipe.mixup, recipe.mixup))
        partner = torch.randperm(len(whole), generator=random)
        others = whole[partner][mine].to(which.device)
        second = gather(self.train.images, others, changes[partner][mine], recipe.cutout)
        return (images.float() * mix + second.float() * (1 - mix)) / 255, self.train.labels[which], self.train.labels[others], mix

    def _shuffled(self, epoch: int) -> Tensor:
        """(N,) the order of an epoch; a part that fills no batch is left out, another one in every epoch."""
        key = epoch * 1000 + self.detours
        if self._order[0] != key:
            self._order = (key, torch.randperm(len(self.train), generator=seeded(self.recipe.seed, self.detours, 0, epoch)))
        return self._order[1]

    def state(self) -> dict[str, Any]:
        """How often the run was rolled back, the running count of right answers, and the best score."""
        return {"detours": self.detours, "right": int(self.right), "shown": self.shown, "best": self.best}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.detours, self.shown, self.best = state["detours"], state["shown"], state["best"]
        self.right.fill_(state["right"])

    def evaluate(self) -> dict[str, float]:
        """Accuracy of the batches since the last time and, where there are dev pictures, of those: the score."""
        right, shown = self.total(torch.stack([self.right, torch.full_like(self.right, self.shown)])).tolist()
        scores = {"train/accuracy": right / max(shown, 1)}
        self.right.zero_()
        self.shown = 0
        if self.dev:
            chances = self.predict(self.dev.images)
            scores["dev/loss"] = float(F.nll_loss(chances.clamp_min(1e-12).log(), self.dev.labels))
            scores["dev/accuracy"] = scores["score"] = float((chances.argmax(1) == self.dev.labels).float().mean())
        return scores

    def settle(self) -> None:
        """Batch statistics for the averaged weights, from evenly chosen training pictures: those copied belong to the last weights."""
        images = self.train.images[:: max(len(self.train) // SETTLE, 1)]
        with self.runtime.autocast():
            restatistic(self.result, (part.permute(0, 3, 1, 2) for part in images.split(AT_ONCE)))

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """(N, H, W, C) uint8 -> (N, classes) probabilities on the CPU, by what is kept in the end."""
        net = self.result.eval()
        device = next(net.parameters()).device
        with self.runtime.autocast():
            return torch.cat(
                [probabilities(net, part.to(device).permute(0, 3, 1, 2), self.recipe.mirror).cpu() for part in images.split(AT_ONCE)]
            )
