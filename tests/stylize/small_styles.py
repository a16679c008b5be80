"""What the tests of trained style networks share: small ones as files, and pictures."""

from pathlib import Path

import numpy as np
import torch
from small_vgg import tiny

from mien.models.adain import AdaIN
from mien.models.style_net import StyleNet
from mien.models.stylizer import Plan, save
from mien.runtime import Runtime
from mien.tasks.stylize.forward import Forward

CPU = Runtime(torch.device("cpu"), "fp32", True, 1, "for a test")


def styled(path: Path) -> Path:
    """A network with the styles ink and sand, random weights."""
    torch.manual_seed(0)
    net = StyleNet(2, (8, 8, 8), 1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    save(path, net, Plan("style-net", net.options, ("ink", "sand")))
    return path


def general(path: Path) -> Path:
    """A network for any style that has not learnt: the picture in the style's colours, a little drawn over."""
    torch.manual_seed(0)
    save(path, AdaIN(tiny(), (8, 8, 8, 8)), Plan("adain", {"widths": [8, 8, 8, 8]}))
    return path


def how(*style: object, **options: object) -> Forward:
    return Forward(tuple(map(str, style)), CPU, **{"signing": False} | options)  # pyright: ignore[reportArgumentType]


def photo(height: int = 40, width: int = 56, channels: int = 3) -> np.ndarray:
    """(H, W, C) uint8: blocks of colour with noise."""
    random = np.random.default_rng(height * width)
    blocks = random.integers(40, 216, (height // 8 + 1, width // 8 + 1, channels)).repeat(8, 0).repeat(8, 1)[:height, :width]
    return (blocks + random.integers(-20, 20, blocks.shape)).astype(np.uint8)


def listed(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
