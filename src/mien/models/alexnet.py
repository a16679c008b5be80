"""AlexNet (Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks")."""

from __future__ import annotations

from torch import nn


def local_norm() -> nn.LocalResponseNorm:
    """Section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75; torch divides its alpha by n, the paper does not."""
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def dense_head(classes: int) -> list[nn.Module]:
    """(B, 256, 6, 6) -> (B, classes): two layers of 4096, dropout before each of them."""
    return [nn.Flatten(), nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes)]  # fmt: skip


def alexnet(classes: int = 1000, groups: int = 2) -> nn.Sequential:
    """(B, 3, 227, 227) -> (B, classes).

    The paper says 224, but only 227 gives its maps of 55 x 55. `groups` 2 is the paper's, whose layers 2, 4 and 5 see the maps on
    their own GPU alone; 1 lets them see all.
    """
    net = nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(), local_norm(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=groups), nn.ReLU(), local_norm(), nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2),
        *dense_head(classes))  # fmt: skip
    start(net, ones=(1, 3, 4, 5, 6))
    return net


def start(net: nn.Sequential, ones: tuple[int, ...] = ()) -> None:
    """Section 5: weights N(0, 0.01), biases 0, but 1 in the layers `ones`, counted from 0, so that their ReLUs begin switched on."""
    layers = [module for module in net if isinstance(module, nn.Conv2d | nn.Linear)]
    for i, layer in enumerate(layers):
        assert layer.bias is not None
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.constant_(layer.bias, float(i in ones))
