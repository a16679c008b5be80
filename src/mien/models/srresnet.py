"""SRResNet and the discriminator of SRGAN (Ledig et al. 2017, arXiv 1609.04802, figure 4): x4 in colour, 16 residual blocks.

The same generator trained by squared error is SRResNet; trained against the discriminator, and by what VGG sees, it is SRGAN: lower
PSNR, and detail that looks real, which is not the same as being true.
"""

from __future__ import annotations

from torch import Tensor, nn

from mien.models.layers import Added

WIDTH, BLOCKS = 64, 16
LEAK = 0.2
STAGES = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2))
"""Channels and stride of the discriminator's convolutions after the first."""


def _block(width: int) -> Added:
    """Convolution, norm, PReLU, convolution, norm, and the identity."""
    one, two = (nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)) for _ in range(2))
    return Added(nn.Sequential(one, nn.PReLU(), two))


def _twice(width: int) -> nn.Sequential:
    """Twice as large, by sub-pixel convolution (Shi et al. 2016)."""
    return nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())


class SRResNet(nn.Module):
    """(B, 3, h, w) RGB in 0..1 -> (B, 3, s h, s w), for one scale of 2 or 4; 1.55 million parameters at 4."""

    def __init__(self, scale: int = 4, width: int = WIDTH, blocks: int = BLOCKS) -> None:
        """Raises ValueError for another scale."""
        if scale not in (2, 4):
            raise ValueError(f"SRResNet enlarges by 2 or 4, not by {scale}")
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        last = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.body = Added(nn.Sequential(*(_block(width) for _ in range(blocks)), last))
        self.tail = nn.Sequential(*(_twice(width) for _ in range(scale // 2)), nn.Conv2d(width, 3, 9, padding=4))

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are answers."""
        return (self.tail[-1],)

    def forward(self, x: Tensor) -> Tensor:
        """Computed about 0: the pictures' -1..1 of the paper."""
        return (self.tail(self.body(self.head(2 * x - 1))) + 1) / 2


def discriminator(size: int = 96, width: int = 64) -> nn.Sequential:
    """(B, 3, size, size) RGB in 0..1 -> (B, 1) logit of being a photograph; `size` is a multiple of 16.

    No sigmoid: the loss has it. Raises ValueError for another size.
    """
    if size % 16:
        raise ValueError(f"the discriminator takes pictures of a multiple of 16 pixels, not {size}")
    layers: list[nn.Module] = [Centred(), nn.Conv2d(3, width, 3, padding=1), nn.LeakyReLU(LEAK)]
    c_in = width
    for channels, stride in STAGES:
        c_out = channels * width // 64
        layers += [nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.LeakyReLU(LEAK)]
        c_in = c_out
    dense = [nn.Flatten(), nn.Linear(c_in * (size // 16) ** 2, 16 * width), nn.LeakyReLU(LEAK), nn.Linear(16 * width, 1)]
    return nn.Sequential(*layers, *dense)


class Centred(nn.Module):
    """0..1 -> -1..1."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return 2 * x - 1
