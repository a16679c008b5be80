"""Convolutions of 4 x 4 with stride 2 and a border of 1, and their transposes, whose weights' gradient is one product of matrices.

oneDNN takes three times as long for that gradient as for the convolution itself where maps are small and channels many (8 x 8 to 4 x 4
pixels, 256 to 512 channels); gathered patches cost little there. Everything else, and every answer but for rounding, is torch's.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

KERNEL, STRIDE, BORDER = 4, 2, 1
MOST = 4
"""Pixels a side of the smaller map up to which patches are quicker."""


def patches(x: Tensor) -> Tensor:
    """(B, C, 2 h, 2 w) -> (B h w, 16 C): what each place of a convolution sees, row by row, channels innermost."""
    batch, channels, height, width = x.shape
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, BORDER, BORDER, BORDER, BORDER)).unfold(1, KERNEL, STRIDE).unfold(2, KERNEL, STRIDE)
    return x.permute(0, 1, 2, 4, 5, 3).reshape(batch * height * width // STRIDE**2, KERNEL**2 * channels)


def weights_gradient(small: Tensor, large: Tensor) -> Tensor:
    """(B, D, h, w), (B, C, 2 h, 2 w) -> (D, C, 4, 4)."""
    flat = small.permute(1, 0, 2, 3).flatten(1) if not small.is_contiguous(memory_format=torch.channels_last) else (
        small.permute(0, 2, 3, 1).flatten(0, 2).T)  # fmt: skip
    return (flat @ patches(large)).view(small.shape[1], KERNEL, KERNEL, large.shape[1]).permute(0, 3, 1, 2)


class _Convolved(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, up: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.up = up
        return (F.conv_transpose2d if up else F.conv2d)(x, weight, None, STRIDE, BORDER)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        x, weight = ctx.saved_tensors
        (grad,) = grads
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = (F.conv2d if ctx.up else F.conv_transpose2d)(grad, weight, None, STRIDE, BORDER)
        if ctx.needs_input_grad[1]:
            of_weight = weights_gradient(*((x, grad) if ctx.up else (grad, x)))
        return of_x, of_weight, None


def _cast(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """As autocast does it."""
    if torch.is_autocast_enabled(x.device.type):
        kind = torch.get_autocast_dtype(x.device.type)
        return x.to(kind), weight.to(kind)
    return x, weight


class Halving(nn.Conv2d):
    """(B, C, H, W) -> (B, D, H / 2, W / 2); sides are even."""

    def __init__(self, c_in: int, c_out: int, bias: bool = True) -> None:
        super().__init__(c_in, c_out, KERNEL, STRIDE, BORDER, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Patches on a CPU where they are quicker."""
        if input.device.type != "cpu" or max(input.shape[-2:]) > STRIDE * MOST:
            return super().forward(input)
        made = _Convolved.apply(*_cast(input, self.weight), False)
        assert isinstance(made, Tensor)
        return made if self.bias is None else made + self.bias.to(made.dtype).view(-1, 1, 1)


class Doubling(nn.ConvTranspose2d):
    """(B, C, H, W) -> (B, D, 2 H, 2 W)."""

    def __init__(self, c_in: int, c_out: int, bias: bool = True) -> None:
        super().__init__(c_in, c_out, KERNEL, STRIDE, BORDER, bias=bias)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Patches on a CPU where they are quicker."""
        if input.device.type != "cpu" or max(input.shape[-2:]) > MOST:
            return super().forward(input, output_size)
        made = _Convolved.apply(*_cast(input, self.weight), True)
        assert isinstance(made, Tensor)
        return made if self.bias is None else made + self.bias.to(made.dtype).view(-1, 1, 1)
