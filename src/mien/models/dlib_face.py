"""dlib's face recognition network (King 2017, dlib_face_recognition_resnet_model_v1): a face as 128 numbers.

A ResNet of 29 convolutions (after He et al. 2015, half the filters and fewer layers); a shortcut over a change of size
is an average pool, its missing channels (and, where the sizes differ, rows and columns) zeros. The trained network's
fixed affine layers, and the removal of the mean colour, are folded into the convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.packed import Packed

STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""Channels and blocks; every stage but the first begins by halving the size."""
SIZE = 150
"""Input rows and columns."""
STEM_SIDE = 35
"""Rows and columns behind the first convolution and its pooling."""
NORMALISE = 256.0


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; `down` halves the size."""

    def __init__(self, c_in: int, c_out: int, down: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(c_in, c_out, 3, 2, 0) if down else nn.Conv2d(c_in, c_out, 3, 1, 1)
        self.second = nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, h, w)."""
        y = self.second(F.relu(self.first(x), inplace=True))
        if not self.down:
            return F.relu(y + x)
        return F.relu(_add(y, F.avg_pool2d(x, 2)))


def _add(a: Tensor, b: Tensor) -> Tensor:
    """The sum, each grown with zeros to the larger channels, rows and columns of both (dlib's add_prev)."""
    target = [max(p, q) for p, q in zip(a.shape[1:], b.shape[1:], strict=True)]

    def grown(x: Tensor) -> Tensor:
        channels, rows, columns = (t - s for t, s in zip(target, x.shape[1:], strict=True))
        return F.pad(x, (0, columns, 0, rows, 0, channels)) if channels or rows or columns else x

    return grown(a) + grown(b)


def dlib_face() -> nn.Sequential:
    """(B, 3, 150, 150) RGB in 0..1 -> (B, 128); two faces nearer than 0.6 (Euclidean) are taken for the same person."""
    blocks, c_in = [], STAGES[0][0]
    for stage, (channels, depth) in enumerate(STAGES):
        for i in range(depth):
            blocks.append(Block(c_in, channels, down=stage > 0 and i == 0))
            c_in = channels
    stem = nn.Sequential(nn.Conv2d(3, STAGES[0][0], 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2))
    head = nn.Linear(c_in, 128, bias=False)
    return nn.Sequential(stem, nn.Sequential(*blocks), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


class QuickBlock(nn.Module):
    """A `Block` for inference, its convolutions packed."""

    def __init__(self, block: Block, side: int) -> None:
        """`side`: rows and columns of the input."""
        super().__init__()
        self.down, inner = block.down, (side - 1) // 2 if block.down else side
        self.first = Packed(block.first, (side, side), relu=True)
        self.second = Packed(block.second, (inner, inner))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, h, w); writes over `x`."""
        y = self.first(x)
        return F.relu(_add(self.second(y), F.avg_pool2d(x, 2)), inplace=True) if self.down else self.second.onto(y, x)


def quick(network: nn.Module) -> nn.Sequential:
    """`dlib_face()` -> the same numbers, for one face in three quarters of the time: float32, CPU, no gradients (`nn.packed`)."""
    blocks = [block for block in network.modules() if isinstance(block, Block)]
    stem = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    layers: list[nn.Module] = [Packed(stem, (SIZE, SIZE), relu=True), nn.MaxPool2d(3, 2)]
    side = STEM_SIDE
    for block in blocks:
        layers.append(QuickBlock(block, side))
        side = side // 2 if block.down else side
    head = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()


def fold(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `mien.weights.load("dlib-face")` -> the state of `dlib_face()`, affine layers folded in."""
    names = [name.removesuffix(".weight") for name, value in dlib_face().state_dict().items() if value.dim() == 4]
    state = {"4.weight": tensors["fc.0.weight"]}
    for i, name in enumerate(names):
        scale, shift = tensors[f"affine.{i}.scale"].double(), tensors[f"affine.{i}.shift"].double()
        weight, bias = tensors[f"conv.{i}.weight"].double(), tensors[f"conv.{i}.bias"].double()
        if i == 0:  # the input was (255 x - mean) / 256, and this convolution has no padding to spoil the equality
            bias = bias - torch.einsum("oirc,i->o", weight, tensors["input.0.mean"].double()) / NORMALISE
            weight = weight * (255.0 / NORMALISE)
        state[f"{name}.weight"] = (weight * scale[:, None, None, None]).float()
        state[f"{name}.bias"] = (bias * scale + shift).float()
    return state
