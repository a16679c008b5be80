"""Convolutions of frozen networks with a quarter of the multiplications, in fp32 on a CPU: Winograd's F(4 x 4, 3 x 3).

A 3 x 3 convolution becomes 36 matrix products over 6 x 6 tiles that give 4 x 4 results each (Lavin and Gray 2015, section 4.2), which
needs 36 multiplications in place of 144. The slope towards the input is the same convolution with the taps turned round, so nothing
is kept for it but the taps, which no training changes. Rows of tiles are computed a few at a time, so that what they spread to stays
near the processor. Sums of inputs are rounded: a result's error is some ten times that of a plain convolution in fp32, a hundredth of
one in bf16.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

NEAR = 1 << 19
"""Numbers that the tiles computed at once spread to."""
FEWEST = 128
"""Tiles at once, at least: the taps are read anew for each lot."""
G = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6), (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))


def quicken_frozen(net: nn.Module, fewest: int = 64, most: int = 128) -> nn.Module:
    """Replace, in place, 3 x 3 convolutions without gradients of their own, of `fewest` channels in and out, `most` on one side.

    With fewer, spreading and gathering take what the multiplications save. What has been replaced stays.
    """
    for name, child in net.named_children():
        if isinstance(child, nn.Conv2d) and served(child):
            sides = sorted((child.in_channels, child.out_channels))
            if sides[0] >= fewest and sides[1] >= most:
                setattr(net, name, Frozen(child))
        elif not isinstance(child, Frozen):
            quicken_frozen(child, fewest, most)
    return net


def served(conv: nn.Conv2d) -> bool:
    """Whether `Frozen` computes this convolution."""
    shape = conv.kernel_size == (3, 3) and conv.stride == (1, 1) and conv.padding == (1, 1) and conv.dilation == (1, 1)
    fixed = not any(parameter.requires_grad for parameter in conv.parameters())
    return shape and fixed and conv.groups == 1 and conv.padding_mode == "zeros" and conv.bias is not None


class Frozen(nn.Module):
    """A convolution that stays as it is; (B, C, H, W) -> (B, O, H, W), quicker for fp32 on a CPU, plain for all else."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.plain = conv
        self._taps: tuple[Tensor, Tensor] | None = None  # four times the weights, there and back: not before they are used

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return self.plain(x)
        if self._taps is None:
            weight = self.plain.weight.detach()
            self._taps = spread_taps(weight), spread_taps(weight.flip(2, 3).transpose(0, 1))
        return _Winograd.apply(x, *self._taps, self.plain.bias)  # pyright: ignore[reportReturnType]


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, ahead: Tensor, back: Tensor, bias: Tensor) -> Tensor:
        ctx.back = back
        return convolved(x, ahead, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return convolved(grad, ctx.back), None, None, None


def spread_taps(weight: Tensor) -> Tensor:
    """(O, C, 3, 3) -> (36, C, O): G g G^T, columns before rows."""
    g = torch.tensor(G, dtype=torch.float64)
    return torch.einsum("ai,ocij,bj->baco", g, weight.double(), g).flatten(0, 1).to(weight.dtype).contiguous()


@torch.no_grad()
def convolved(x: Tensor, taps: Tensor, bias: Tensor | None = None) -> Tensor:
    """(B, C, H, W), (36, C, O), (O,) -> (B, O, H, W) channels_last: a 3 x 3 convolution with a border of zeros."""
    batch, channels, height, width = x.shape
    made, rows, columns = taps.shape[2], -(-height // 4), -(-width // 4)
    # what follows may work in place, so the result must be no view of another tensor
    whole = torch.empty(batch, made, 4 * rows, 4 * columns, dtype=x.dtype, memory_format=torch.channels_last)
    out = whole.permute(0, 2, 3, 1)
    at_once = min(rows, max(NEAR // (36 * max(channels, made) * columns), -(-FEWEST // columns)))
    wide = 4 * columns + 2
    padded = x.new_zeros(4 * at_once + 2, wide, channels)
    tall, flat = x.new_empty(6, at_once, wide, channels), x.new_empty(6, 6, at_once, columns, channels)
    product, half = x.new_empty(6, 6, at_once, columns, made), x.new_empty(6, at_once, columns, 4, made)
    some = _Some(tall, flat, product, half)
    for picture in range(batch):
        pixels = x[picture].permute(1, 2, 0)
        for top in range(0, rows, at_once):
            count = min(at_once, rows - top)
            _fill(padded, pixels, 4 * top - 1, count)
            _lot(padded, taps, out[picture, 4 * top : 4 * (top + count)], some, count)
    if bias is not None:
        out += bias
    if (height, width) == (4 * rows, 4 * columns):
        return whole
    return whole[..., :height, :width].clone(memory_format=torch.channels_last)


class _Some:
    """Room that every lot of tiles uses again."""

    def __init__(self, tall: Tensor, flat: Tensor, product: Tensor, half: Tensor) -> None:
        self.tall, self.flat, self.product, self.half = tall, flat, product, half


def _fill(padded: Tensor, pixels: Tensor, top: int, count: int) -> None:
    """Rows `top` to `top + 4 count + 2` of the picture (H, W, C) with zeros beyond it."""
    height, width, _ = pixels.shape
    first, last = max(top, 0), min(top + 4 * count + 2, height)
    padded[: first - top].zero_()
    padded[first - top : last - top, 1 : width + 1] = pixels[first:last]
    padded[last - top :].zero_()


def _lot(padded: Tensor, taps: Tensor, out: Tensor, some: _Some, count: int) -> None:
    """`count` rows of tiles."""
    tall, flat, product, half = some.tall, some.flat, some.product, some.half
    if count < tall.shape[1]:
        tall, flat = tall.new_empty(6, count, *tall.shape[2:]), flat.new_empty(6, 6, count, *flat.shape[3:])
        product, half = product.new_empty(6, 6, count, *product.shape[3:]), half.new_empty(6, count, *half.shape[2:])
    columns, channels, made = flat.shape[3], flat.shape[4], product.shape[4]
    _spread([padded[i : i + 4 * count - 3 : 4] for i in range(6)], tall)
    _spread([tall[:, :, i : i + 4 * columns - 3 : 4] for i in range(6)], flat)
    torch.bmm(flat.view(36, -1, channels), taps, out=product.view(36, -1, made))
    _gather(product, [half[:, :, :, i] for i in range(4)])
    rows = out.view(count, 4, columns, 4, made)
    _gather(half, [rows[:, i] for i in range(4)])


def _spread(d: list[Tensor], out: Tensor) -> None:
    """B^T d into the six parts of `out`."""
    torch.sub(d[4], d[2], out=out[0])
    torch.sub(d[3], d[1], out=out[5])
    torch.add(out[0], out[5], alpha=2, out=out[3])
    torch.sub(out[0], out[5], alpha=2, out=out[4])
    torch.sub(d[4], d[2], alpha=4, out=out[1])
    odd = torch.sub(d[3], d[1], alpha=4)
    torch.sub(out[1], odd, out=out[2])
    out[1] += odd
    out[0].add_(d[0], alpha=4).sub_(d[2], alpha=4)
    out[5].mul_(-4).add_(d[5]).sub_(d[3])


def _gather(m: Tensor, out: list[Tensor]) -> None:
    """A^T m into the four parts of `out`; spends `m`."""
    torch.sub(m[1], m[2], out=out[1])
    torch.add(m[1], m[2], out=out[2])
    m[1].copy_(m[3]).sub_(m[4])
    m[3] += m[4]
    torch.add(out[1], m[1], alpha=8, out=out[3])
    out[3] += m[5]
    out[1].add_(m[1], alpha=2)
    torch.add(m[0], out[2], out=out[0])
    out[0] += m[3]
    out[2].add_(m[3], alpha=4)
