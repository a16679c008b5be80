"""Training of R-CNN (Girshick et al. 2014, section 2.3): convolutions by classifying regions; then, with these fixed, a support vector
machine a class with hard negatives, and the regression of boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor

from mien.data.box_augment import Seen
from mien.models.rcnn import RCNN, warped
from mien.nn import boxes as bx
from mien.nn.assign import match, sample
from mien.nn.svm import fit_svm, ridge
from mien.progress import Progress
from mien.train.detect import REGION, tensors
from mien.train.detect_fast import ProposedTask, divided

NONE, NEAR = 0.3, 0.6
"""IoU below which a region is a negative of a machine (section 2.3: found by a grid search); from which on it learns its box."""
PENALTY = 100.0
"""Of the regression of boxes, for features of mean square 1 (appendix C has 1000 for those of AlexNet's pool5)."""
SVM_C = 1e-3
"""Of the support vector machines, as in the authors' code."""
LENGTH = 20.0
"""Mean length that feature vectors are brought to, so that `SVM_C` means the same for every network (the authors' code)."""
HARD, MOST = -1.0, 4000
"""Margin above which a negative is a hard one; negatives of a class that are kept at most."""


class RCNNTask(ProposedTask[RCNN]):
    """A `Task` for `fit`: the convolutions; `finish` adds what stands on them."""

    def losses(self, fabric: Fabric, some: Sequence[Seen], random: torch.Generator) -> dict[str, Tensor]:
        """Log loss of the classes of warped regions, a quarter of which show an object."""
        true, proposals = divided(some)
        x, truths, labels = tensors(true, fabric.device)
        cut, classes = [], []
        for image, box, truth, label in zip(x, proposals, truths, labels, strict=True):
            every = torch.cat([torch.from_numpy(box).to(truth), truth])
            kind, which = match(every, truth, REGION, REGION)
            positives, negatives = sample(kind, self.recipe.regions, 0.25, random)
            cut.append(warped(image, every[torch.cat([positives, negatives])], self.net.side))
            classes += [label[which[positives]] + 1, torch.zeros_like(negatives)]
        with fabric.autocast():
            wide = self.net.head(self.net.features(torch.cat(cut).contiguous(memory_format=torch.channels_last)))
            logits = self.net.classify(wide).float()
        return {"class": F.cross_entropy(logits, torch.cat(classes))}

    def evaluate(self) -> dict[str, float]:
        """Nothing: there are no machines yet."""
        return {}

    @torch.no_grad()
    def finish(self) -> None:
        """Machines and regression, from every proposal of every picture that was learnt from, as `result` sees them."""
        net = self.result.eval()
        assert isinstance(net, RCNN)
        machines = _Machines(net)
        shapes, targets = [], []
        with Progress("support vector machines", len(self.train), "pictures") as bar:
            for one in self.train:
                [(image, truth)], [boxes] = divided([one])
                x, [true], [labels] = tensors([(image, truth)], next(net.parameters()).device)
                every = torch.cat([true, torch.from_numpy(boxes).to(true)])
                with self.runtime.autocast():
                    pooled, wide = net.seen(x[0], every)
                machines.add(wide, len(true), labels, bx.iou(every, true))
                near, which = match(every, true, NEAR, NEAR)
                for label in range(net.classes):
                    mine = (near == 1) & (labels[which] == label) if len(true) else near == 1
                    shapes.append((label, pooled[mine]))
                    targets.append((label, bx.encode(every[mine], true[which[mine]])))
                bar.advance()
        machines.fit()
        for label in range(net.classes):
            x, y = (torch.cat([part for one, part in some if one == label]) for some in (shapes, targets))
            if len(x):
                middle, mean = x.mean(0), y.mean(0)
                w = ridge((x - middle).double(), (y - mean).double(), PENALTY * float(x.square().mean())).float()
                net.refine.weight[4 * label:4 * label + 4] = w.T
                net.refine.bias[4 * label:4 * label + 4] = mean - middle @ w


class _Machines:
    """A support vector machine a class, fed picture by picture: true boxes are its positives, far proposals its negatives."""

    def __init__(self, net: RCNN) -> None:
        self.net = net
        self.positives: list[list[Tensor]] = [[] for _ in range(net.classes)]
        self.negatives: list[list[Tensor]] = [[] for _ in range(net.classes)]
        self.scale = 0.0
        self.fitted = False

    def add(self, wide: Tensor, true: int, labels: Tensor, overlap: Tensor) -> None:
        """(N, width) of all boxes of a picture, of which the first `true` are the true ones; (N, true) overlaps with these."""
        self.scale = self.scale or LENGTH / max(float(wide.norm(dim=1).mean()), 1e-9)
        margins = self.net.svm(wide) if self.fitted else None
        for label in range(self.net.classes):
            own = labels == label
            self.positives[label].append(wide[:true][own])
            most = overlap[:, own].max(1).values if own.any() else overlap.new_zeros(len(wide))
            far = most < NONE
            if margins is not None:  # hard negatives alone, once there is a machine to say which they are
                far &= margins[:, label] > HARD
            self.negatives[label].append(wide[far])
        if (sum(len(part) for part in self.negatives[0]) > MOST and not self.fitted) or self._many():
            self.fit()

    def _many(self) -> bool:
        return any(sum(len(part) for part in some) > 2 * MOST for some in self.negatives)

    def fit(self) -> None:
        """Fit every machine to what is there; negatives that are easy now are forgotten (section 2.3: hard negative mining)."""
        for label in range(self.net.classes):
            positives, negatives = torch.cat(self.positives[label]), torch.cat(self.negatives[label])
            if not len(positives) or not len(negatives):
                self.net.svm.bias[label] = -5.0  # nothing was ever seen of it
                continue
            x = torch.cat([positives, negatives]).double() * self.scale
            y = torch.cat([torch.ones(len(positives)), -torch.ones(len(negatives))]).to(x)
            w, offset = fit_svm(x, y, SVM_C)
            self.net.svm.weight[label] = (w * self.scale).float()
            self.net.svm.bias[label] = float(offset)
            margins = negatives @ self.net.svm.weight[label] + self.net.svm.bias[label]
            order = margins.argsort(descending=True)[:MOST]
            self.negatives[label] = [negatives[order][margins[order] > HARD]]
        self.fitted = True


