"""Training of a Faster R-CNN: two losses of the proposals and two of the regions (Ren et al. 2015, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from mien.data.box_augment import Moves, Seen, augmented, laid, mosaic, resized
from mien.metrics.detection import curves, mean
from mien.models.detector import Net, batched, scale_for, sized
from mien.models.fast_rcnn import Kept
from mien.models.faster_rcnn import FasterRCNN, Proposed
from mien.nn import boxes as bx
from mien.nn.assign import match, sample
from mien.runtime import Runtime
from mien.train.average import EMA
from mien.train.detect_recipe import DetectRecipe
from mien.train.optim import optimiser, set_rate
from mien.train.task import OneNetworkTask
from mien.types import Detections

TOP, LOW, REGION = 0.7, 0.3, 0.5
"""IoU from which on an anchor is positive, below which negative; from which on a region belongs to a box (sections 3.1.2, 3.3)."""


def shown(image: np.ndarray, truth: Detections, side: int, longest: int) -> Seen:
    """(H, W, 3) uint8 with its boxes -> in the size it is learnt in; boxes that are difficult are left out, as the papers do."""
    small = sized(image, scale_for(image.shape[0], image.shape[1], side, longest))
    factor = np.array([small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]] * 2, np.float32)
    return small, replace(truth, boxes=truth.boxes * factor).select(~truth.difficult)


def varied(one: Seen, recipe: DetectRecipe, random: np.random.Generator) -> Seen:
    """The same picture as it might have been taken: mirrored, turned over, nearer or farther, in other light."""
    moves = Moves(mirror=0.5, upside=0.0 if recipe.upright else 0.5, colour=recipe.light)
    image, truth = augmented(*one, moves, random)
    if not recipe.zoom:
        return image, truth
    height, width = image.shape[:2]
    factor = float((1 + recipe.zoom) ** random.uniform(-1, 1))
    size = max(round(height * factor), 1), max(round(width * factor), 1)
    left, top = (int(random.integers(min(0, room), max(0, room) + 1)) for room in (width - size[1], height - size[0]))
    return laid(*resized(image, truth, *size), height, width, left, top)


def tensors(some: Sequence[Seen], device: torch.device,
            layout: torch.memory_format = torch.channels_last) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Pictures with boxes -> (B, 3, H, W) in 0..1; of each picture (N, 4) boxes and (N,) labels."""
    x = batched([image for image, _ in some]).to(device).contiguous(memory_format=layout)
    truths = [torch.from_numpy(truth.boxes).to(device) for _, truth in some]
    return x, truths, [torch.from_numpy(truth.labels).to(device) for _, truth in some]


def proposal_losses(proposed: Proposed, truths: Sequence[Tensor], count: int, random: torch.Generator,
                    within: Sequence[tuple[int, int]] | None = None) -> tuple[Tensor, Tensor]:
    """() log loss of object or not, () smooth L1 of the deltas, of `count` anchors a picture (equation 1).

    within: height and width of each picture; anchors that reach beyond them are left out (section 3.3). None: none are.
    """
    every, scores, deltas = torch.cat(proposed.anchors), torch.cat(proposed.scores, 1), torch.cat(proposed.deltas, 1)
    asked, wanted, told, shifts, total = [], [], [], [], 0
    for number, (score, delta, truth) in enumerate(zip(scores, deltas, truths, strict=True)):
        anchors = every
        if within:
            inside = (bx.clip(every, *within[number]) == every).all(1)
            anchors, score, delta = every[inside], score[inside], delta[inside]
        kind, which = match(anchors, truth, TOP, LOW, best=True)
        positives, negatives = sample(kind, count, 0.5, random)
        both = torch.cat([positives, negatives])
        asked.append(score[both])
        wanted.append((torch.arange(len(both), device=both.device) < len(positives)).float())
        told.append(delta[positives])
        shifts.append(bx.encode(anchors[positives], truth[which[positives]]) if len(truth) else delta[positives])
        total += len(both)
    score_loss = F.binary_cross_entropy_with_logits(torch.cat(asked), torch.cat(wanted), reduction="sum")
    shift_loss = F.smooth_l1_loss(torch.cat(told), torch.cat(shifts).detach(), reduction="sum", beta=1 / 9)
    return score_loss / max(total, 1), shift_loss / max(total, 1)


def edges(some: Sequence[Seen], recipe: DetectRecipe) -> list[tuple[int, int]] | None:
    """Height and width of each picture where the recipe has anchors learn within them alone."""
    return [image.shape[:2] for image, _ in some] if recipe.cross_border == "ignore" else None


def region_targets(boxes: Sequence[Tensor], truths: Sequence[Tensor], labels: Sequence[Tensor], count: int,
                   random: torch.Generator) -> tuple[list[Tensor], Tensor, Tensor]:
    """Regions of each picture -> `count` of them and of the true boxes, a quarter positive at most; classes (0: none) and deltas."""
    chosen, classes, shifts = [], [], []
    for box, truth, label in zip(boxes, truths, labels, strict=True):
        every = torch.cat([box, truth])
        kind, which = match(every, truth, REGION, REGION)
        positives, negatives = sample(kind, count, 0.25, random)
        both = torch.cat([positives, negatives])
        chosen.append(every[both])
        classes.append(torch.cat([label[which[positives]] + 1, torch.zeros_like(negatives)]))
        shift = bx.encode(every[positives], truth[which[positives]], bx.REGION_STDS) if len(truth) else every[positives]
        shifts.append(torch.cat([shift, torch.zeros_like(every[negatives])]))
    return chosen, torch.cat(classes), torch.cat(shifts)


