"""A convolutional network in three dimensions, for volumes such as a CT scan (after Ji et al. 2010, who convolve over time)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mien.models.layers import he

KERNEL = 5


def volume_net(classes: int = 2, channels: int = 1, widths: Sequence[int] = (5, 10)) -> nn.Sequential:
    """(B, channels, D, H, W) -> (B, classes). Convolutions of 5 x 5 x 5 without padding, halving between them, the mean in the end.

    14^3 voxels become 10^3 in five maps behind the first layer, and one place in ten maps behind the second.
    """
    layers: list[nn.Module] = []
    for i, (c_in, c_out) in enumerate(zip((channels, *widths), widths, strict=False)):
        layers += [nn.MaxPool3d(2)] if i > 0 else []
        layers += [nn.Conv3d(c_in, c_out, KERNEL), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(widths[-1], classes)).apply(he)
