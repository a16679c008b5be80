"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition")."""

from __future__ import annotations

from torch import nn


def lenet5(classes: int = 10, channels: int = 1, size: int = 28) -> nn.Sequential:
    """(B, channels, size, size) -> (B, classes), size 28 (padded by 2) or 32; 61,706 parameters.

    The modern form: every map of the third layer sees all six maps of the second, ReLU for tanh, max for trained pooling.
    """
    if size not in (28, 32):
        raise ValueError(f"LeNet-5 takes pictures of 28 or 32 pixels a side, not {size}")
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=(32 - size) // 2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes))  # fmt: skip