def region_losses(logits: Tensor, deltas: Tensor, classes: Tensor, shifts: Tensor) -> tuple[Tensor, Tensor]:
    """() log loss of the classes, () smooth L1 of the deltas of the true classes (Fast R-CNN, equations 1 to 3)."""
    positive = classes > 0
    own = deltas[positive, classes[positive]]
    return F.cross_entropy(logits, classes), F.smooth_l1_loss(own, shifts[positive], reduction="sum") / max(len(classes), 1)


T = TypeVar("T", bound=Net)


class BoxTask(OneNetworkTask, Generic[T]):
    """What the training of any detector has: which pictures a step shows is a function of seed and step."""

    def __init__(self, recipe: DetectRecipe, net: T, train: Sequence[Seen], dev: Sequence[Seen] = ()) -> None:
        self.net: T = net  # pyright: ignore[reportIncompatibleVariableOverride]
        self.recipe, self.train, self.dev = recipe, train, dev
        self.items = recipe.batch
        self.epoch_steps = max(len(train) // recipe.batch, 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(net, recipe)
        self.ema = EMA(net, recipe.average) if recipe.average else None
        self.detours, self._last = 0, -1

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Evaluation computes as the training does."""
        super().setup(fabric, runtime)
        self.runtime = runtime
        self.layout = torch.channels_last if runtime.channels_last else torch.contiguous_format

    def chosen(self, index: int) -> list[int]:
        """Which pictures step `index` shows: an epoch shows each at most once, in an order of its own."""
        epoch, place = divmod(index, self.epoch_steps)
        order = np.random.default_rng((self.recipe.seed, self.detours, 1, epoch)).permutation(len(self.train))
        return order[place * self.recipe.batch:(place + 1) * self.recipe.batch].tolist()

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Pictures, losses, gradient, step."""
        recipe = self.recipe
        if index <= self._last:  # rolled back: the same pictures would end the same way
            self.detours += 1
        self._last = index
        random = np.random.default_rng((recipe.seed, self.detours, 0, index))
        some = [self.drawn(one, random) for one in self.chosen(index)]
        for net in self.modules().values():
            net.train()
        losses = self.losses(fabric, some, torch.Generator().manual_seed(int(random.integers(2**62))))
        loss = torch.stack([*losses.values()]).sum()
        for optimizer in self.optimizers().values():
            set_rate(optimizer, recipe, self.share)
            optimizer.zero_grad()
        fabric.backward(loss)
        for net, optimizer in zip(self.modules().values(), self.optimizers().values(), strict=True):
            if recipe.clip:
                nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
            optimizer.step()
        return {"loss": loss.detach(), **{name: one.detach() for name, one in losses.items()}}

    def drawn(self, number: int, random: np.random.Generator) -> Seen:
        """A picture as it is shown, or four at half their size, of which it is one."""
        one = varied(self.train[number], self.recipe, random)
        if random.random() >= self.recipe.mosaic:
            return one
        others = [varied(self.train[int(random.integers(len(self.train)))], self.recipe, random) for _ in range(3)]
        halves = [resized(*each, max(each[0].shape[0] // 2, 1), max(each[0].shape[1] // 2, 1)) for each in (one, *others)]
        height, width = one[0].shape[:2]
        return mosaic(halves, height, width, random)

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """Of a batch, by name; their sum is minimised."""
        raise NotImplementedError

    def state(self) -> dict[str, int]:
        """How often the run was rolled back."""
        return {"detours": self.detours}

    def load_state(self, state: dict[str, int]) -> None:
        """Go on there."""
        self.detours = state["detours"]

    def found(self, pictures: Sequence[Seen]) -> list[Detections]:
        """What is found in pictures that are as the network sees them, from a score of 0.05 on."""
        raise NotImplementedError

    def evaluate(self) -> dict[str, float]:
        """Mean AP at an IoU of 0.5 of the pictures that are watched: the score."""
        if not self.dev:
            return {}
        truths = [truth.select(truth.labels >= 0) for _, truth in self.dev]
        every = curves(truths, self.found(self.dev), self.net.classes)
        return {"dev/AP50": (score := mean([one.ap for one in every])), "score": score}


class DetectTask(BoxTask[FasterRCNN]):
    """A `Task` for `fit`: proposals and regions at once (section 3.2, approximate joint training)."""

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """The four of equation 1."""
        net, recipe = self.net, self.recipe
        x, truths, labels = tensors(some, fabric.device, self.layout)
        with fabric.autocast():
            maps = net.body(x)
            proposed = net.propose(maps)
            score, delta = proposal_losses(proposed, truths, recipe.anchors, random, edges(some, recipe))
            kept = Kept(before=recipe.proposals, after=recipe.proposals)
            boxes = net.best(proposed, x.shape[2], x.shape[3], kept)
            boxes, classes, shifts = region_targets(boxes, truths, labels, recipe.regions, random)
            logits, deltas = net.regions(maps, boxes)
        name, box = region_losses(logits, deltas, classes, shifts)
        return {"proposal score": score, "proposal box": delta, "class": name, "box": box}

    @torch.no_grad()
    def found(self, pictures: Sequence[Seen]) -> list[Detections]:
        """What is found in pictures that are as the network sees them, from a score of 0.05 on."""
        net, found = self.result.eval(), []
        device = next(net.parameters()).device
        for start in range(0, len(pictures), self.recipe.batch):
            images = [image for image, _ in pictures[start:start + self.recipe.batch]]
            with self.runtime.autocast():
                told = net(batched(images).to(device).contiguous(memory_format=torch.channels_last))
            found += [Detections.of(*(part.cpu().numpy() for part in one)) for one in told]
        return found
