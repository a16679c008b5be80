"""DenseNet-BC (Huang et al. 2016, "Densely connected convolutional networks", table 1 and section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.models.layers import choice, he

DEPTHS = {"tiny": (1, 1, 1, 1), "densenet121": (6, 12, 24, 16), "densenet169": (6, 12, 32, 32), "densenet201": (6, 12, 48, 32)}
"""Layers in each of the four dense blocks."""


def norm_relu_conv(c_in: int, c_out: int, kernel: int) -> nn.Sequential:
    """The order of "pre-activation"."""
    return nn.Sequential(nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False))


class Grow(nn.Module):
    """Append `growth` new channels, computed from all channels so far through a bottleneck of 4 * growth."""

    def __init__(self, c_in: int, growth: int) -> None:
        super().__init__()
        self.new = nn.Sequential(norm_relu_conv(c_in, 4 * growth, 1), norm_relu_conv(4 * growth, growth, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + growth, H, W)."""
        return torch.cat([x, self.new(x)], dim=1)


def _blocks(depths: tuple[int, ...], channels: int, growth: int, classes: int) -> list[nn.Module]:
    """Dense blocks with transitions between them, and the head."""
    layers: list[nn.Module] = []
    for i, depth in enumerate(depths):
        if i > 0:  # transition: halve the channels and the size
            layers += [norm_relu_conv(channels, channels // 2, 1), nn.AvgPool2d(2)]
            channels //= 2
        for _ in range(depth):
            layers.append(Grow(channels, growth))
            channels += growth
    return [*layers, nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def densenet(name: str = "densenet121", classes: int = 1000, growth: int = 32) -> nn.Sequential:
    """(B, 3, 224, 224) -> (B, classes)."""
    width = 2 * growth
    stem = [nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *_blocks(DEPTHS[choice(name, DEPTHS)], width, growth, classes)).apply(he)


def densenet_cifar(classes: int = 10, depth: int = 100, growth: int = 12) -> nn.Sequential:
    """(B, 3, 32, 32) -> (B, classes): three dense blocks behind one 3x3 convolution. ValueError unless depth is 6 n + 4."""
    layers, rest = divmod(depth - 4, 6)
    if rest or layers < 1:
        raise ValueError(f"a DenseNet-BC of three blocks has 6 n + 4 layers (10, 16... 100), not {depth}")
    stem = nn.Conv2d(3, 2 * growth, 3, padding=1, bias=False)
    return nn.Sequential(stem, *_blocks((layers,) * 3, 2 * growth, growth, classes)).apply(he)
