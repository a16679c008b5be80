"""R-CNN (Girshick, Donahue, Darrell and Malik 2014, arXiv 1311.2524): every region warped to one size and seen by itself, a linear
support vector machine a class, boxes corrected by regression.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.alexnet import alexnet
from mien.models.fast_rcnn import Found, Kept, Scaled, dense, vgg_layers
from mien.nn import boxes as bx

CONTEXT = 16 / 227
"""Of a warped region's side: what is around the box on each side (appendix A)."""
AT_ONCE = 128
"""Regions that are seen together."""


def warped(image: Tensor, boxes: Tensor, side: int) -> Tensor:
    """(3, H, W), (N, 4) -> (N, 3, side, side): boxes with a margin of `CONTEXT`, stretched to a square; grey beyond the picture."""
    height, width = image.shape[-2:]
    size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) / (1 - 2 * CONTEXT)
    start = (boxes[:, :2] + boxes[:, 2:] - size) / 2
    steps = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) / side
    x, y = (start[:, axis, None] + size[:, axis, None] * steps for axis in (0, 1))
    grid = torch.stack(torch.broadcast_tensors((2 * x / width - 1)[:, None, :], (2 * y / height - 1)[:, :, None]), -1)
    flat = grid.reshape(1, -1, side, 2)  # all regions below each other: the picture is never copied
    cut = F.grid_sample(image[None] - 0.5, flat, align_corners=False) + 0.5
    return cut.view(3, len(boxes), side, side).transpose(0, 1)


class RCNN(nn.Module):
    """(B, 3, H, W) RGB in 0..1 and proposals -> what is where."""

    def __init__(self, features: nn.Module, head: nn.Module, pooled: int, width: int, side: int, classes: int,
                 kept: Kept | None = None) -> None:
        """features: (N, 3, side, side) -> (N, pooled), from which boxes are corrected; head: that -> (N, width), from which classes
        are told; classes: without the background.
        """
        super().__init__()
        self.features, self.head, self.side, self.classes = features, head, side, classes
        self.kept = kept or Kept(overlap=0.3)  # the threshold of the authors' code
        self.classify = nn.Linear(width, classes + 1)  # only while the convolutions are learnt
        self.svm, self.refine = nn.Linear(width, classes), nn.Linear(pooled, 4 * classes)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are answers while the convolutions are learnt."""
        return (self.classify,)

    def seen(self, image: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """(3, H, W), (N, 4) -> (N, pooled), (N, width): what the network makes of each region."""
        pooled = [self.features(warped(image, part, self.side)).float() for part in boxes.split(AT_ONCE)]
        pooled = torch.cat(pooled)
        return pooled, self.head(pooled).float()

    @torch.no_grad()
    def forward(self, x: Tensor, boxes: Sequence[Tensor], kept: Kept | None = None) -> list[Found]:
        """(B, 3, H, W), (N_i, 4) proposals of each picture -> what is in it, clipped to it.

        Scores are the logistic function of twice the machines' margins: 0.12 and 0.88 where the margins are -1 and 1.
        """
        return [self._one(image, some, kept or self.kept) for image, some in zip(x, boxes, strict=True)]

    def _one(self, image: Tensor, boxes: Tensor, kept: Kept) -> Found:
        if not len(boxes):
            return Found(boxes, boxes.new_zeros(0, dtype=torch.long), boxes.new_zeros(0))
        pooled, wide = self.seen(image, boxes)
        chances = (2 * self.svm(wide).float()).sigmoid()
        which, labels = (chances > kept.least).nonzero(as_tuple=True)
        scores = chances[which, labels]
        stay = bx.suppress(boxes[which], scores, kept.overlap, labels)[:kept.most]
        which, labels = which[stay], labels[stay]
        deltas = self.refine(pooled[which]).float().unflatten(-1, (-1, 4))[torch.arange(len(which)), labels]
        refined = bx.clip(bx.decode(boxes[which], deltas), image.shape[1], image.shape[2])
        return Found(refined, labels, scores[stay])


def rcnn_alexnet(classes: int = 20) -> RCNN:
    """As published: AlexNet up to its last pooling (9216 numbers, for boxes) and two dense layers (4096, for classes)."""
    layers = [*alexnet()]
    cut = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten)) + 1
    return RCNN(nn.Sequential(Scaled(), *layers[:cut]), nn.Sequential(*layers[cut:-1]), 9216, 4096, 227, classes)


def rcnn_vgg16(classes: int = 20) -> RCNN:
    """As published (section 3.3, "O-Net"): VGG16 up to its last pooling (25,088 numbers) and its two dense layers (4096)."""
    return RCNN(nn.Sequential(*vgg_layers(), nn.MaxPool2d(2), nn.Flatten()), dense(512, 4096), 512 * 49, 4096, 224, classes)
