"""A network made to learn CIFAR-10 in as little time as possible (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds", section 3)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

WIDTHS = (64, 256, 256)


@runtime_checkable
class FitsInputs(Protocol):
    """A network whose first weights come from the training pictures."""

    def fit_inputs(self, images: Tensor) -> None:
        """(N, C, H, W) as the network will see them."""
        ...


class Whitening(nn.Conv2d):
    """A fixed convolution whose filters are the eigenvectors of k x k patches over the root of their eigenvalues, both signs."""

    def __init__(self, channels: int = 3, kernel: int = 2) -> None:
        super().__init__(channels, 2 * channels * kernel**2, kernel)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fit(self, images: Tensor, eps: float = 5e-4) -> None:
        """(N, C, H, W)."""
        assert self.bias is not None
        channels, kernel = images.shape[1], self.kernel_size[0]
        patches = images.float().unfold(2, kernel, 1).unfold(3, kernel, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, channels * kernel**2)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / (values + eps).sqrt()).T.flip(0).reshape(-1, channels, kernel, kernel)
        self.weight.copy_(torch.cat([filters, -filters]))
        self.bias.zero_()


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm that forgets quickly and learns an offset only."""
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer


def conv(c_in: int, c_out: int) -> nn.Conv2d:
    """3x3, no bias; as far as channels go, it starts by handing its input on."""
    layer = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight[: min(c_in, c_out)])
    return layer


def group(c_in: int, c_out: int) -> nn.Sequential:
    """Half the size, c_out channels."""
    return nn.Sequential(conv(c_in, c_out), nn.MaxPool2d(2), norm(c_out), nn.GELU(), conv(c_out, c_out), norm(c_out), nn.GELU())


class SpeedNet(nn.Module):
    """(B, 3, 32, 32) -> (B, classes); any size from 18 pixels on works."""

    def __init__(self, classes: int = 10, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.whiten = Whitening()
        c_in = [self.whiten.out_channels, *widths[:-1]]
        self.body = nn.Sequential(
            nn.GELU(), *[group(a, b) for a, b in zip(c_in, widths, strict=True)], nn.AdaptiveMaxPool2d(1), nn.Flatten()
        )
        self.head = nn.Linear(widths[-1], classes, bias=False)

    def fit_inputs(self, images: Tensor) -> None:
        """(N, 3, H, W): the first layer's filters."""
        self.whiten.fit(images)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; a ninth keeps them small at the start."""
        return self.head(self.body(self.whiten(x))) / 9


def speednet(classes: int = 10, widths: tuple[int, ...] = WIDTHS) -> SpeedNet:
    """(B, 3, 32, 32) -> (B, classes); 1,972,792 parameters with the default widths, 1,440 of them fixed."""
    return SpeedNet(classes, tuple(widths))
