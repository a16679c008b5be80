"""Pictures drawn pixel by pixel, each from those above it and to its left: PixelCNN and its gated form, for two colours.

Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759; figure 5 and table 1) and "Conditional Image Generation
with PixelCNN Decoders" (arXiv 1606.05328; figure 2). p(x) is the product of p(pixel | the pixels before it, row by row), so the
probability of a picture is exact: one pass gives all its factors. Drawing needs a factor a pixel; `sampled` computes for each only
what is new and keeps the rest, which gives the same picture as a whole pass for each pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Masked(nn.Conv2d):
    """A convolution (B, C, H, W) -> (B, D, H, W) that sees what comes before its middle, row by row; `own`: and the middle itself."""

    mask: Tensor

    def __init__(self, c_in: int, c_out: int, size: int, own: bool) -> None:
        """`own` is mask B of the paper, without it mask A, for the layer that looks at the picture."""
        super().__init__(c_in, c_out, size, padding=size // 2)
        mask = torch.zeros(1, 1, size, size)
        mask[..., :size // 2, :] = 1
        mask[..., size // 2, :size // 2 + own] = 1
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Zeros beyond the border."""
        return F.conv2d(input, self.weight * self.mask, self.bias, padding=self.padding)

    def at(self, padded: Tensor, y: int, x: int) -> Tensor:
        """The answer (B, D) at one place of maps (B, C, H + size - 1, W + size - 1) with their border."""
        size = self.kernel_size[0]
        window = padded[:, :, y:y + size, x:x + size].flatten(1)
        return F.linear(window, (self.weight * self.mask).flatten(1), self.bias)


