"""VGG (Simonyan and Zisserman 2014), configurations A, B, D, E of table 1, and with batch norm."""

from __future__ import annotations

from torch import nn

from mien.models.layers import choice, conv_norm_relu, conv_relu, he

DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""How many 3x3 convolutions stand before each of the five poolings."""
WIDTHS = (64, 128, 256, 512, 512)


def features(name: str, norm: bool = False) -> list[nn.Module]:
    """Blocks from (B, 3, H, W) to (B, 512, H / 32, W / 32); `norm` puts batch norm behind every convolution."""
    block = conv_norm_relu if norm else conv_relu
    layers: list[nn.Module] = []
    c_in = 3
    for depth, width in zip(DEPTHS[choice(name, DEPTHS)], WIDTHS, strict=True):
        for _ in range(depth):
            layers.append(block(c_in, width))
            c_in = width
        layers.append(nn.MaxPool2d(2))
    return layers


def vgg(name: str = "vgg16", classes: int = 1000, norm: bool = False) -> nn.Sequential:
    """(B, 3, 224, 224) -> (B, classes)."""
    body = features(name, norm)
    head = [nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, classes)]  # fmt: skip
    return nn.Sequential(*body, *head).apply(he)


def vgg_cifar(name: str = "vgg16", classes: int = 10, norm: bool = True) -> nn.Sequential:
    """(B, 3, 32, 32) -> (B, classes): the convolutions with batch norm, and one dense layer in place of three."""
    return nn.Sequential(*features(name, norm), nn.Flatten(), nn.Linear(512, classes)).apply(he)
