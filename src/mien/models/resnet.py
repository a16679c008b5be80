"""ResNet (He et al. 2015, "Deep residual learning", table 1)."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from mien.models.layers import Residual, choice, conv_norm, he

DEPTHS = {"tiny": (1, 1, 1, 1), "resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3),
          "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}  # fmt: skip
"""Blocks in each of the four stages."""
BASIC = ("tiny", "resnet18", "resnet34")
"""These are made of basic blocks, the others of bottlenecks."""


def _shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    """The identity, or where the shape changes a 1x1 convolution (the paper's option B)."""
    return nn.Identity() if stride == 1 and c_in == c_out else conv_norm(c_in, c_out, 1, stride)


def basic(c_in: int, width: int, stride: int) -> Residual:
    """Two 3x3 convolutions; `width` channels out."""
    body = nn.Sequential(conv_norm(c_in, width, 3, stride), nn.ReLU(), conv_norm(width, width, 3))
    return Residual(body, _shortcut(c_in, width, stride))


def bottleneck(c_in: int, width: int, stride: int, first: bool = False) -> Residual:
    """1x1 down, 3x3, 1x1 up to 4 * width. The stride sits on the 3x3 ("v1.5"), or on the `first` 1x1 as in the paper ("v1")."""
    one, three = (stride, 1) if first else (1, stride)
    body = nn.Sequential(conv_norm(c_in, width, 1, one), nn.ReLU(), conv_norm(width, width, 3, three), nn.ReLU(),
                         conv_norm(width, 4 * width))  # fmt: skip
    return Residual(body, _shortcut(c_in, 4 * width, stride))


def stages(name: str, width: int = 64, v1: bool = False) -> list[nn.Sequential]:
    """The four stages; stage i ends at width * 2**i channels (bottlenecks: 4 times as many), 1 / (4 * 2**i) of the input size."""
    block: Callable[[int, int, int], Residual] = basic if name in BASIC else lambda *sizes: bottleneck(*sizes, first=v1)
    wider = 1 if name in BASIC else 4
    c_in, out = width, []
    for i, depth in enumerate(DEPTHS[choice(name, DEPTHS)]):
        blocks = []
        for j in range(depth):
            blocks.append(block(c_in, width * 2**i, 2 if i > 0 and j == 0 else 1))
            c_in = wider * width * 2**i
        out.append(nn.Sequential(*blocks))
    return out


def stem(width: int = 64) -> nn.Sequential:
    """(B, 3, H, W) -> (B, width, H / 4, W / 4)."""
    return nn.Sequential(conv_norm(3, width, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))


def resnet(name: str = "resnet50", classes: int = 1000, width: int = 64, v1: bool = False) -> nn.Sequential:
    """(B, 3, 224, 224) -> (B, classes). `v1`: bottlenecks stride where the paper's do; today's weights are of the other kind."""
    body = stages(name, width, v1)
    out = width * 8 * (1 if name in BASIC else 4)
    return nn.Sequential(stem(width), *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(out, classes)).apply(he)
