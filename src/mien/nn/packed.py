"""Convolutions for inference on a CPU whose weights lie as oneDNN wants them: PyTorch lays them out anew for every call.

For one picture through a deep network that is a quarter of the time; the ReLU and the sum behind a convolution cost nothing more. The
operators are those that torch.compile uses; they are not documented, so `packable` says whether this PyTorch has them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

OPERATORS = ("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight")


def packable() -> bool:
    """Whether `Packed` runs here."""
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in OPERATORS)


class Packed(nn.Module):
    """A float32 convolution with zero padding on the CPU, without gradients; with `relu`, a ReLU behind it."""

    def __init__(self, conv: nn.Conv2d, sides: tuple[int, int], relu: bool = False) -> None:
        """`sides`: rows and columns of the input expected; others work too."""
        super().__init__()
        assert isinstance(conv.padding, tuple)
        self.placed = list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups
        self.relu = "relu" if relu else "none"
        with torch.no_grad():
            self.bias = None if conv.bias is None else conv.bias.detach()
            shape = [1, conv.in_channels, *sides]
            self.weight = torch.ops.mkldnn._reorder_convolution_weight(conv.weight.detach(), *self.placed, shape)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, h, w)."""
        return torch.ops.mkldnn._convolution_pointwise(x, self.weight, self.bias, *self.placed, self.relu, [], "")

    def onto(self, x: Tensor, other: Tensor) -> Tensor:
        """The ReLU of the convolution's output plus `other`, written over `other`."""
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            other, x, self.weight, self.bias, *self.placed, "add", 1.0, "relu", [], ""
        )
