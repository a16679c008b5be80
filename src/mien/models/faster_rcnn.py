"""Faster R-CNN (Ren et al. 2015, arXiv 1506.01497): a network that proposes regions, and Fast R-CNN behind it, on the same maps.

As published on one map of VGG16 (section 3.3), and on a feature pyramid of ResNet-50 (Lin et al. 2017, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mien.models import resnet, vgg
from mien.models.pyramid import Pyramid
from mien.nn import boxes as bx
from mien.nn.regions import roi_align, roi_pool

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures."""


@dataclass(frozen=True)
class Grid:
    """Where anchors stand and how regions are cut."""

    strides: tuple[int, ...]
    """Pixels between the places of each map."""
    sizes: tuple[tuple[float, ...], ...]
    """Of the anchors of each map: the root of their area, in pixels."""
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height to width."""
    levels: int = 1
    """Maps that regions are cut from: the first ones."""
    canonical: float = 0.0
    """`mien.nn.boxes.level_of`."""
    samples: int = 2
    """Points a side in every part of a RoIAlign; 0: RoIPool, on one map."""
    parts: int = 7
    """A region becomes parts x parts."""


@dataclass(frozen=True)
class Kept:
    """How much is looked at, and what is told."""

    before: int = 1000
    """Best anchors of each map that non-maximum suppression sees."""
    after: int = 300
    """Proposals of a picture."""
    least: float = 0.05
    """Score from which on something is told."""
    overlap: float = 0.5
    """IoU from which on two boxes of a class are one."""
    most: int = 100
    """Boxes told of a picture."""


class Found(NamedTuple):
    """What is where in one picture."""

    boxes: Tensor
    """(N, 4)."""
    labels: Tensor
    """(N,) from 0: the background is none."""
    scores: Tensor
    """(N,) the best first."""


class Scaled(nn.Module):
    """(B, 3, H, W) RGB in 0..1 -> mean 0, deviation 1 of each colour, roughly."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float] = MEAN, deviation: Sequence[float] = DEVIATION) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return (x - self.mean) / self.deviation


