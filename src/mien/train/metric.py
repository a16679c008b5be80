"""Training of an embedder: P people x K pictures in a batch, one network, one of the losses of `mien.nn.metric`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from mien.metrics.verification import all_pairs, auc, roc
from mien.models.classifier import Plan, build, fit_inputs
from mien.models.embedder import vectors
from mien.nn import metric
from mien.nn.augment import moved
from mien.nn.batches import draw, gather, seeded
from mien.nn.norms import restatistic
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.optim import optimiser, set_rate
from mien.train.recipe import MetricRecipe
from mien.train.supervised import AT_ONCE, SETTLE, Part
from mien.train.task import OneNetworkTask


@dataclass(frozen=True)
class Loss:
    """One way to learn distances."""

    cost: Callable[[Any, Tensor, Tensor, float, float], Tensor]
    """Head, (B, D) vectors of unit length, (B,) people, margin, scale -> one number."""
    margin: float = 0.0
    head: Callable[[int, int], nn.Module] = lambda size, people: nn.Identity()
    """Numbers in a vector, people in the training -> what is trained beside the network."""


def _softmax(logits: Callable[[Tensor, Tensor, float, float], Tensor]) -> Callable[[Any, Tensor, Tensor, float, float], Tensor]:
    return lambda head, v, people, margin, scale: F.cross_entropy(logits(head(v), people, scale, margin), people)


LOSSES: dict[str, Loss] = {
    "triplet": Loss(lambda head, v, people, margin, scale: metric.batch_all(v, people, margin), 0.2),
    "semi-hard": Loss(lambda head, v, people, margin, scale: metric.semi_hard(v, people, margin), 0.2),
    "batch-hard": Loss(lambda head, v, people, margin, scale: metric.batch_hard(v, people, margin), 0.2),
    "contrastive": Loss(lambda head, v, people, margin, scale: metric.contrastive_loss(v, people, margin), 1.0),
    "pairwise": Loss(
        lambda head, v, people, margin, scale: metric.pairwise_loss(head, v, people), head=lambda size, people: metric.PairHead(size)
    ),
    "arcface": Loss(_softmax(metric.arcface), 0.5, metric.Directions),
    "cosface": Loss(_softmax(metric.cosface), 0.35, metric.Directions),
}
"""Margins: Schroff et al. 2015, Deng et al. 2019, Wang et al. 2018; contrastive: vectors of unit length by chance are 1.41 apart."""


class Objective(nn.Module):
    """Network, head and loss as one module, so that several processes average all their gradients."""

    def __init__(self, net: nn.Module, head: nn.Module, loss: Loss, margin: float, scale: float) -> None:
        super().__init__()
        self.net, self.head, self.loss, self.margin, self.scale = net, head, loss, margin, scale

    def forward(self, images: Tensor, people: Tensor) -> Tensor:
        """(B, C, H, W), (B,) -> one number; distances and cosines in full precision whatever the network runs in."""
        found = self.net(images)
        with torch.autocast(found.device.type, enabled=False):
            return self.loss.cost(self.head, found.float(), people, self.margin, self.scale)


class PeopleSampler:
    """Which pictures a step shows: P people in turn, everybody once before anybody twice, K pictures of each at random.

    A function of the seed and the step: there is no state to keep.
    """

    def __init__(self, labels: Tensor, people: int, photos: int, seed: int) -> None:
        """`labels` (N,) people from 0; P is at most the number of people there are."""
        self.places = [(labels == one).nonzero()[:, 0] for one in range(int(labels.max()) + 1)]
        self.people, self.photos, self.seed = min(people, len(self.places)), photos, seed

    def people_at(self, step: int, detour: int = 0) -> list[int]:
        """(P,); those left over when a round ends wait for another round's order."""
        turn, place = divmod(step, len(self.places) // self.people)
        order = torch.randperm(len(self.places), generator=seeded(self.seed, detour, 0, turn))
        return order[place * self.people : (place + 1) * self.people].tolist()

    def pictures(self, people: Sequence[int], random: torch.Generator) -> Tensor:
        """(P K,) places of pictures, person by person; who has fewer than K is shown some again."""
        return torch.cat([self._some(self.places[one], random) for one in people])

    def _some(self, places: Tensor, random: torch.Generator) -> Tensor:
        rounds = -(-self.photos // len(places))
        return torch.cat([places[torch.randperm(len(places), generator=random)] for _ in range(rounds)])[: self.photos]


class MetricTask(OneNetworkTask):
    """A `Task` for `fit`: the batches are a function of seed and step, as those of `SupervisedTask` are.

    Several processes each take their share of a step's people and seek triplets and pairs among those.
    """

    def __init__(self, recipe: MetricRecipe, train: Part, dev: Part | None = None) -> None:
        """Labels of `train` are people from 0, without gaps."""
        height, width, channels = train.images.shape[1:]
        self.recipe, self.train, self.dev = recipe, train, dev
        self.plan = Plan(
            recipe.network, (channels, height, width), (), recipe.inputs, recipe.mirror, dict(recipe.options), vector=recipe.vector
        )
        torch.manual_seed(recipe.seed)
        self.net = build(self.plan)
        fit_inputs(self.net, train.images.permute(0, 3, 1, 2))
        loss = LOSSES[recipe.loss]
        margin = loss.margin if recipe.margin is None else recipe.margin
        self.objective = Objective(self.net, loss.head(recipe.vector, int(train.labels.max()) + 1), loss, margin, recipe.scale)
        self.sampler = PeopleSampler(train.labels, recipe.people, recipe.photos, recipe.seed)
        self.items = self.sampler.people * recipe.photos
        self.epoch_steps = max(len(train) // self.items, 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(self.objective, recipe)
        self.ema = EMA(self.net, recipe.average) if recipe.average else None
        self.detours, self._last = 0, -1
        self.forward: nn.Module = self.objective

    def modules(self) -> dict[str, nn.Module]:
        """Network and head."""
        return {"objective": self.objective}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Network and pictures to the device."""
        super().setup(fabric, runtime)
        self.runtime = runtime
        self.train = Part(self.train.images.to(fabric.device), self.train.labels.to(fabric.device))
        if fabric.world_size > 1:
            if self.sampler.people % fabric.world_size or self.sampler.people < 2 * fabric.world_size:
                raise ValueError(
                    f"{self.sampler.people} people a step cannot be shared by {fabric.world_size} processes: choose a multiple, "
                    "at least two for each"
                )
            self.items //= fabric.world_size
            self.forward = fabric.setup_module(self.objective, move_to_device=False)

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Batch, loss, gradient, step."""
        set_rate(self.optimizer, self.recipe, self.share)
        images, people = self._batch(fabric, index)
        with fabric.autocast():
            loss = self.forward(images, people)
        self.optimizer.zero_grad()
        fabric.backward(loss)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.objective.parameters(), self.recipe.clip)
        self.optimizer.step()
        return {"loss": loss.detach()}

    def _batch(self, fabric: Fabric, index: int) -> tuple[Tensor, Tensor]:
        """Pictures (B, C, H, W) uint8, changed as the recipe says, and their people (B,)."""
        recipe = self.recipe
        if index <= self._last:  # rolled back: the same batches would end the same way
            self.detours += 1
        self._last = index
        random = seeded(recipe.seed, self.detours, 1, index)
        whole = self.sampler.pictures(self.sampler.people_at(index, self.detours), random)
        changes = draw(len(whole), (self.train.images.shape[1], self.train.images.shape[2]), recipe.shift, random)
        if not recipe.flip:
            changes.mirrored.zero_()
        share = len(whole) // fabric.world_size
        mine = slice(fabric.global_rank * share, (fabric.global_rank + 1) * share)
        which = whole[mine].to(self.train.images.device)
        images = gather(self.train.images, which, changes[mine], recipe.cutout)
        if recipe.turn or recipe.zoom or recipe.light:
            random = seeded(recipe.seed, self.detours, 2 + fabric.global_rank, index)
            images = moved(images, recipe.turn, recipe.zoom, recipe.light, random)
        return images, self.train.labels[which]

    def state(self) -> dict[str, Any]:
        """How often the run was rolled back."""
        return {"detours": self.detours}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.detours = state["detours"]

    def evaluate(self) -> dict[str, float]:
        """Area under the curve of the people held back to watch, if there are any: the score."""
        if not self.dev:
            return {}
        pairs = all_pairs(self.vectors(self.dev.images).numpy(), self.dev.labels.cpu().numpy())
        area = auc(roc(pairs.distances, pairs.same))
        return {"dev/auc": area, "score": area}

    def settle(self) -> None:
        """Batch statistics for the averaged weights, from evenly chosen training pictures: those copied belong to the last weights."""
        images = self.train.images[:: max(len(self.train) // SETTLE, 1)]
        with self.runtime.autocast():
            restatistic(self.result, (part.permute(0, 3, 1, 2) for part in images.split(AT_ONCE)))

    def vectors(self, images: Tensor) -> Tensor:
        """(N, H, W, C) uint8 -> (N, D) on the CPU, by what is kept in the end."""
        with self.runtime.autocast():
            return vectors(self.result.eval(), images, self.recipe.mirror)
