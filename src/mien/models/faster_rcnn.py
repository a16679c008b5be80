"""Faster R-CNN (Ren et al. 2015, arXiv 1506.01497): a network that proposes regions, and Fast R-CNN behind it, on the same maps.

As published on one map of VGG16 (section 3.3), and on a feature pyramid of ResNet-50 (Lin et al. 2017, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mien.models import resnet
from mien.models.fast_rcnn import Cut, Found, Kept, OneMap, RegionNet, Scaled, dense, vgg_layers
from mien.models.pyramid import Pyramid
from mien.nn import boxes as bx

SAME = 0.7
"""IoU above which two proposals are one (section 3.3)."""


@dataclass(frozen=True)
class Anchors:
    """Where anchors stand."""

    strides: tuple[int, ...]
    """Pixels between the places of each map."""
    sizes: tuple[tuple[float, ...], ...]
    """Of the anchors of each map: the root of their area, in pixels."""
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height to width."""


class Proposer(nn.Module):
    """The region proposal network: at every place and for every anchor, is there an object, and how far off is the anchor?"""

    def __init__(self, channels: int, anchors: int, scores: int = 1) -> None:
        """scores: of an anchor. 2: background and object, of which the difference is the logit, as in the paper's softmax; 1: the
        logit itself (section 3.1.1, footnote).
        """
        super().__init__()
        self.scores = scores
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.score, self.delta = nn.Conv2d(channels, scores * anchors, 1), nn.Conv2d(channels, 4 * anchors, 1)
        for layer in (self.conv, self.score, self.delta):
            nn.init.normal_(layer.weight, std=0.01)  # section 3.3
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> scores (B, H * W * A), logits; deltas (B, H * W * A, 4)."""
        x = self.conv(level).relu()
        scores, deltas = (conv(x).permute(0, 2, 3, 1).float() for conv in (self.score, self.delta))
        if self.scores == 2:
            background, scores = scores.chunk(2, -1)
            scores = scores - background
        return scores.flatten(1), deltas.unflatten(-1, (-1, 4)).flatten(1, 3)


class Proposed(NamedTuple):
    """What the region proposal network says of a batch, for each map."""

    scores: list[Tensor]
    """(B, A_l) logits."""
    deltas: list[Tensor]
    """(B, A_l, 4)."""
    anchors: list[Tensor]
    """(A_l, 4)."""


class FasterRCNN(RegionNet):
    """(B, 3, H, W) RGB in 0..1 -> what is where."""

    def __init__(self, body: nn.Module, head: nn.Module, anchors: Anchors, how: Cut, channels: int, features: int, classes: int,
                 kept: Kept | None = None, scores: int = 1) -> None:
        """As `RegionNet`; channels: of the maps; scores: as `Proposer`."""
        super().__init__(body, head, how, features, classes, kept)
        self.anchors = anchors
        self.proposer = Proposer(channels, len(anchors.sizes[0]) * len(anchors.ratios), scores)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.proposer.score, self.proposer.delta, self.classify, self.refine

    def propose(self, maps: Sequence[Tensor]) -> Proposed:
        """Scores and deltas of every anchor."""
        told = [self.proposer(level) for level in maps]
        anchors = [bx.anchors(level.shape[2], level.shape[3], stride, sizes, self.anchors.ratios).to(level.device)
                   for level, stride, sizes in zip(maps, self.anchors.strides, self.anchors.sizes, strict=True)]  # fmt: skip
        return Proposed([scores for scores, _ in told], [deltas for _, deltas in told], anchors)

    @torch.no_grad()
    def best(self, proposed: Proposed, height: int, width: int, kept: Kept) -> list[Tensor]:
        """Of each picture the boxes (N, 4) worth a second look: at most `kept.after`, best first, those nearly alike left out."""
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
            chosen.append(box[bx.suppress(box, score, SAME, level)[:kept.after]])
        return chosen

    @torch.no_grad()
    def forward(self, x: Tensor, kept: Kept | None = None) -> list[Found]:
        """(B, 3, H, W) -> what is in each picture, clipped to it."""
        kept, (height, width) = kept or self.kept, x.shape[-2:]
        maps = self.body(x)
        return self.judged(maps, self.best(self.propose(maps), height, width, kept), height, width, kept)


def vgg16(classes: int = 20) -> FasterRCNN:
    """As published: one map at a sixteenth of the size, three sizes in three ratios, two scores an anchor, RoI pooling, two dense
    layers of 4096.
    """
    anchors = Anchors((16,), ((128, 256, 512),))
    return FasterRCNN(OneMap(*vgg_layers()), dense(512, 4096), anchors, Cut((16,), samples=0), 512, 4096, classes, scores=2)


def resnet50_fpn(classes: int = 90) -> FasterRCNN:
    """Five maps at strides 4 to 64 with one size of anchors each; two dense layers of 1024 (Lin et al. 2017, sections 4.1 and 4.2)."""
    body = Pyramid(nn.Sequential(Scaled(), *resnet.stem()), resnet.stages("resnet50"), (256, 512, 1024, 2048), 256, more=True)
    anchors = Anchors((4, 8, 16, 32, 64), ((32,), (64,), (128,), (256,), (512,)))
    return FasterRCNN(body, dense(256, 1024, dropout=False), anchors, Cut((4, 8, 16, 32), canonical=448), 256, 1024, classes)