class Proposer(nn.Module):
    """The region proposal network: at every place and for every anchor, is there an object, and how far off is the anchor?"""

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.score, self.delta = nn.Conv2d(channels, anchors, 1), nn.Conv2d(channels, 4 * anchors, 1)

    def forward(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> scores (B, H * W * A), logits; deltas (B, H * W * A, 4)."""
        x = self.conv(level).relu()
        scores, deltas = (conv(x).permute(0, 2, 3, 1).float() for conv in (self.score, self.delta))
        return scores.flatten(1), deltas.unflatten(-1, (-1, 4)).flatten(1, 3)


class Proposed(NamedTuple):
    """What the region proposal network says of a batch, for each map."""

    scores: list[Tensor]
    """(B, A_l) logits."""
    deltas: list[Tensor]
    """(B, A_l, 4)."""
    anchors: list[Tensor]
    """(A_l, 4)."""


class FasterRCNN(nn.Module):
    """(B, 3, H, W) RGB in 0..1 -> what is where."""

    def __init__(self, body: nn.Module, head: nn.Module, grid: Grid, channels: int, features: int, classes: int,
                 kept: Kept = Kept()) -> None:
        """body: pictures -> maps of `channels`; head: (N, channels, parts, parts) -> (N, features); classes: without the background."""
        super().__init__()
        self.body, self.head, self.grid, self.classes, self.kept = body, head, grid, classes, kept
        self.proposer = Proposer(channels, len(grid.sizes[0]) * len(grid.ratios))
        self.classify, self.refine = nn.Linear(features, classes + 1), nn.Linear(features, 4 * (classes + 1))
        for layer in (self.proposer.conv, self.proposer.score, self.proposer.delta, self.classify, self.refine):
            nn.init.normal_(layer.weight, std=0.001 if layer is self.refine else 0.01)  # section 3.3
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]

    def propose(self, maps: Sequence[Tensor]) -> Proposed:
        """Scores and deltas of every anchor."""
        told = [self.proposer(level) for level in maps]
        anchors = [bx.anchors(level.shape[2], level.shape[3], stride, sizes, self.grid.ratios).to(level.device)
                   for level, stride, sizes in zip(maps, self.grid.strides, self.grid.sizes, strict=True)]  # fmt: skip
        return Proposed([scores for scores, _ in told], [deltas for _, deltas in told], anchors)

    @torch.no_grad()
    def best(self, proposed: Proposed, height: int, width: int, kept: Kept) -> list[Tensor]:
        """Of each picture the boxes (N, 4) worth a second look: at most `kept.after`, overlaps above 0.7 left out, best first."""
        boxes, scores, levels = [], [], []
        for number, (score, delta, anchors) in enumerate(zip(*proposed, strict=True)):
            score, top = score.topk(min(kept.before, score.shape[1]), dim=1)
            delta = delta.gather(1, top[..., None].expand(-1, -1, 4))
            boxes.append(bx.clip(bx.decode(anchors[top], delta), height, width))
            scores.append(score)
            levels.append(torch.full_like(top, number))
        chosen = []
        for box, score, level in zip(torch.cat(boxes, 1), torch.cat(scores, 1), torch.cat(levels, 1), strict=True):
            there = ((box[:, 2:] - box[:, :2]) >= 1).all(1)
            box, score, level = box[there], score[there], level[there]
            chosen.append(box[bx.suppress(box, score, 0.7, level)[:kept.after]])
        return chosen

    def regions(self, maps: Sequence[Tensor], boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Boxes of each picture -> (N, classes + 1) logits, the background first; (N, classes + 1, 4) deltas."""
        x = self.head(self.cut(maps, boxes))
        return self.classify(x).float(), self.refine(x).float().unflatten(-1, (-1, 4))

    def cut(self, maps: Sequence[Tensor], boxes: Sequence[Tensor]) -> Tensor:
        """Boxes of each picture -> (N, channels, parts, parts)."""
        grid, every = self.grid, torch.cat([*boxes])
        batch = torch.repeat_interleave(torch.tensor([len(one) for one in boxes], device=every.device))
        if not grid.samples:
            return roi_pool(maps[0], every, batch, grid.strides[0], grid.parts)
        level = bx.level_of(every, grid.levels, grid.canonical) if grid.levels > 1 else torch.zeros_like(batch)
        maps = [one.float() for one in maps[:grid.levels]]
        return roi_align(maps, grid.strides[:grid.levels], every, batch, level, grid.parts, grid.samples)

    @torch.no_grad()
    def forward(self, x: Tensor, kept: Kept | None = None) -> list[Found]:
        """(B, 3, H, W) -> what is in each picture, clipped to it."""
        kept, (height, width) = kept or self.kept, x.shape[-2:]
        maps = self.body(x)
        boxes = self.best(self.propose(maps), height, width, kept)
        logits, deltas = self.regions(maps, boxes)
        counts = [len(one) for one in boxes]
        return [told(*one, height, width, kept) for one in zip(boxes, logits.split(counts), deltas.split(counts), strict=True)]


def told(regions: Tensor, logits: Tensor, deltas: Tensor, height: float, width: float, kept: Kept) -> Found:
    """(N, 4), (N, classes + 1), (N, classes + 1, 4) of one picture -> every class of every region above `kept.least`, suppressed."""
    chances = logits.softmax(-1)[:, 1:]
    which, labels = (chances > kept.least).nonzero(as_tuple=True)
    scores = chances[which, labels]
    boxes = bx.clip(bx.decode(regions[which], deltas[which, labels + 1], bx.REGION_STDS), height, width)
    stay = bx.suppress(boxes, scores, kept.overlap, labels)[:kept.most]
    return Found(boxes[stay], labels[stay], scores[stay])


class OneMap(nn.Sequential):
    """Layers whose one map is a list of maps."""

    def forward(self, x: Tensor) -> list[Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(B, 3, H, W) -> [(B, C, h, w)]."""
        return [super().forward(x)]


def vgg16(classes: int = 20) -> FasterRCNN:
    """As published: one map at a sixteenth of the size, three sizes in three ratios, RoI pooling, two dense layers of 4096.

    One score an anchor (logistic regression: section 3.1.1, footnote), where the paper's code has two.
    """
    body = OneMap(Scaled(), *vgg.features("vgg16")[:-1])
    head = nn.Sequential(nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout())
    return FasterRCNN(body, head, Grid((16,), ((128, 256, 512),), samples=0), 512, 4096, classes)


def resnet50_fpn(classes: int = 90) -> FasterRCNN:
    """Five maps at strides 4 to 64 with one size of anchors each; two dense layers of 1024 (Lin et al. 2017, sections 4.1 and 4.2)."""
    body = Pyramid(nn.Sequential(Scaled(), *resnet.stem()), resnet.stages("resnet50"), (256, 512, 1024, 2048), 256, more=True)
    head = nn.Sequential(nn.Flatten(), nn.Linear(256 * 7 * 7, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU())
    grid = Grid((4, 8, 16, 32, 64), ((32,), (64,), (128,), (256,), (512,)), levels=4, canonical=448)
    return FasterRCNN(body, head, grid, 256, 1024, classes)
