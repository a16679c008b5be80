"""Building blocks shared by the classic networks. Shapes: B batch, C channels, H height, W width."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def conv_relu(c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution with bias, then ReLU: the pre-2015 block."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2), nn.ReLU())


def conv_norm_relu(c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution with bias, batch norm, ReLU."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2), nn.BatchNorm2d(c_out), nn.ReLU())


def conv_norm(c_in: int, c_out: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, then batch norm (no activation)."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c_out))


class Added(nn.Module):
    """x + body(x)."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return x + self.body(x)


class Residual(nn.Module):
    """relu(body(x) + shortcut(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> what body makes of it."""
        return (self.body(x) + self.shortcut(x)).relu()


def he(module: nn.Module) -> None:
    """He et al. 2015 ("Delving deep into rectifiers", eq. 10): normal weights that keep the signal's variance through ReLU layers.

    Biases are zero. For `net.apply`. Its eq. 14, which keeps the gradient's, makes GoogLeNet's logits thirty times as large.
    """
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def choice(name: str, table: Mapping[str, object]) -> str:
    """`name` where it is a key of `table`; else ValueError."""
    if name not in table:
        raise ValueError(f"there is no {name!r}; known: {', '.join(table)}")
    return name


def looked_up(table: nn.Embedding, labels: Tensor) -> Tensor:
    """(B,) whole numbers, or (B, classes) shares of each label -> (B, width) of the table's rows, mixed where shares are given."""
    return labels @ table.weight if labels.is_floating_point() else table(labels)


class ConditionalNorm(nn.Module):
    """Batch norm whose factors and shifts are those of a label (Dumoulin et al. 2017, arXiv 1610.07629); without labels, plain."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=not classes)
        self.table = nn.Embedding(classes, 2 * width) if classes else None
        if self.table is not None:
            with torch.no_grad():
                self.table.weight[:, :width] = 1
                self.table.weight[:, width:] = 0

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """(B, C, H, W), (B,) -> the same."""
        x = self.norm(x)
        if self.table is None:
            return x
        assert labels is not None
        factor, shift = looked_up(self.table, labels)[:, :, None, None].to(x.dtype).chunk(2, 1)
        return torch.addcmul(shift, x, factor)
