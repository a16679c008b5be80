"""The half of a siamese network (Koch et al. 2015, "Siamese neural networks for one-shot image recognition", figure 4)."""

from __future__ import annotations

from torch import nn

KERNELS = (10, 7, 4, 4)
WIDTHS = (64, 128, 128, 256)


def siamese(classes: int = 4096, channels: int = 1, size: int = 105, widths: tuple[int, ...] = WIDTHS) -> nn.Sequential:
    """(B, channels, size, size) -> (B, classes) in 0..1: each picture of a pair goes through it. ValueError for too small a size.

    38,947,648 parameters with the defaults; the paper's last layer, over the differences, is `mien.nn.metric.PairHead`.
    """
    layers: list[nn.Module] = []
    side = size
    for place, (kernel, width) in enumerate(zip(KERNELS, widths, strict=True)):
        layers += [nn.Conv2d(channels, width, kernel), nn.ReLU()]
        side -= kernel - 1
        if place < len(KERNELS) - 1:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        channels = width
    if side < 1:
        raise ValueError(f"this network takes pictures of 65 pixels a side or more, not {size}")
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, classes), nn.Sigmoid())
