"""Several styles in one small network, a picture restyled in one pass.

After Johnson, Alahi and Fei-Fei 2016 (arXiv 1603.08155): convolutions down, residual blocks, up again by nearest neighbours and a
convolution (Odena et al. 2016: no checkerboard). A style is no more than gamma and beta of every instance normalisation (Dumoulin,
Shlens and Kudlur 2017, arXiv 1610.07629, equation 5); all convolutions are shared. Made for a CPU: most is computed at an eighth of
the picture's size, nothing but the last convolution at its full size; 10,700 multiplications a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.whole import EPSILON, Moments, Statistics

STEP = 8
"""Pixels a side at which the body works: sides are padded to multiples of it."""
LEAST = 16
"""Pixels a side of the smallest picture."""
FOLD = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
"""(2, 3, 3): of the upper (left) and the lower (right) pixel of a block, which tap of the small picture each of its taps falls on."""
PACE = 4.0
"""What gamma and beta are multiplied by: with steps as long as those of the last convolution (Adam), styles part sooner."""
OVER = 0.05
"""How far beyond 0..1 colours may go, so that black and white are within reach."""


class Conv(nn.Conv2d):
    """3x3, edges reflected."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__(c_in, c_out, 3, stride, 1, bias=bias, padding_mode="reflect")


class Doubling(Conv):
    """The same of a picture of doubled size, each of its pixels four times, computed at the size of the picture itself.

    Two of three taps fall on one pixel, so they are added up beforehand: the large picture is never held, and what is reflected at
    its edge is the edge pixel again.
    """

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(B, C, H, W) -> (B, C', 2 H, 2 W)."""
        fold = FOLD.to(self.weight)
        taps = torch.einsum("pyi,qxj,ocij->opqcyx", fold, fold, self.weight).reshape(-1, self.in_channels, 3, 3)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        return F.pixel_shuffle(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), taps, bias), 2)


class Quick(Statistics):
    """The same moments from sums of squares, in a quarter of the time."""

    def forward(self, maps: Tensor) -> Moments:
        """(B, C, 1, 1) each, fp32."""
        if self.how:
            return self.how(maps)
        flat = maps.float().flatten(2)
        mean = flat.mean(2)
        variance = (torch.linalg.vector_norm(flat, dim=2).square() / flat.shape[2] - mean.square()).clamp_min(0)
        return mean[..., None, None], (variance + EPSILON).sqrt()[..., None, None]


class StyleNorm(nn.Module):
    """Instance normalisation whose scale and shift are mixed of those of all styles."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.statistics = Quick()
        self.gamma = nn.Parameter(torch.full((styles, channels), 1 / PACE))
        self.beta = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W), (B, S) weights of styles -> (B, C, H, W)."""
        mean, spread = self.statistics(x)
        gamma, beta = (PACE * (style @ part)[..., None, None] for part in (self.gamma, self.beta))
        scale = gamma / spread
        return torch.addcmul((beta - mean * scale).to(x.dtype), x, scale.to(x.dtype))


class Normed(nn.Module):
    """Convolution, normalisation, and ReLU where one follows."""

    def __init__(self, conv: nn.Conv2d, styles: int, relu: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.norm = StyleNorm(conv.out_channels, styles)
        self.relu = relu

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W), (B, S) -> (B, C', H / stride, W / stride)."""
        x = self.norm(self.conv(x), style)
        return F.relu(x, inplace=True) if self.relu else x


class Twice(nn.Module):
    """What a residual block adds."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.first = Normed(Conv(channels, channels), styles)
        self.second = Normed(Conv(channels, channels), styles, relu=False)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W), (B, S) -> the same shape."""
        return self.second(self.first(x, style), style)


class StyleNet(nn.Module):
    """(B, 3, H, W) RGB in 0..1 and the weights of styles (B or 1, S) -> (B, 3, H, W), from -0.05 to 1.05.

    Weights between styles give what is between them; they should add up to 1. None: all styles evenly.
    """

    def __init__(self, styles: int = 4, widths: Sequence[int] = (24, 32, 80), blocks: int = 3) -> None:
        """`widths`: channels at a half, a quarter and an eighth of the picture's size."""
        super().__init__()
        half, quarter, eighth = widths
        self.styles, self.options = styles, {"styles": styles, "widths": [*widths], "blocks": blocks}
        downs = Conv(12, half), Conv(half, quarter, 2), Conv(quarter, eighth, 2)
        self.down = nn.ModuleList(Normed(conv, styles) for conv in downs)
        self.body = nn.ModuleList(Twice(eighth, styles) for _ in range(blocks))
        self.up = nn.ModuleList(Normed(conv, styles) for conv in (Doubling(eighth, quarter), Doubling(quarter, half)))
        self.end = Doubling(half, 3, bias=True)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """What Muon leaves to Adam: the layer whose outputs are colours, and the styles."""
        return (self.end, *(part for part in self.modules() if isinstance(part, StyleNorm)))

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """ValueError for weights of another number of styles, or a picture below `LEAST` pixels a side."""
        height, width = x.shape[-2:]
        style = x.new_full((1, self.styles), 1 / self.styles) if style is None else style
        if style.shape[-1] != self.styles:
            raise ValueError(f"{style.shape[-1]} weights of styles: this network has {self.styles}")
        if min(height, width) < LEAST:
            raise ValueError(f"{width} x {height} pixels are too few: expected {LEAST} or more a side")
        style = style.expand(len(x), -1).to(self.end.weight.dtype)
        x = F.pad(x, (0, -width % STEP, 0, -height % STEP), mode="reflect")
        x = F.pixel_unshuffle(x, 2)
        first, second, third = self.down
        before = second(first(x, style), style)
        x = third(before, style)
        for block in self.body:
            x = x + block(x, style)
        x = self.up[0](x, style) + before
        x = self.end(self.up[1](x, style))
        return (torch.sigmoid(x) * (1 + 2 * OVER) - OVER)[..., :height, :width]


def own_style(net: StyleNet, weights: Tensor, number: int = 1) -> StyleNet:
    """A network of `number` new styles with the convolutions of `net`; each begins as the mixture `weights` (S,) of its styles."""
    options: dict[str, Any] = {**net.options, "styles": number}
    made = StyleNet(**options)
    state = {name: (weights.to(value) @ value).expand(number, -1) if name.endswith(("gamma", "beta")) else value
             for name, value in net.state_dict().items()}  # fmt: skip
    made.load_state_dict(state)
    return made
