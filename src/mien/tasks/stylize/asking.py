"""What a person asked for, read and checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.pictures import read_picture
from mien.models.vgg_features import VGGFeatures
from mien.tasks.stylize.costs import stride
from mien.tasks.stylize.painting import How, resized, style_size

MARGIN = 8
"""Pixels by which a picture is mirrored over its edges while it is painted: VGG sees zeros beyond, which would become a thin frame."""
LONGEST = 1024
"""Pixels of a result's longer side, unless told otherwise."""


@dataclass(frozen=True)
class Pictures:
    """What goes in, in 0..1."""

    content: Tensor
    """(1, 3, H, W), in the size of the result with the margin around it."""
    styles: tuple[Tensor, ...]
    """(1, 3, h, w) each."""
    masks: tuple[Tensor, ...]
    """(1, 1, H, W) each: one for every style, or none."""
    margin: int = 0

    def without_margin(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> the size of the result."""
        return x[..., self.margin:x.shape[-2] - self.margin, self.margin:x.shape[-1] - self.margin]


def layers(text: str) -> dict[str, float | None]:
    """"relu1_1,relu2_1=0.5" -> layer -> weight, None where none is given. ValueError in words."""
    found: dict[str, float | None] = {}
    for part in text.split(","):
        name, given, number = (one.strip() for one in part.partition("="))
        if not name or name in found:
            raise ValueError(f"layers {text!r}: expected names as relu4_2, or with weights as relu1_1=0.5,relu2_1=1, each once")
        found[name] = positive(number, f"the weight of {name}") if given else None
    known = VGGFeatures(widths=(1,) * 5).layers
    if unknown := [name for name in found if name not in known]:
        raise ValueError(f"there is no layer {', '.join(unknown)}: choose of {', '.join(known)}")
    return found


def positive(number: str | float, what: str, least: float = 0.0) -> float:
    """The number. ValueError for none, NaN, infinity, or one below `least`."""
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= least):
        raise ValueError(f"{what} is {number}, expected a number of at least {least:g}")
    return value


def shares(text: str, styles: int) -> tuple[float, ...]:
    """"0.7,0.3" -> shares that add up to 1; all alike for nothing. ValueError in words."""
    parts = [positive(part, "a share of --mix") for part in text.split(",")] if text else [1.0] * styles
    if len(parts) != styles or not sum(parts):
        raise ValueError(f"--mix {text!r} has {len(parts)} shares, expected one for each of {styles} styles, at least one above 0")
    return tuple(part / sum(parts) for part in parts)


def pictures(content: Path, styles: Sequence[Path], masks: Sequence[Path], size: int | None, how: How) -> Pictures:
    """Read and brought to size. ValueError, naming the file, for whatever will not do."""
    if masks and len(masks) != len(styles):
        raise ValueError(f"{len(masks)} masks for {len(styles)} styles: expected one for each, or none")
    two_files(content, styles)
    image = read_picture(content)
    long = max(image.shape[:2])
    height, width = style_size(batch(image), size or min(long, LONGEST))
    taken = resized(batch(image), (height, width))
    margin = MARGIN if min(height, width) >= 8 * MARGIN else 0  # of a small picture it would be much
    around = lambda x: F.pad(x, (margin,) * 4, mode="reflect")
    return Pictures(around(taken), tuple(_style(path, how) for path in styles),
                    tuple(around(_mask(path, (height, width))) for path in masks), margin)  # fmt: skip


def two_files(content: Path, styles: Sequence[Path]) -> None:
    """ValueError where the content is a style, too."""
    for path in styles:
        if path.exists() and content.exists() and path.samefile(content):
            raise ValueError(f"{path} is both content and style: a picture in its own style stays as it is; name another")


def _style(path: Path, how: How) -> Tensor:
    style = batch(read_picture(path))
    deepest = max(how.style_layers, key=stride)
    least, (height, width) = stride(deepest), style.shape[-2:]
    if min(height, width) < least:
        raise ValueError(f"{path}: {width} x {height} pixels are too few for {deepest}: expected {least} or more a side; choose a "
                         f"larger picture or layers less deep")  # fmt: skip
    return style


def _mask(path: Path, size: tuple[int, int]) -> Tensor:
    mask = resized(batch(read_picture(path)).mean(1, keepdim=True), size)
    if not float(mask.max()):
        raise ValueError(f"{path} is black everywhere: the style would go nowhere; expected white where it goes")
    return mask


def batch(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) in 0..1."""
    return torch.from_numpy(image).permute(2, 0, 1)[None].contiguous().float().div_(255)


def pixels(x: Tensor) -> np.ndarray:
    """(1, 3, H, W) in 0..1 -> (H, W, 3) uint8."""
    return (x[0] * 255).round_().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


class Numbers(NamedTuple):
    """Options that are weights."""

    content: float
    style: float
    variation: float
    style_scale: float


def check(numbers: Numbers, steps: int | None, size: int | None, scales: int | None, tile: int | None, quality: int) -> None:
    """ValueError in words for a number that makes no sense."""
    for name, value in zip(("--content-weight", "--style-weight", "--variation"), numbers, strict=False):
        positive(value, name)
    positive(numbers.style_scale, "--style-scale", 0.05)
    if not numbers.content + numbers.style:
        raise ValueError("neither content nor style counts: expected --content-weight or --style-weight above 0")
    for name, value in (("--steps", steps), ("--size", size), ("--scales", scales), ("--tile", tile)):
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}, expected at least 1")
    if not 1 <= quality <= 100:
        raise ValueError(f"a quality of {quality}, expected 1 to 100")


def unused(options: Mapping[str, object]) -> None:
    """ValueError where one of these is given: a trained network has no use for it."""
    if given := [name for name, value in options.items() if value]:
        when = "where style and content are pictures and no --model is given"
        raise ValueError(f"{', '.join(given)}: for painting by optimisation, {when}")
