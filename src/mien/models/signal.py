"""A convolutional network in one dimension, for signals such as the beats of an electrocardiogram (after Kiranyaz et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mien.models.layers import he

KERNEL = 5


def signal_net(classes: int = 5, channels: int = 1, widths: Sequence[int] = (16, 32, 64)) -> nn.Sequential:
    """(B, channels, L) -> (B, classes). Convolutions of 5 samples without padding, halving between them, the mean over time at last.

    14 samples become 10 behind the first layer; three layers need 32 samples or more.
    """
    layers: list[nn.Module] = []
    for i, (c_in, c_out) in enumerate(zip((channels, *widths), widths, strict=False)):
        layers += [nn.MaxPool1d(2)] if i > 0 else []
        layers += [nn.Conv1d(c_in, c_out, KERNEL), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(widths[-1], classes)).apply(he)
