"""Training of Fast R-CNN (Girshick 2015, section 2.3): class and box together, on proposals that are there beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from mien.data.box_augment import Seen, joined
from mien.data.proposals import KeptSearch
from mien.models.detector import batched
from mien.models.fast_rcnn import FastRCNN
from mien.models.rcnn import RCNN
from mien.progress import Progress
from mien.train.detect import BoxTask, region_losses, region_targets, tensors
from mien.train.detect_recipe import DetectRecipe
from mien.types import Detections

PROPOSED = -1
"""The label of a proposal among a picture's boxes: so it is moved as they are."""


def proposed(pictures: Sequence[Seen]) -> list[np.ndarray]:
    """(N_i, 4) proposals of each picture; kept, so that neither a resumed run nor another one need search again."""
    found, search = [], KeptSearch()
    with Progress("selective search", len(pictures), "pictures") as bar:
        for image, _ in pictures:
            found.append(search(image))
            bar.advance()
    return found


def with_proposals(one: Seen, boxes: np.ndarray) -> Seen:
    """The picture with proposals among its boxes."""
    return one[0], joined([one[1], Detections.of(boxes, np.full(len(boxes), PROPOSED))])


def divided(some: Sequence[Seen]) -> tuple[list[Seen], list[np.ndarray]]:
    """The pictures with their true boxes alone, and the proposals of each."""
    true = [(image, boxes.select(boxes.labels != PROPOSED)) for image, boxes in some]
    return true, [boxes.boxes[boxes.labels == PROPOSED] for _, boxes in some]


N = TypeVar("N", bound=FastRCNN | RCNN)


class ProposedTask(BoxTask[N]):
    """A training on proposals that are there beforehand."""

    def __init__(self, recipe: DetectRecipe, net: N, train: Sequence[Seen], dev: Sequence[Seen],
                 proposals: Sequence[np.ndarray]) -> None:
        """proposals: of the pictures to learn from, then of those that are watched."""
        both = [with_proposals(one, boxes) for one, boxes in zip((*train, *dev), proposals, strict=True)]
        super().__init__(replace(recipe, mosaic=0.0), net, both[:len(train)], both[len(train):])

    @torch.no_grad()
    def found(self, pictures: Sequence[Seen]) -> list[Detections]:
        """As of every detector, on the proposals that are there."""
        net, found = self.result.eval(), []
        device = next(net.parameters()).device
        for one in pictures:
            [(image, _)], [boxes] = divided([one])
            with self.runtime.autocast():
                x = batched([image]).to(device).contiguous(memory_format=torch.channels_last)
                told = net(x, [torch.from_numpy(boxes).to(device)])[0]
            found.append(Detections.of(*(part.cpu().numpy() for part in told)))
        return found


class FastTask(ProposedTask[FastRCNN]):
    """A `Task` for `fit`: the regions' two losses."""

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """Of class and box."""
        true, proposals = divided(some)
        x, truths, labels = tensors(true, fabric.device)
        boxes = [torch.from_numpy(one).to(fabric.device) for one in proposals]
        boxes, classes, shifts = region_targets(boxes, truths, labels, self.recipe.regions, random)
        with fabric.autocast():
            logits, deltas = self.net.regions(self.net.body(x), boxes)
        name, box = region_losses(logits, deltas, classes, shifts)
        return {"class": name, "box": box}
