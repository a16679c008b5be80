"""One object and where it is (Sermanet et al. 2014, OverFeat, arXiv 1312.6229, section 4.2): a classifier that also tells a box."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.fast_rcnn import Found, Kept
from mien.models.layers import he
from mien.models.mien_detect import WIDTHS, stages, stem


class Located(NamedTuple):
    """What a picture shows, and where."""

    logits: Tensor
    """(B, classes)."""
    box: Tensor
    """(B, 4) x, y of the centre, width and height, as shares of the picture's sides."""


class Localiser(nn.Module):
    """(B, 3, H, W) RGB in 0..1 -> class and one box.

    Its last maps are brought to 4 x 4 places, so that the layer behind them knows where something is.
    """

    def __init__(self, classes: int, hidden: int = 128) -> None:
        super().__init__()
        self.classes, self.kept = classes, Kept(most=1)
        layers: dict[str, nn.Module] = {"stem": stem(), "stages": nn.Sequential(*stages()), "pool": nn.AdaptiveAvgPool2d(4),
                                        "flat": nn.Flatten()}  # fmt: skip
        self.body = nn.Sequential(OrderedDict(layers)).apply(he)
        self.hidden = nn.Sequential(nn.Linear(WIDTHS[-1] * 16, hidden), nn.ReLU()).apply(he)
        self.classify, self.locate = nn.Linear(hidden, classes), nn.Linear(hidden, 4)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.classify, self.locate

    def forward(self, x: Tensor) -> Located:
        """As the class says; the box lies in the picture's sides."""
        wide = self.hidden(self.body(x))
        return Located(self.classify(wide).float(), self.locate(wide).float().sigmoid())

    @torch.no_grad()
    def found(self, x: Tensor, kept: Kept) -> list[Found]:
        """(B, 3, H, W) -> the one object of each picture, where its class is surer than `kept.least`."""
        told = self(x)
        scores, labels = told.logits.softmax(1).max(1)
        boxes = corners(told.box, x.shape[2], x.shape[3])
        return [Found(boxes[i:i + 1][sure], labels[i:i + 1][sure], scores[i:i + 1][sure])
                for i, sure in enumerate((scores > kept.least)[:, None])]  # fmt: skip


def located_loss(told: Located, labels: Tensor, boxes: Tensor, weight: float = 5.0) -> Tensor:
    """(B,) classes and (B, 4) true boxes as `Located.box` -> () log loss and `weight` times the absolute error of the boxes."""
    return F.cross_entropy(told.logits, labels) + weight * (told.box - boxes).abs().mean()


def corners(box: Tensor, height: float, width: float) -> Tensor:
    """(B, 4) centre and size as shares -> (B, 4) x1, y1, x2, y2 in pixels."""
    scale = box.new_tensor([width, height])
    centre, half = box[:, :2] * scale, box[:, 2:] * scale / 2
    return torch.cat([centre - half, centre + half], 1)


def shares(boxes: Tensor, height: float, width: float) -> Tensor:
    """(B, 4) x1, y1, x2, y2 in pixels -> (B, 4) as `Located.box`."""
    scale = boxes.new_tensor([width, height])
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2 / scale, (boxes[:, 2:] - boxes[:, :2]) / scale], 1)
