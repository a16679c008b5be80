"""GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions", table 1)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.models.layers import conv_relu, he

STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
     (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)  # fmt: skip
"""One row of table 1 per block: 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 | pool projection."""
SIDE = ((1, 0), (1, 3))
"""Stage and block behind which a side head stands: 4a and 4d."""


class Inception(nn.Module):
    """Four views of the same input, side by side on the channel axis."""

    def __init__(self, c_in: int, one: int, three_in: int, three: int, five_in: int, five: int, pool: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([
            conv_relu(c_in, one, 1),
            nn.Sequential(conv_relu(c_in, three_in, 1), conv_relu(three_in, three, 3)),
            nn.Sequential(conv_relu(c_in, five_in, 1), conv_relu(five_in, five, 5)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_relu(c_in, pool, 1)),
        ])  # fmt: skip
        self.c_out = one + three + five + pool

    def forward(self, x: Tensor) -> Tensor:
        """(B, c_in, H, W) -> (B, c_out, H, W)."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def side_head(c_in: int, classes: int) -> nn.Sequential:
    """(B, c_in, 14, 14) -> (B, classes), section 5."""
    return nn.Sequential(nn.AvgPool2d(5, 3), conv_relu(c_in, 128, 1), nn.Flatten(), nn.Linear(128 * 4 * 4, 1024), nn.ReLU(),
                         nn.Dropout(0.7), nn.Linear(1024, classes))  # fmt: skip


class GoogLeNetWithHeads(nn.Module):
    """The trunk in three parts, a side head behind the first two: they bring gradients to the early layers, and only in training."""

    def __init__(self, parts: list[nn.Sequential], heads: list[nn.Sequential]) -> None:
        super().__init__()
        self.parts, self.heads = nn.ModuleList(parts), nn.ModuleList(heads)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, 3, 224, 224) -> logits (B, classes); in training three of them: the network's, 4a's and 4d's (their loss x 0.3)."""
        sides = []
        for part, head in zip(self.parts, [*self.heads, None], strict=True):
            x = part(x)
            if head and self.training:
                sides.append(head(x))
        return (x, *sides) if self.training else x


def googlenet(classes: int = 1000, heads: bool = False) -> nn.Sequential | GoogLeNetWithHeads:
    """(B, 3, 224, 224) -> (B, classes); `heads` adds the two side heads."""
    layers: list[nn.Module] = [conv_relu(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1), nn.LocalResponseNorm(5),
                               conv_relu(64, 64, 1), conv_relu(64, 192), nn.LocalResponseNorm(5)]  # fmt: skip
    c_in, cuts, sides = 192, [], []
    for i, stage in enumerate(STAGES):
        layers.append(nn.MaxPool2d(3, 2, 1))
        for j, row in enumerate(stage):
            block = Inception(c_in, *row)
            layers.append(block)
            c_in = block.c_out
            if (i, j) in SIDE:
                cuts.append(len(layers))
                sides.append(side_head(c_in, classes))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(c_in, classes)]
    if not heads:
        return nn.Sequential(*layers).apply(he)
    ends = [0, *cuts, len(layers)]
    return GoogLeNetWithHeads([nn.Sequential(*layers[a:b]) for a, b in pairwise(ends)], sides).apply(he)
