"""Fast R-CNN (Girshick 2015, arXiv 1504.08083): one pass over the picture, regions cut from its maps, class and box together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mien.models import vgg
from mien.models.vgg_features import CAFFE
from mien.nn import boxes as bx
from mien.nn.regions import roi_align, roi_pool

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures."""


@dataclass(frozen=True)
class Cut:
    """How regions are cut from maps."""

    strides: tuple[int, ...]
    """Pixels between the places of each map that regions are cut from, the finest first."""
    canonical: float = 0.0
    """Of several maps: `mien.nn.boxes.level_of`."""
    samples: int = 2
    """Points a side in every part of a RoIAlign; 0: RoIPool, on one map."""
    parts: int = 7
    """A region becomes parts x parts."""


@dataclass(frozen=True)
class Kept:
    """How much is looked at, and what is told."""

    before: int = 1000
    """Best anchors of each map that non-maximum suppression sees; without anchors it has no meaning."""
    after: int = 300
    """Proposals of a picture; likewise."""
    least: float = 0.05
    """Score from which on something is told."""
    overlap: float = 0.5
    """IoU above which two boxes of a class are one."""
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
        return (x - self.mean).div_(self.deviation)


class OneMap(nn.Sequential):
    """Layers whose one map is a list of maps."""

    def forward(self, x: Tensor) -> list[Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(B, 3, H, W) -> [(B, C, h, w)]."""
        return [super().forward(x)]


class RegionNet(nn.Module):
    """What Fast and Faster R-CNN share: a body that makes maps, and a head that says what is in regions of them."""

    def __init__(self, body: nn.Module, head: nn.Module, how: Cut, features: int, classes: int, kept: Kept | None = None) -> None:
        """body: pictures -> maps; head: (N, channels, parts, parts) -> (N, features); classes: without the background."""
        super().__init__()
        self.body, self.head, self.how, self.classes, self.kept = body, head, how, classes, kept or Kept()
        self.classify, self.refine = nn.Linear(features, classes + 1), nn.Linear(features, 4 * (classes + 1))
        for layer, deviation in ((self.classify, 0.01), (self.refine, 0.001)):  # Fast R-CNN, section 2.3
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.classify, self.refine

    def cut(self, maps: Sequence[Tensor], boxes: Sequence[Tensor]) -> Tensor:
        """Boxes of each picture -> (N, channels, parts, parts)."""
        how, every = self.how, torch.cat([*boxes])
        batch = torch.repeat_interleave(torch.tensor([len(one) for one in boxes], device=every.device))
        if not how.samples:
            return roi_pool(maps[0], every, batch, how.strides[0], how.parts)
        levels = len(how.strides)
        level = bx.level_of(every, levels, how.canonical) if levels > 1 else torch.zeros_like(batch)
        return roi_align([one.float() for one in maps[:levels]], how.strides, every, batch, level, how.parts, how.samples)

    def regions(self, maps: Sequence[Tensor], boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Boxes of each picture -> (N, classes + 1) logits, the background first; (N, classes + 1, 4) deltas."""
        x = self.head(self.cut(maps, boxes))
        return self.classify(x).float(), self.refine(x).float().unflatten(-1, (-1, 4))

    def judged(self, maps: Sequence[Tensor], boxes: Sequence[Tensor], height: int, width: int, kept: Kept) -> list[Found]:
        """Boxes of each picture -> what is in them."""
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


class FastRCNN(RegionNet):
    """(B, 3, H, W) RGB in 0..1 and proposals -> what is where."""

    @torch.no_grad()
    def forward(self, x: Tensor, boxes: Sequence[Tensor], kept: Kept | None = None) -> list[Found]:
        """(B, 3, H, W), (N_i, 4) proposals of each picture -> what is in it, clipped to it."""
        return self.judged(self.body(x), boxes, x.shape[2], x.shape[3], kept or self.kept)


def dense(channels: int, width: int, dropout: bool = True) -> nn.Sequential:
    """(N, channels, 7, 7) -> (N, width): the two dense layers of VGG16."""
    drop = [nn.Dropout()] if dropout else []
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * 49, width), nn.ReLU(), *drop, nn.Linear(width, width), nn.ReLU(), *drop)


def vgg_layers() -> list[nn.Module]:
    """(B, 3, H, W) RGB in 0..1 -> (B, 512, H / 16, W / 16): VGG16 up to its last pooling, the mean that of its authors.

    `mien.models.vgg_start` has their weights for them.
    """
    return [Scaled([value / CAFFE.scale for value in reversed(CAFFE.mean)]), *vgg.features("vgg16")[:-1]]


def vgg16(classes: int = 20) -> FastRCNN:
    """As published: VGG16 up to its last pooling, which RoI pooling replaces, and its two dense layers."""
    return FastRCNN(OneMap(*vgg_layers()), dense(512, 4096), Cut((16,), samples=0), 4096, classes)
