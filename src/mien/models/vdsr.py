"""VDSR (Kim et al. 2016, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", arXiv 1511.04587).

Twenty 3x3 convolutions learn what bicubic interpolation lacks, the residual, and one network serves all scales.
"""

from __future__ import annotations

from torch import nn

from mien.models.layers import Added, he


def vdsr(depth: int = 20, width: int = 64, channels: int = 1) -> Added:
    """(B, 1, H, W) brightness in 0..1, enlarged -> (B, 1, H, W) sharper: 665,921 parameters. Beyond the border are zeros."""
    layers: list[nn.Module] = []
    for c_in in (channels, *[width] * (depth - 2)):
        layers += [nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU()]
    return Added(nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1)).apply(he))
