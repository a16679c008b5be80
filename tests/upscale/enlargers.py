"""What the tests of enlarging share: enlargers that need no weights, and pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.runtime import Runtime
from mien.tasks.upscale.pictures import How

CPU = Runtime(torch.device("cpu"), "fp32", True, 1, "for a test")


@dataclass
class Nearest:
    """Repeats pixels, so that results are known exactly; `calls` counts tiles, from `stop` on Ctrl-C is pressed."""

    name: str = "nearest"
    scale: int = 2
    halo: int = 0
    calls: int = 0
    stop: int | None = None

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.stop is not None and self.calls > self.stop:
            raise KeyboardInterrupt
        return F.interpolate(x, scale_factor=self.scale)


@dataclass
class Smooth:
    """Torch's bicubic interpolation, which looks two pixels around."""

    name: str = "smooth"
    scale: int = 3
    halo: int = 2

    def __call__(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.scale, mode="bicubic")


def how(enlarger: Nearest | Smooth | None = None, **options: object) -> How:
    return How(enlarger or Nearest(), CPU, **{"signing": False} | options)  # pyright: ignore[reportArgumentType]


def repeated(pixels: np.ndarray, scale: int = 2) -> np.ndarray:
    return pixels.repeat(scale, 0).repeat(scale, 1)


def drawing(height: int = 20, width: int = 30, channels: int = 3) -> np.ndarray:
    """(H, W, C) uint8, no two neighbours alike."""
    return np.random.default_rng(height * width).integers(0, 256, (height, width, channels), np.uint8)


def listed(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
