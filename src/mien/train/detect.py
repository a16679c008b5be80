"""Training of a Faster R-CNN: pictures with boxes, two losses of the proposals and two of the regions (Ren et al. 2015, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from PIL import Image, ImageEnhance
from torch import Tensor, nn

from mien.models.detector import GREY, batched, scale_for, sized
from mien.models.faster_rcnn import FasterRCNN, Kept, Proposed
from mien.nn import boxes as bx
from mien.nn.assign import match, sample
from mien.train.average import EMA
from mien.train.detect_recipe import DetectRecipe
from mien.train.optim import optimiser, set_rate
from mien.train.task import OneNetworkTask
from mien.types import Detections

STAYS = 0.4
"""Share of its area that a box must keep in view, to be still learnt."""
TOP, LOW, REGION = 0.7, 0.3, 0.5
"""IoU from which on an anchor is positive, below which negative; from which on a region belongs to a box (sections 3.1.2, 3.3)."""


@dataclass(frozen=True)
class Shown:
    """A picture in the size it is learnt in, with its boxes there."""

    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    boxes: np.ndarray
    """(N, 4) float32."""
    labels: np.ndarray
    """(N,) int64."""


def shown(image: np.ndarray, truth: Detections, side: int, longest: int) -> Shown:
    """(H, W, 3) uint8 with its boxes -> in the size it is learnt in; boxes that are difficult are left out, as the papers do."""
    small = sized(image, scale_for(*image.shape[:2], side, longest))
    real = ~truth.difficult
    factor = np.array([small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]] * 2, np.float32)
    return Shown(small, truth.boxes[real] * factor, truth.labels[real])


def varied(one: Shown, recipe: DetectRecipe, random: np.random.Generator) -> Shown:
    """The same picture as it might have been taken: nearer or farther, mirrored, turned, in other light."""
    image, boxes = Image.fromarray(one.image), one.boxes
    width, height = image.size
    zoom = float(np.exp(random.uniform(-1, 1) * np.log(1 + recipe.zoom)))
    view = width / zoom, height / zoom
    left, top = (float(random.uniform(min(0, whole - part), max(0, whole - part))) for whole, part in zip((width, height), view, strict=True))
    if recipe.zoom:
        corners = (left, top, left + view[0], top + view[1])
        image = image.transform((width, height), Image.Transform.EXTENT, corners, Image.Resampling.BILINEAR, fillcolor=(GREY,) * 3)
        boxes = (boxes - np.array([left, top, left, top], np.float32)) * np.float32(zoom)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color) if recipe.light else ():
        image = enhance(image).enhance(1 + float(random.uniform(-recipe.light, recipe.light)))
    pixels, labels = np.asarray(image), one.labels
    inside = boxes.clip(0, [width, height, width, height]).astype(np.float32)
    area, whole = ((b[:, 2:] - b[:, :2]).prod(1) for b in (inside, boxes))
    there = area > STAYS * whole
    boxes, labels = inside[there], labels[there]
    if random.integers(2):
        pixels, boxes = pixels[:, ::-1], mirrored(boxes, width)
    if not recipe.upright and random.integers(2):
        pixels, boxes = pixels[::-1], mirrored(boxes[:, [1, 0, 3, 2]], height)[:, [1, 0, 3, 2]]
    return Shown(np.ascontiguousarray(pixels), boxes, labels)


def mirrored(boxes: np.ndarray, width: int) -> np.ndarray:
    """(N, 4) in a picture of `width` pixels, left and right exchanged."""
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)


def proposal_losses(proposed: Proposed, truths: Sequence[Tensor], count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """() log loss of object or not, () smooth L1 of the deltas, of `count` anchors a picture (equation 1)."""
    anchors, scores, deltas = torch.cat(proposed.anchors), torch.cat(proposed.scores, 1), torch.cat(proposed.deltas, 1)
    asked, wanted, told, shifts, total = [], [], [], [], 0
    for score, delta, truth in zip(scores, deltas, truths, strict=True):
        kind, which = match(anchors, truth, TOP, LOW, best=True)
        positives, negatives = sample(kind, count, 0.5, random)
        both = torch.cat([positives, negatives])
        asked.append(score[both])
        wanted.append((torch.arange(len(both), device=both.device) < len(positives)).float())
        told.append(delta[positives])
        shifts.append(bx.encode(anchors[positives], truth[which[positives]]) if len(truth) else delta[positives])
        total += len(both)
    score_loss = F.binary_cross_entropy_with_logits(torch.cat(asked), torch.cat(wanted))
    return score_loss, F.smooth_l1_loss(torch.cat(told), torch.cat(shifts).detach(), reduction="sum", beta=1 / 9) / max(total, 1)


def region_targets(boxes: Sequence[Tensor], truths: Sequence[Tensor], labels: Sequence[Tensor], count: int,
                   random: torch.Generator) -> tuple[list[Tensor], Tensor, Tensor]:
    """Regions of each picture -> `count` of them and of the true boxes, a quarter positive; their classes (0: none) and deltas."""
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


class DetectTask(OneNetworkTask):
    """A `Task` for `fit`: what a step shows is a function of seed and step."""

    def __init__(self, recipe: DetectRecipe, net: FasterRCNN, train: Sequence[Shown], dev: Sequence[Shown] = ()) -> None:
        self.recipe, self.net, self.train, self.dev = recipe, net, train, dev
        self.items = recipe.batch
        self.epoch_steps = max(len(train) // recipe.batch, 1)
        self.steps = max(round(self.epoch_steps * recipe.epochs), 1)
        self.optimizer = optimiser(net, recipe)
        self.ema = EMA(net, recipe.average) if recipe.average else None
        self.detours, self._last = 0, -1

    def chosen(self, index: int) -> list[int]:
        """Which pictures step `index` shows: an epoch shows each at most once, in an order of its own."""
        epoch, place = divmod(index, self.epoch_steps)
        order = np.random.default_rng((self.recipe.seed, self.detours, 1, epoch)).permutation(len(self.train))
        return order[place * self.recipe.batch:(place + 1) * self.recipe.batch].tolist()

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Pictures, proposals, regions, four losses, gradient, step."""
        recipe = self.recipe
        set_rate(self.optimizer, recipe, self.share)
        if index <= self._last:  # rolled back: the same pictures would end the same way
            self.detours += 1
        self._last = index
        random = np.random.default_rng((recipe.seed, self.detours, 0, index))
        some = [varied(self.train[one], recipe, random) for one in self.chosen(index)]
        self.net.train()
        losses = self.losses(fabric, some, torch.Generator().manual_seed(int(random.integers(2**62))))
        loss = torch.stack([*losses.values()]).sum()
        self.optimizer.zero_grad()
        fabric.backward(loss)
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        self.optimizer.step()
        return {"loss": loss.detach(), **{name: one.detach() for name, one in losses.items()}}

    def losses(self, fabric: Fabric, some: Sequence[Shown], random: torch.Generator) -> dict[str, Tensor]:
        """The four of equation 1, for a batch."""
        net, recipe, device = self.net, self.recipe, fabric.device
        x = batched([one.image for one in some]).to(device).contiguous(memory_format=torch.channels_last)
        truths = [torch.from_numpy(one.boxes).to(device) for one in some]
        labels = [torch.from_numpy(one.labels).to(device) for one in some]
        with fabric.autocast():
            maps = net.body(x)
            proposed = net.propose(maps)
            score, delta = proposal_losses(proposed, truths, recipe.anchors, random)
            kept = Kept(before=recipe.proposals, after=recipe.proposals)
            boxes = net.best(Proposed([s.detach() for s in proposed.scores], [d.detach() for d in proposed.deltas], proposed.anchors),
                             x.shape[2], x.shape[3], kept)
            boxes, classes, shifts = region_targets(boxes, truths, labels, recipe.regions, random)
            logits, deltas = net.regions(maps, boxes)
        name, box = region_losses(logits, deltas, classes, shifts)
        return {"proposal score": score, "proposal box": delta, "class": name, "box": box}

    def state(self) -> dict[str, int]:
        """How often the run was rolled back."""
        return {"detours": self.detours}

    def load_state(self, state: dict[str, int]) -> None:
        """Go on there."""
        self.detours = state["detours"]
