"""ZFNet (Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks", figure 3).

AlexNet whose first layer looks more closely: 7 x 7 and stride 2 for 11 x 11 and stride 4, since the filters that came out of AlexNet
left middle frequencies out and aliased.
"""

from __future__ import annotations

from torch import nn

from mien.models.alexnet import dense_head, local_norm, start


def zfnet(classes: int = 1000) -> nn.Sequential:
    """(B, 3, 224, 224) -> (B, classes); maps of 110, 55, 26, 13, 13, 13 and 6 pixels a side, as in the figure."""
    net = nn.Sequential(
        nn.Conv2d(3, 96, 7, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), local_norm(),
        nn.Conv2d(96, 256, 5, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), local_norm(),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        *dense_head(classes))  # fmt: skip
    start(net)
    return net
