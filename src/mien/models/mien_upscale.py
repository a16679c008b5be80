"""mien's own enlarger: brightness only, computed at the size of the small picture, one body for x2, x3 and x4.

While it learns, each 3x3 convolution is the sum of several: a full one, a 1x1, edge filters of the identity, and the identity itself
(Ding et al. 2021, arXiv 2101.03697; Zhang et al. 2021, "Edge-oriented convolution block"). Sums of convolutions are convolutions, so
they are added up as kernels before the picture is touched: training costs what one costs, and the file holds one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.data.resize import enlarge

WIDTH, DEPTH, SCALES = 48, 10, (2, 3, 4)


def edges() -> Tensor:
    """(3, 3, 3): Sobel across, Sobel down, Laplace."""
    across = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]) / 8
    laplace = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]) / 4
    return torch.stack([across, across.T, laplace])


class Summed(nn.Module):
    """A 3x3 convolution, (B, C, H, W) -> the same, whose kernel is a sum while it learns; `folded` gives the one it is."""

    filters: Tensor
    same: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.full = nn.Parameter(torch.empty(width, width, 3, 3))
        self.point = nn.Parameter(torch.zeros(width, width))
        self.mixes = nn.ParameterList(nn.Parameter(torch.zeros(width, width)) for _ in range(3))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.kaiming_normal_(self.full)
        self.full.data /= 4
        self.register_buffer("filters", edges(), persistent=False)
        self.register_buffer("same", torch.eye(width), persistent=False)

    def kernel(self) -> Tensor:
        """(C, C, 3, 3)."""
        whole = self.full + F.pad((self.point + self.same)[..., None, None], (1, 1, 1, 1))
        for mix, filter_ in zip(self.mixes, self.filters, strict=True):
            whole = whole + mix[..., None, None] * filter_
        return whole

    def forward(self, x: Tensor) -> Tensor:
        """Zeros beyond the border."""
        return F.conv2d(x, self.kernel(), self.bias, padding=1)

    @torch.no_grad()
    def folded(self) -> nn.Conv2d:
        """The same as one ordinary convolution."""
        conv = nn.Conv2d(len(self.bias), len(self.bias), 3, padding=1)
        conv.weight.copy_(self.kernel())
        assert conv.bias is not None
        conv.bias.copy_(self.bias)
        return conv


class MienUpscale(nn.Module):
    """(B, 1, h, w) brightness in 0..1 -> (B, 1, s h, s w): bicubic, and what the network adds to it."""

    def __init__(self, width: int = WIDTH, depth: int = DEPTH, scales: Sequence[int] = SCALES, folded: bool = False) -> None:
        """`folded`: built for a file of ordinary convolutions, as `fold` leaves them."""
        super().__init__()
        self.head = nn.Conv2d(1, width, 3, padding=1)
        body: list[nn.Module] = []
        for _ in range(depth):
            body += [nn.PReLU(width), nn.Conv2d(width, width, 3, padding=1) if folded else Summed(width)]
        self.body = nn.Sequential(*body)
        self.tails = nn.ModuleDict({str(scale): nn.Conv2d(width, scale**2, 3, padding=1) for scale in scales})
        for values in self.tails.parameters():
            nn.init.zeros_(values)  # starts as bicubic

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return tuple(self.tails.values())

    def forward(self, x: Tensor, scale: int = 2) -> Tensor:
        """`scale` is one of those it was made for."""
        features = self.head(x - 0.45)
        added = self.tails[str(scale)](self.body(features) + features)
        return enlarge(x, scale) + F.pixel_shuffle(added, scale)

    def fold(self) -> MienUpscale:
        """The same network with one convolution where it had learnt with several."""
        body = [part.folded() if isinstance(part, Summed) else part for part in self.body]
        plain = MienUpscale(self.head.out_channels, len(body) // 2, [int(scale) for scale in self.tails], folded=True)
        own = self.state_dict()
        state = {name: value for name, value in own.items() if not name.startswith("body")}
        state |= {f"body.{name}": value for name, value in nn.Sequential(*body).state_dict().items()}
        plain.load_state_dict(state)
        return plain
