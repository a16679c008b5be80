"""VDSR (Kim et al. 2016, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", arXiv 1511.04587).

Twenty 3x3 convolutions learn what bicubic interpolation lacks, the residual, and one network serves all scales.
"""

from __future__ import annotations

import torch
from torch import nn

from mien.models.layers import Added, choice, he

STARTS = ("he", "linear")


def vdsr(depth: int = 20, width: int = 64, channels: int = 1, start: str = "he") -> Added:
    """(B, 1, H, W) brightness in 0..1, enlarged -> (B, 1, H, W) sharper: 665,921 parameters. Beyond the border are zeros.

    `start`: "he" as the paper has it; "linear": see `looks_linear`, which learns several times as fast.
    """
    layers: list[nn.Module] = []
    for c_in in (channels, *[width] * (depth - 2)):
        layers += [nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1)).apply(he)
    if choice(start, dict.fromkeys(STARTS)) == "linear":
        looks_linear(net)
    return Added(net)


@torch.no_grad()
def looks_linear(net: nn.Sequential) -> None:
    """Nineteen layers that begin as one rotation, whatever ReLU cuts off (Balduzzi et al. 2017, arXiv 1702.08591).

    Half of the channels carry what the other half carries with the opposite sign, only at the middle of the kernel (Xiao et al.
    2018, arXiv 1806.05393), so signals and gradients keep their length. The last layer starts near 0: the whole is bicubic.
    """
    first, *inner, last = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    half = first.weight[:len(first.weight) // 2].clone()
    first.weight.copy_(torch.cat([half, -half]))
    for conv in inner:
        turn = nn.init.orthogonal_(torch.empty(conv.out_channels // 2, conv.in_channels // 2))
        conv.weight.zero_()
        conv.weight[:, :, 1, 1] = torch.cat([torch.cat([turn, -turn], 1), torch.cat([-turn, turn], 1)])
    half = last.weight[:, :last.in_channels // 2] * 0.05
    last.weight.copy_(torch.cat([half, -half], 1))
