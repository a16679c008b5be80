"""dlib's serialization of a trained network (dlib/serialize.h, dlib/dnn/layers.h): read as numbers, never executed.

Integers are a control byte (low 4 bits: how many bytes follow, little-endian; top bit: negative) and those bytes;
floats are two such integers, mantissa and binary exponent; strings a length and bytes; tensors a version, four
dimensions and raw float32. Layers stand from input to loss, each a tag, its own fields, and what the trainer kept.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor

INPUT = b"\x01\x15input_rgb_image_sized"


class Reader:
    """A position in the bytes; every read moves it on. ValueError where the bytes are not what dlib writes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if self.at + count > len(self.data):
            raise ValueError(f"the dlib file ends at byte {len(self.data)}; expected {count} more at {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self) -> int:
        """A variable-length integer."""
        (control,) = self.take(1)
        if control & 0x70 or control & 0x0F > 8:
            raise ValueError(f"byte {self.at - 1} of the dlib file is {control:#04x}; expected the start of an integer")
        value = int.from_bytes(self.take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> list[int]:
        """`count` integers."""
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        """A float as mantissa and exponent."""
        mantissa, exponent = self.integers(2)
        return mantissa * 2.0**exponent

    def text(self) -> str:
        """A string."""
        return self.take(self.integer()).decode("latin-1")

    def tensor(self) -> Tensor:
        """A tensor of 4 dimensions: samples, channels, rows, columns."""
        version, *shape = self.integers(5)
        if version != 2:
            raise ValueError(f"the dlib file holds a tensor of version {version}; expected 2")
        values = np.frombuffer(self.take(4 * prod(shape)), "<f4").astype(np.float32)
        return torch.from_numpy(values).reshape(shape)

    def view(self) -> list[int]:
        """The shape of a part of a tensor (dlib's alias_tensor)."""
        return self.integers(5)[1:]


def _input(reader: Reader) -> dict[str, Tensor]:
    mean = torch.tensor([reader.real() for _ in range(3)])
    reader.integers(2)
    return {"mean": mean}


def _convolution(reader: Reader) -> dict[str, Tensor]:
    values = reader.tensor().flatten()
    reader.integers(7)  # filters, kernel, stride, padding
    shape, bias = reader.view(), reader.view()
    for _ in range(4):  # learning rates and weight decays
        reader.real()
    weight, offset = values.split([prod(shape), prod(bias)])
    return {"weight": weight.reshape(shape).clone(), "bias": offset.clone()}


def _affine(reader: Reader) -> dict[str, Tensor]:
    values = reader.tensor().flatten()
    gamma, beta = reader.view(), reader.view()
    reader.integer()  # after a convolution or a linear layer
    scale, shift = values.split([prod(gamma), prod(beta)])
    return {"scale": scale.clone(), "shift": shift.clone()}


def _pool(reader: Reader) -> dict[str, Tensor]:
    reader.integers(6)
    return {}


def _linear(reader: Reader) -> dict[str, Tensor]:
    reader.integers(2)
    weight = reader.tensor()[:, :, 0, 0]
    reader.view()
    reader.view()
    reader.integer()  # bias or none
    for _ in range(4):
        reader.real()
    return {"weight": weight.T.contiguous()}


LAYERS: dict[str, tuple[str, Callable[[Reader], dict[str, Tensor]]]] = {
    "input_rgb_image_sized": ("input", _input),
    "con_4": ("conv", _convolution),
    "affine_": ("affine", _affine),
    "fc_2": ("fc", _linear),
    "max_pool_2": ("pool", _pool),
    "avg_pool_2": ("pool", _pool),
    "relu_": ("relu", lambda _: {}),
    "add_prev_": ("add", lambda _: {}),
}


def read(data: bytes) -> dict[str, Tensor]:
    """The parameters in the file, named kind.index.part in order from the input: `conv.0.weight`, `affine.3.shift`.

    Convolutions are (out, in, kernel, kernel), linear layers (out, in). Raises ValueError where it is no such network.
    """
    start = data.find(INPUT)
    if start < 0:
        raise ValueError("this is no dlib network on RGB pictures: its input layer was not found")
    reader, counts, tensors = Reader(data, start), dict[str, int](), dict[str, Tensor]()
    while reader.at < len(data):
        tag = reader.text()
        if tag not in LAYERS:
            raise ValueError(f"the dlib file holds a layer {tag!r}; known: {', '.join(LAYERS)}")
        kind, parts = LAYERS[tag]
        index = counts[kind] = counts.get(kind, -1) + 1
        tensors |= {f"{kind}.{index}.{part}": value for part, value in parts(reader).items()}
        if kind != "input":
            _trainer(reader)
        if tag == "con_4" and index == 0:
            reader.integer()  # the layer on the input keeps how many samples one picture makes
    return tensors


def _trainer(reader: Reader) -> None:
    """Skip what the trainer left behind a layer: three flags as digits, three empty tensors."""
    reader.take(3)
    for _ in range(3):
        reader.tensor()
