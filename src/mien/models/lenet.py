"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II): as built today, and as in 1998.

`lenet5_1998` counts as the paper does, C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164: 60,000 trained parameters.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""Table I: the maps of S2 that each of the 16 maps of C3 sees."""


def _padding(size: int) -> int:
    if size not in (28, 32):
        raise ValueError(f"LeNet-5 takes pictures of 28 or 32 pixels a side, not {size}")
    return (32 - size) // 2


def lenet5(classes: int = 10, channels: int = 1, size: int = 28) -> nn.Sequential:
    """(B, channels, size, size) -> (B, classes), size 28 (padded by 2) or 32; 61,706 parameters.

    The modern form: every map of the third layer sees all six maps of the second, ReLU for tanh, max for trained pooling.
    """
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=_padding(size)), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes))  # fmt: skip


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3): f(1) = 1, f(-1) = -1 (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Mean of 2 x 2, times a trained coefficient, plus a trained bias, one of each a map.

    The paper adds the four up; the mean only moves a factor of four into the coefficient.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / 2, W / 2)."""
        return F.avg_pool2d(x, 2) * self.weight + self.bias


class PartialConv(nn.Module):
    """A convolution whose maps see only some maps of its input: `connections[o]` lists those of output map o."""

    def __init__(self, c_in: int, connections: tuple[tuple[int, ...], ...], kernel: int = 5) -> None:
        super().__init__()
        self.shape = (len(connections), c_in, kernel, kernel)
        self.rows = [o for o, seen in enumerate(connections) for _ in seen]
        self.columns = [i for seen in connections for i in seen]
        self.weight = nn.Parameter(torch.empty(len(self.rows), kernel, kernel))
        self.bias = nn.Parameter(torch.empty(len(connections)))
        with torch.no_grad():
            for kernels, o in zip(self.weight, self.rows, strict=True):
                _like_1998(kernels, self.bias[o : o + 1], len(connections[o]) * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, H - k + 1, W - k + 1)."""
        whole = self.weight.new_zeros(self.shape)
        whole[self.rows, self.columns] = self.weight
        return F.conv2d(x, whole, self.bias)


class RadialBasis(nn.Module):
    """Euclidean RBF output (eq. 7), negated so that it serves as logits: -sum_j (x_j - code_cj)^2.

    The codes are fixed at -1 and +1. The paper draws each as a picture of its character and names chosen at random as the other way:
    these are random, the same ones always.
    """

    codes: Tensor

    def __init__(self, n_in: int, classes: int) -> None:
        super().__init__()
        chosen = random.Random(1998)
        self.register_buffer("codes", torch.tensor([chosen.choices((-1.0, 1.0), k=n_in) for _ in range(classes)]))

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_in) -> (B, classes)."""
        return -(x[:, None] - self.codes).square().sum(-1)


def _like_1998(weight: Tensor, bias: Tensor, fan_in: int) -> None:
    """Uniform in -2.4 / F .. 2.4 / F, F the inputs of a unit (appendix A)."""
    nn.init.uniform_(weight, -2.4 / fan_in, 2.4 / fan_in)
    nn.init.uniform_(bias, -2.4 / fan_in, 2.4 / fan_in)


def lenet5_1998(classes: int = 10, channels: int = 1, size: int = 28, output: str = "rbf") -> nn.Sequential:
    """(B, channels, size, size) -> (B, classes), size 28 (padded by 2) or 32.

    `output`: "rbf" as in the paper (nothing to train there), or "linear" (84 x classes weights and biases). Cross-entropy over the
    logits takes the place of the paper's eq. 9.
    """
    if output not in ("rbf", "linear"):
        raise ValueError(f"the output is rbf or linear, not {output!r}")
    net = nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=_padding(size)), ScaledTanh(), Subsampling(6), ScaledTanh(),
        PartialConv(6, CONNECTIONS), ScaledTanh(), Subsampling(16), ScaledTanh(),
        nn.Conv2d(16, 120, 5), ScaledTanh(), nn.Flatten(), nn.Linear(120, 84), ScaledTanh(),
        RadialBasis(84, classes) if output == "rbf" else nn.Linear(84, classes))  # fmt: skip
    for module in net:
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert module.bias is not None
            _like_1998(module.weight, module.bias, module.weight[0].numel())
    return net