class Block(nn.Module):
    """Maps (B, 2 h, H, W) -> the same: half as many in between, where a masked 3 x 3 looks around (arXiv 1601.06759, figure 5)."""

    def __init__(self, half: int) -> None:
        super().__init__()
        self.down, self.look, self.up = nn.Conv2d(2 * half, half, 1), Masked(half, half, 3, own=True), nn.Conv2d(half, 2 * half, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Added to what came in."""
        return x + self.up(F.relu(self.look(F.relu(self.down(F.relu(x))))))


class PixelCNN(nn.Module):
    """(B, 1, H, W) of 0 and 1 -> (B, 1, H, W) logits of each pixel being 1, given the pixels before it."""

    patch = 1

    def __init__(self, half: int = 16, blocks: int = 7, last: int = 32) -> None:
        super().__init__()
        self.head = Masked(1, 2 * half, 7, own=False)
        self.blocks = nn.ModuleList(Block(half) for _ in range(blocks))
        self.tail = nn.Sequential(nn.ReLU(), nn.Conv2d(2 * half, last, 1), nn.ReLU(), nn.Conv2d(last, 1, 1))

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are answers."""
        return (self.tail[-1],)

    def forward(self, x: Tensor) -> Tensor:
        """One pass, all pixels."""
        x = self.head(2 * x - 1)
        for block in self.blocks:
            x = block(x)
        return self.tail(x)

    def drawing(self, canvas: Tensor) -> Drawing:
        """What `sampled` goes along with."""
        return _Plain(self, canvas)


class Gated(nn.Module):
    """One layer of the gated form: maps of the rows above (B, C, H, W) and of this row (B, C, H, W) -> the same."""

    def __init__(self, c_in: int, width: int, size: int, first: bool) -> None:
        """`first`: the layer that looks at the picture, where a row does not see itself, nor a pixel itself."""
        super().__init__()
        self.size, self.first, reach = size, first, size // 2
        self.above = nn.Conv2d(c_in, 2 * width, (reach + (not first), size))
        self.beside = nn.Conv2d(c_in, 2 * width, (1, reach + (not first)))
        self.down = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def padded(self, above: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
        """Both with zeros where the convolutions look beyond the border; nothing is seen below or to the right."""
        reach = self.size // 2
        return F.pad(above, (reach, reach, reach, 0)), F.pad(beside, (reach, 0, 0, 0))

    def forward(self, above: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
        """The first layer's rows end above the own one, its columns left of the own one."""
        height, width = above.shape[-2:]
        wide, long = self.padded(above, beside)
        rows = self.above(wide)[..., :height, :]
        cells = self.beside(long)[..., :width] + self.down(rows)
        made = self.out(gate(cells))
        return gate(rows), made if self.first else beside + made


def gate(x: Tensor) -> Tensor:
    """(B, 2 C, ...) -> (B, C, ...): tanh of one half times sigmoid of the other (arXiv 1606.05328, equation 2)."""
    signal, opened = x.chunk(2, 1)
    return torch.tanh(signal) * torch.sigmoid(opened)


class GatedPixelCNN(nn.Module):
    """As `PixelCNN`, without its blind spot: what is above is looked at by a stack of its own.

    `patch` 2 goes in squares of 2 x 2 pixels, row by row, and inside a square row by row: a quarter of the places to compute.
    Each place answers for every course the square can take (1 + 2 + 4 + 8 logits: of its first pixel, of its second after either
    first, ...), so that the probability of a picture stays exact.
    """

    def __init__(self, width: int = 32, layers: int = 8, last: int = 64, sizes: Sequence[int] = (7, 3), patch: int = 1) -> None:
        """`sizes`: places a side that the first layer looks at, and the others."""
        super().__init__()
        if patch not in (1, 2):
            raise ValueError(f"found patch {patch}, expected 1 or 2")
        self.patch = patch
        self.layers = nn.ModuleList(Gated(patch**2 if i == 0 else width, width, sizes[i > 0], i == 0) for i in range(layers))
        self.tail = nn.Sequential(nn.ReLU(), nn.Conv2d(width, last, 1), nn.ReLU(), nn.Conv2d(last, 2 ** patch**2 - 1, 1))

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are answers."""
        return (self.tail[-1],)

    def forward(self, x: Tensor) -> Tensor:
        """One pass, all pixels."""
        x = F.pixel_unshuffle(x, self.patch)
        above = beside = 2 * x - 1
        for layer in self.layers:
            above, beside = layer(above, beside)
        return F.pixel_shuffle(self.tail(beside).gather(1, courses(x)), self.patch)

    @torch.no_grad()
    def begin(self, smaller: GatedPixelCNN) -> None:
        """Take over a network that differs by having fewer layers: what the others add is nothing until they have learnt."""
        self.load_state_dict(smaller.state_dict(), strict=False)
        for layer in self.layers[len(smaller.layers):]:
            assert isinstance(layer, Gated)
            nn.init.zeros_(layer.out.weight)
            assert layer.out.bias is not None
            nn.init.zeros_(layer.out.bias)

    def drawing(self, canvas: Tensor) -> Drawing:
        """What `sampled` goes along with."""
        return _WithGates(self, canvas)


def courses(x: Tensor) -> Tensor:
    """Pixels of squares, (B, n, ...) of 0 and 1 -> which logit answers for each of them, (B, n, ...): that of the pixels before it."""
    found, before = [], torch.zeros_like(x[:, 0], dtype=torch.long)
    for i in range(x.shape[1]):
        found.append(before + 2**i - 1)
        before = 2 * before + x[:, i].long()
    return torch.stack(found, 1)


class Drawing:
    """Goes along a picture that is being drawn; keeps what does not change any more."""

    def logit(self, y: int, x: int) -> Tensor:
        """(B,) of the pixel at y, x; asked in `order`, each after `drawn` has told all before it."""
        raise NotImplementedError

    def drawn(self, y: int, x: int, values: Tensor) -> None:
        """(B,) 0 or 1 at that place."""
        raise NotImplementedError


class _Plain(Drawing):
    def __init__(self, net: PixelCNN, canvas: Tensor) -> None:
        count, _, height, width = canvas.shape
        self.net, self.blocks = net, [block for block in net.blocks if isinstance(block, Block)]
        self.canvas = canvas.new_zeros(count, 1, height + 6, width + 6)
        self.kept = [canvas.new_zeros(count, block.look.in_channels, height + 2, width + 2) for block in self.blocks]

    def logit(self, y: int, x: int) -> Tensor:
        maps = self.net.head.at(self.canvas, y, x)
        for block, kept in zip(self.blocks, self.kept, strict=True):
            kept[:, :, y + 1, x + 1] = F.relu(_one(block.down, F.relu(maps)))
            maps = maps + _one(block.up, F.relu(block.look.at(kept, y, x)))
        return _told(self.net.tail, maps)[:, 0]

    def drawn(self, y: int, x: int, values: Tensor) -> None:
        self.canvas[:, 0, y + 3, x + 3] = 2 * values - 1


class _WithGates(Drawing):
    """Rows above are finished when a row begins: their stack is computed a row at a time, the other a place at a time."""

    def __init__(self, net: GatedPixelCNN, canvas: Tensor) -> None:
        self.net, self.layers = net, [layer for layer in net.layers if isinstance(layer, Gated)]
        count, _, height, width = canvas.shape
        empty = [canvas.new_zeros(count, layer.above.in_channels, height // net.patch, width // net.patch) for layer in self.layers]
        self.kept = [layer.padded(one, one) for layer, one in zip(self.layers, empty, strict=True)]
        self.rows: list[Tensor] = []
        self.answers, self.square = canvas.new_zeros(count, 1), canvas.new_zeros(count, 0)

    def logit(self, y: int, x: int) -> Tensor:
        if not self.square.shape[1]:
            self.answers = self._place(y // self.net.patch, x // self.net.patch)
        course = courses(F.pad(self.square, (0, 1)))[:, -1:]
        return self.answers.gather(1, course)[:, 0]

    def _place(self, y: int, x: int) -> Tensor:
        if x == 0:
            self._begin(y)
        maps = None
        for i, (layer, (_, beside)) in enumerate(zip(self.layers, self.kept, strict=True)):
            if maps is not None:
                beside[:, :, y, x + layer.size // 2] = maps
            reach = layer.beside.kernel_size[1]
            cells = F.linear(beside[:, :, y, x:x + reach].flatten(1), layer.beside.weight.flatten(1), layer.beside.bias)
            made = _one(layer.out, gate(cells + self.rows[i][:, :, x]))
            maps = made if maps is None else maps + made
        assert maps is not None
        return _told(self.net.tail, maps)

    def _begin(self, y: int) -> None:
        self.rows, maps = [], None
        for layer, (above, _) in zip(self.layers, self.kept, strict=True):
            reach = layer.size // 2
            if maps is not None:
                above[:, :, y + reach, reach:-reach or None] = maps
            rows = layer.above(above[:, :, y:y + layer.above.kernel_size[0]])[:, :, 0]
            self.rows.append(layer.down(rows[:, :, None])[:, :, 0])
            maps = gate(rows)

    def drawn(self, y: int, x: int, values: Tensor) -> None:
        self.square = torch.cat([self.square, values[:, None]], 1)
        if self.square.shape[1] < self.net.patch**2:
            return
        layer, (above, beside) = self.layers[0], self.kept[0]
        y, x, reach = y // self.net.patch, x // self.net.patch, layer.size // 2
        above[:, :, y + reach, x + reach] = 2 * self.square - 1
        beside[:, :, y, x + reach] = 2 * self.square - 1
        self.square = self.square[:, :0]


def _one(conv: nn.Conv2d, maps: Tensor) -> Tensor:
    """A 1 x 1 convolution at one place, (B, C) -> (B, D)."""
    return F.linear(maps, conv.weight.flatten(1), conv.bias)


def _told(tail: nn.Sequential, maps: Tensor) -> Tensor:
    for part in tail:
        maps = _one(part, maps) if isinstance(part, nn.Conv2d) else part(maps)
    return maps


@torch.no_grad()
def sampled(net: PixelCNN | GatedPixelCNN, chances: Tensor, known: Tensor | None = None, cached: bool = True) -> Tensor:
    """(B, 1, H, W) uniform numbers in 0..1 -> (B, 1, H, W) of 0 and 1; a pixel is 1 where its number is below its probability.

    known (B, H, W) or (B, 1, H, W): pixels to keep, NaN where they are to be drawn. `cached`: False for a whole pass for each pixel.
    """
    canvas = torch.zeros_like(chances)
    known = None if known is None else known.view_as(chances)
    going = net.drawing(canvas) if cached else None
    for y, x in order(chances.shape[2], chances.shape[3], net.patch):
        logit = going.logit(y, x) if going else net(canvas)[:, 0, y, x]
        values = (chances[:, 0, y, x] < torch.sigmoid(logit)).to(canvas.dtype)
        if known is not None:
            values = torch.where(known[:, 0, y, x].isnan(), values, known[:, 0, y, x])
        canvas[:, 0, y, x] = values
        if going:
            going.drawn(y, x, values)
    return canvas


def order(height: int, width: int, patch: int = 1) -> list[tuple[int, int]]:
    """The places of a picture in the order in which they are drawn: squares row by row, and in a square row by row."""
    return [(top + y, left + x) for top in range(0, height, patch) for left in range(0, width, patch)
            for y in range(patch) for x in range(patch)]  # fmt: skip
