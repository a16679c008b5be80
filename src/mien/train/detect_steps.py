"""The paper's training in four steps (Ren et al. 2015, section 3.2): proposals and regions learn in turn until they share their maps.

1. Proposals alone. 2. Fast R-CNN, a network of its own, on these proposals. 3. Proposals again, on the maps of step 2, which stay as
they are. 4. The regions' head again, on the new proposals. The steps take 3, 4, 1 and 2 tenths of the training.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.data.box_augment import Seen
from mien.models.fast_rcnn import Kept
from mien.models.faster_rcnn import FasterRCNN
from mien.runtime import Runtime
from mien.train.detect import DetectTask, edges, proposal_losses, region_losses, region_targets, tensors
from mien.train.detect_recipe import DetectRecipe
from mien.train.optim import optimiser

ENDS = (0.3, 0.7, 0.8, 1.0)
"""Share of the training at which each step ends."""


class FourStepsTask(DetectTask):
    """A `Task` for `fit`: `net` is the one that is kept, `first` proposes regions in steps 1 and 2."""

    def __init__(self, recipe: DetectRecipe, net: FasterRCNN, train: Sequence[Seen], dev: Sequence[Seen] = ()) -> None:
        super().__init__(recipe, net, train, dev)
        self.first: FasterRCNN = copy.deepcopy(net)
        self.first_optimizer = optimiser(self.first, recipe)
        self.fixed = {name for name, p in net.named_parameters() if not p.requires_grad}
        self.done = 0
        """Steps that are finished."""

    def modules(self) -> dict[str, nn.Module]:
        """Both networks."""
        return {"net": self.net, "first": self.first}

    def optimizers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self.optimizer, "first": self.first_optimizer}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """Both networks go to the device."""
        super().setup(fabric, runtime)
        self._freeze()

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """A step of the step it is in."""
        while self.share >= ENDS[self.done]:
            self.done += 1
            if self.done == 2:  # the third step begins: proposals as they were learnt, maps of the regions
                self.net.proposer.load_state_dict(self.first.proposer.state_dict())
            self._freeze()
        return super().step(fabric, index)

    def _freeze(self) -> None:
        """What learns in the present step."""
        net = self.net
        parts = {"body": self.done < 2, "proposer": self.done == 2}
        for name, p in net.named_parameters():
            p.requires_grad_(parts.get(name.partition(".")[0], self.done != 2) and name not in self.fixed)

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """Two of the four, by the step."""
        x, truths, labels = tensors(some, fabric.device)
        if self.done in (0, 2):
            net = self.first if self.done == 0 else self.net
            with fabric.autocast():
                maps = net.body(x) if self.done == 0 else self._fixed(net, x)
                told = net.propose(maps)
            score, delta = proposal_losses(told, truths, self.recipe.anchors, random, edges(some, self.recipe))
            return {"proposal score": score, "proposal box": delta}
        proposer = self.first if self.done == 1 else self.net
        kept = Kept(before=self.recipe.proposals, after=self.recipe.proposals)
        with fabric.autocast():
            fixed = self._fixed(proposer, x)
            with torch.no_grad():
                boxes = proposer.best(proposer.propose(fixed), x.shape[2], x.shape[3], kept)
            boxes, classes, shifts = region_targets(boxes, truths, labels, self.recipe.regions, random)
            logits, deltas = self.net.regions(self.net.body(x) if self.done == 1 else fixed, boxes)
        name, box = region_losses(logits, deltas, classes, shifts)
        return {"class": name, "box": box}

    @torch.no_grad()
    def _fixed(self, net: FasterRCNN, x: Tensor) -> list[Tensor]:
        """Maps of a body that does not learn; its batch statistics stay, too."""
        training = net.body.training
        maps = net.body.eval()(x)
        net.body.train(training)
        return maps

    def state(self) -> dict[str, Any]:
        """Beside that of every detector the step it is in."""
        return super().state() | {"done": self.done}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        super().load_state(state)
        self.done = state["done"]
        self._freeze()
