"""mien's own small Faster R-CNN for a CPU: a residual network of a million parameters, a pyramid of three levels, a small head.

It sees pictures of 240 to 480 pixels a side; objects are 12 to 250 pixels there.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from mien.models import efficientnet
from mien.models.fast_rcnn import Cut, FastRCNN, Kept, Scaled
from mien.models.faster_rcnn import Anchors, FasterRCNN
from mien.models.layers import he
from mien.models.mien_face import residual, unit
from mien.models.pyramid import Pyramid
from mien.models.rcnn import RCNN

STEM, WIDTHS, DEPTHS = (16, 32), (64, 128, 128), (2, 1, 1)
"""Channels behind the first two convolutions; channels and residual blocks of the stages at strides 8, 16 and 32."""
CHANNELS, FEATURES = 64, 128
ANCHORS = Anchors((8, 16, 32), ((16, 24), (36, 56), (84, 140)), (0.6, 1.0, 1.7))
CUT = Cut(ANCHORS.strides, canonical=120, samples=1)
KEPT = Kept(before=200, after=100)


def stem() -> nn.Sequential:
    """(B, 3, H, W) RGB in 0..1 -> (B, 32, H / 4, W / 4)."""
    scaled = Scaled((0.45, 0.45, 0.45), (0.25, 0.25, 0.25))
    return nn.Sequential(scaled, unit(3, STEM[0], stride=2), unit(STEM[0], STEM[1], stride=2), residual(STEM[1]))


def stages() -> list[nn.Sequential]:
    """Each half as large as the one before."""
    ways = zip((STEM[1], *WIDTHS[:-1]), WIDTHS, DEPTHS, strict=True)
    return [nn.Sequential(unit(a, b, stride=2), *(residual(b) for _ in range(depth))) for a, b, depth in ways]


def head() -> nn.Sequential:
    """(N, 64, 7, 7) -> (N, 128)."""
    return nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(CHANNELS * 16, FEATURES), nn.ReLU(), nn.Linear(FEATURES, FEATURES), nn.ReLU())  # fmt: skip


def mien_detect(classes: int = 3) -> FasterRCNN:
    """(B, 3, H, W) RGB in 0..1 -> what is where; `classes` without the background."""
    body = Pyramid(stem(), stages(), WIDTHS, CHANNELS).apply(he)
    return FasterRCNN(body, head().apply(he), ANCHORS, CUT, CHANNELS, FEATURES, classes, KEPT)


def lite0(classes: int = 3) -> FasterRCNN:
    """The same on EfficientNet-Lite0: more to compute, but a body that may know ImageNet before it sees the first box."""
    blocks = efficientnet.blocks()
    stem = nn.Sequential(Scaled(efficientnet.MEAN, efficientnet.DEVIATION), *efficientnet.stem(), *blocks[:3])
    rest = [nn.Sequential(*blocks[first:last]) for first, last in ((3, 5), (5, 11), (11, 16))]
    body = Pyramid(stem, rest, (40, 112, 320), CHANNELS).apply(he)
    return FasterRCNN(body, head().apply(he), ANCHORS, CUT, CHANNELS, FEATURES, classes, KEPT)


def mien_fast(classes: int = 3) -> FastRCNN:
    """The same with proposals from outside: Fast R-CNN on the same maps, for comparison."""
    return FastRCNN(Pyramid(stem(), stages(), WIDTHS, CHANNELS).apply(he), head().apply(he), CUT, FEATURES, classes, KEPT)


def mien_rcnn(classes: int = 3) -> RCNN:
    """The same convolutions on regions of 64 x 64 pixels, one by one: R-CNN, for comparison."""
    features = nn.Sequential(OrderedDict(stem=stem(), stages=nn.Sequential(*stages()), flat=nn.Flatten())).apply(he)
    return RCNN(features, nn.Sequential(nn.Linear(WIDTHS[-1] * 4, FEATURES), nn.ReLU()), WIDTHS[-1] * 4, FEATURES, 64, classes)
