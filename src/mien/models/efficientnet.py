"""EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946, table 1; Lite: Liu 2020, blog.tensorflow.org): ImageNet, for phones.

Lite leaves out what small processors are slow with, squeeze-and-excitation and swish (here ReLU up to 6), and does not scale the first
and last layers. 4,652,008 parameters, 0.4 billion multiplications for 224 pixels. Borders are TensorFlow's: with a stride of 2 an even
picture gets one more row below and one more column on the right, and the published weights have learnt that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import weights
from mien.models import checking
from mien.models.fast_rcnn import Scaled
from mien.models.layers import he

CARD = "efficientnet-lite0"
EPSILON, MOMENTUM = 1e-3, 0.01
STEM, LAST = 32, 1280
MEAN, DEVIATION = (127 / 255,) * 3, (128 / 255,) * 3
"""Of the colours in 0..1, as the published weights have learnt to see them."""


@dataclass(frozen=True)
class Stage:
    """A row of table 1: blocks of one width, of which the first may halve the picture."""

    kernel: int
    stride: int
    expand: int
    width: int
    blocks: int


STAGES = (Stage(3, 1, 1, 16, 1), Stage(3, 2, 6, 24, 2), Stage(5, 2, 6, 40, 2), Stage(3, 2, 6, 80, 3), Stage(5, 1, 6, 112, 3),
          Stage(5, 2, 6, 192, 4), Stage(3, 1, 6, 320, 1))  # fmt: skip


class Same(nn.Conv2d):
    """(B, C, H, W) -> (B, D, ceil(H / stride), ceil(W / stride)): without bias, with TensorFlow's border."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(c_in, c_out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Half of the border, rounded down, lies above and on the left."""
        step, size = self.stride[0], self.kernel_size[0]
        if step == 1:
            return super().forward(input)
        whole = [max((-(-side // step) - 1) * step + size - side, 0) for side in input.shape[-2:]]
        (top, left), (below, right) = ([one // 2 for one in whole], [one - one // 2 for one in whole])
        return super().forward(F.pad(input, (left, right, top, below)))


def norm(width: int) -> nn.BatchNorm2d:
    """With the published network's constants."""
    return nn.BatchNorm2d(width, EPSILON, MOMENTUM)


class Block(nn.Module):
    """An inverted bottleneck (Sandler et al. 2018): wide, each channel looked at by itself, narrow again; added where sizes allow."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide, self.adds = c_in * expand, stride == 1 and c_in == c_out
        self.widen = nn.Sequential(Same(c_in, wide, 1), norm(wide), nn.ReLU6()) if expand > 1 else nn.Identity()
        self.look = nn.Sequential(Same(wide, wide, kernel, stride, groups=wide), norm(wide), nn.ReLU6())
        self.narrow = nn.Sequential(Same(wide, c_out, 1), norm(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, H / stride, W / stride)."""
        y = self.narrow(self.look(self.widen(x)))
        return x + y if self.adds else y


def stem() -> nn.Sequential:
    """(B, 3, H, W), scaled by `MEAN` and `DEVIATION` -> (B, 32, H / 2, W / 2)."""
    return nn.Sequential(Same(3, STEM, 3, 2), norm(STEM), nn.ReLU6())


def blocks() -> list[Block]:
    """All sixteen, one after the other."""
    found, width = [], STEM
    for stage in STAGES:
        for number in range(stage.blocks):
            found.append(Block(width, stage.width, stage.kernel, 1 if number else stage.stride, stage.expand))
            width = stage.width
    return found


class EfficientNetLite0(nn.Module):
    """(B, 3, H, W) -> (B, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem, self.blocks = stem(), nn.Sequential(*blocks())
        self.last = nn.Sequential(Same(STAGES[-1].width, LAST, 1), norm(LAST), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout, self.classify = nn.Dropout(0.2), nn.Linear(LAST, classes)
        self.apply(he)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.classify(self.dropout(self.last(self.blocks(self.stem(x)))))


@torch.no_grad()
def begin(body: nn.Module, seen: EfficientNetLite0) -> None:
    """Give the first layers and sixteen blocks of `body` the weights of `seen`. ValueError where it does not have those."""
    own, given = ([layer for layer in part.modules() if isinstance(layer, Same | nn.BatchNorm2d)]
                  for part in (body, nn.Sequential(seen.stem, seen.blocks)))  # fmt: skip
    if [layer.weight.shape for layer in own] != [layer.weight.shape for layer in given]:
        raise ValueError("the network does not stand on the blocks of EfficientNet-Lite0")
    for layer, theirs in zip(own, given, strict=True):
        layer.load_state_dict(theirs.state_dict())


def load() -> EfficientNetLite0:
    """With the published weights, in use; it wants (x - `MEAN`) / `DEVIATION` of x in 0..1.

    RuntimeError where the weights cannot be had, in words, or answer otherwise than the card says.
    """
    net = EfficientNetLite0()
    net.load_state_dict(weights.load(CARD), strict=False)  # batch norms' counts are of no use
    net.eval().requires_grad_(False)
    scaled = Scaled(MEAN, DEVIATION)
    checking.check(CARD, lambda x, layers: {"logits": net(scaled(x))}, side=224)
    return net
