"""ResNet for 32-pixel pictures (He et al. 2015, section 4.2): three stages of 16, 32 and 64 channels, 6 n + 2 layers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.layers import Residual, choice, conv_norm, he

DEPTHS = {"resnet8": 1, "resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}
"""n: blocks in each stage."""
WIDTHS = (16, 32, 64)


class Subsample(nn.Module):
    """Shortcut A: every second pixel, and zeros for the channels that are missing; no parameters."""

    def __init__(self, missing: int) -> None:
        super().__init__()
        self.missing = missing

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + missing, H / 2, W / 2)."""
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.missing))


def _block(c_in: int, c_out: int, shortcut: str) -> Residual:
    """Two 3x3 convolutions; where the channels change the size is halved."""
    stride = 1 if c_in == c_out else 2
    body = nn.Sequential(conv_norm(c_in, c_out, 3, stride), nn.ReLU(), conv_norm(c_out, c_out, 3))
    if stride == 1:
        return Residual(body, nn.Identity())
    return Residual(body, Subsample(c_out - c_in) if shortcut == "A" else conv_norm(c_in, c_out, 1, 2))


def resnet_cifar(name: str = "resnet20", classes: int = 10, shortcut: str = "A") -> nn.Sequential:
    """(B, 3, 32, 32) -> (B, classes). `shortcut` where the size halves: "A", the paper's choice here (`Subsample`), or "B", a 1x1
    convolution.
    """
    if shortcut not in ("A", "B"):
        raise ValueError(f"the shortcut is A or B, not {shortcut!r}")
    blocks, c_in = [], WIDTHS[0]
    for width in WIDTHS:
        for _ in range(DEPTHS[choice(name, DEPTHS)]):
            blocks.append(_block(c_in, width, shortcut))
            c_in = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes)]
    return nn.Sequential(conv_norm(3, WIDTHS[0], 3), nn.ReLU(), *blocks, *head).apply(he)
