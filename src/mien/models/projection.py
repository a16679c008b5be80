"""A residual generator with conditional batch norm against a projection discriminator (Miyato and Koyama 2018, arXiv 1802.05637).

The judge is kept as steep as 1 in every layer by spectral norm (Miyato et al. 2018, arXiv 1802.05957, whose table 4 gives the networks
for CIFAR-10); of a label it knows a vector, whose product with the picture's is added to the score (arXiv 1802.05637, equation 3).
Without labels both are the networks of the older paper.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mien.models.layers import ConditionalNorm


class Up(nn.Module):
    """Twice as large: norm, ReLU, doubled, convolution, norm, ReLU, convolution; the shortcut is doubled and mixed."""

    def __init__(self, c_in: int, c_out: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = ConditionalNorm(c_in, classes), ConditionalNorm(c_out, classes)
        self.one, self.two = nn.Conv2d(c_in, c_out, 3, padding=1), nn.Conv2d(c_out, c_out, 3, padding=1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """(B, C, H, W) -> (B, D, 2 H, 2 W); mixing first and doubling then is the same, at a quarter of the cost."""
        made = self.one(F.interpolate(F.relu(self.first(x, labels)), scale_factor=2.0))
        made = self.two(F.relu(self.second(made, labels)))
        return made + F.interpolate(self.shortcut(x), scale_factor=2.0)


class Generator(nn.Module):
    """(B, latent) and, with `classes`, labels (B,) or shares of them (B, classes) -> (B, channels, side, side) in -1..1."""

    def __init__(self, side: int = 32, channels: int = 3, classes: int = 0, latent: int = 128, width: int = 256,
                 blocks: int = 3, narrow: bool = False) -> None:  # fmt: skip
        """`blocks` doublings from side / 2^blocks pixels; `narrow`: each halves the width, as in the older paper's table 5.

        ValueError for a side that they do not reach.
        """
        super().__init__()
        if side % 2**blocks or side < 2**blocks:
            raise ValueError(f"{blocks} doublings reach multiples of {2**blocks} pixels, not {side}: --set options.blocks=2")
        self.latent, self.classes, self.bottom, self.width = latent, classes, side // 2**blocks, width
        self.dense = nn.Linear(latent, width * self.bottom**2)
        widths = [max(width >> i, 1) if narrow else width for i in range(blocks + 1)]
        self.blocks = nn.ModuleList(Up(c_in, c_out, classes) for c_in, c_out in pairwise(widths))
        self.norm, self.out = nn.BatchNorm2d(widths[-1]), nn.Conv2d(widths[-1], channels, 3, padding=1)
        self.apply(started)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """From the dense layer up."""
        x = self.dense(z).view(-1, self.width, self.bottom, self.bottom)
        if z.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x, labels)
        return torch.tanh(self.out(F.relu(self.norm(x))))


class Down(nn.Module):
    """ReLU, convolution, ReLU, convolution, halved; the shortcut is mixed and halved. `first`: no ReLU before the first."""

    def __init__(self, c_in: int, c_out: int, half: bool, first: bool = False) -> None:
        super().__init__()
        self.halving, self.first = half, first
        self.one, self.two = nn.Conv2d(c_in, c_out, 3, padding=1), nn.Conv2d(c_out, c_out, 3, padding=1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if half or c_in != c_out else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, H / 2, W / 2), or not halved; halving first and mixing then is the same, at a quarter of the cost."""
        made = self.two(F.relu(self.one(x if self.first else F.relu(x))))
        if self.halving:
            made, x = F.avg_pool2d(made, 2), F.avg_pool2d(x, 2)
        return made + (x if self.shortcut is None else self.shortcut(x))


class Judge(nn.Module):
    """(B, channels, side, side) in -1..1 and, with `classes`, (B,) labels -> (B, 1) scores."""

    def __init__(self, side: int = 32, channels: int = 3, classes: int = 0, width: int = 128, halvings: int = 2,
                 plain: int = 2, widen: bool = False) -> None:  # fmt: skip
        """`plain`: blocks that do not halve, after those that do; `widen`: each after the first that halves has twice the width.

        ValueError for a side too small.
        """
        super().__init__()
        if side < 2**halvings:
            raise ValueError(f"pictures of {side} pixels cannot be halved {halvings} times")
        blocks = [Down(channels, width, half=True, first=True)]
        for half in [True] * (halvings - 1) + [False] * plain:
            blocks.append(Down(width, width << (half and widen), half))
            width <<= half and widen
        self.blocks = nn.Sequential(*blocks)
        self.score = nn.Linear(width, 1)
        self.table = nn.Embedding(classes, width) if classes else None
        if self.table is not None:
            nn.init.xavier_uniform_(self.table.weight)
        self.apply(started)
        for layer in [one for one in self.modules() if isinstance(one, nn.Conv2d | nn.Linear | nn.Embedding)]:
            spectral_norm(layer)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """What is seen is summed over places."""
        seen = F.relu(self.blocks(x)).sum((2, 3))
        score = self.score(seen)
        if self.table is None:
            return score
        assert labels is not None
        return score + (self.table(labels).to(seen.dtype) * seen).sum(1, keepdim=True)


def started(module: nn.Module) -> None:
    """Glorot's uniform weights (Glorot and Bengio 2010, equation 16), by sqrt(2) larger in residual branches: the authors' program."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight, 2**0.5 if module.weight.shape[2:] == (3, 3) else 1.0)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
