"""Training of a classifier that also tells where: of every picture the largest object counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from mien.data.box_augment import Seen
from mien.data.detection_sets import largest
from mien.models.detector import batched
from mien.models.localiser import Localiser, located_loss, shares
from mien.train.detect import BoxTask, tensors
from mien.train.detect_recipe import DetectRecipe
from mien.types import Detections


class OneTask(BoxTask[Localiser]):
    """A `Task` for `fit`: log loss of the class, absolute error of the box. ValueError where no picture has an object."""

    def __init__(self, recipe: DetectRecipe, net: Localiser, train: Sequence[Seen], dev: Sequence[Seen] = ()) -> None:
        one = [[(image, largest(truth)) for image, truth in some if len(truth)] for some in (train, dev)]
        if not one[0]:
            raise ValueError("no picture has an object: there is nothing to learn from")
        super().__init__(recipe, net, one[0], one[1])

    def drawn(self, number: int, random: np.random.Generator) -> Seen:
        """As of every detector, unless the object has gone out of sight."""
        one = super().drawn(number, random)
        return (one[0], largest(one[1])) if len(one[1]) else self.train[number]

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """Both in one."""
        x, truths, labels = tensors(some, fabric.device, self.layout)
        with fabric.autocast():
            told = self.net(x)
        return {"class and box": located_loss(told, torch.cat(labels), shares(torch.cat(truths), x.shape[2], x.shape[3]))}

    def found(self, pictures: Sequence[Seen]) -> list[Detections]:
        """One object of each picture."""
        net = self.result.eval()
        assert isinstance(net, Localiser)
        device = next(net.parameters()).device
        with self.runtime.autocast():
            told = [net.found(batched([image]).to(device), net.kept)[0] for image, _ in pictures]
        return [Detections.of(*(part.cpu().numpy() for part in one)) for one in told]
