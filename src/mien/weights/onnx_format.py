"""The weights inside an ONNX file (onnx.proto; Protocol Buffers' wire format): read as numbers, the program around them is skipped.

A message is a row of fields: a key (number << 3 | kind) and a value, which is a variable-length integer (kind 0), 8 or 4 bytes (1
and 5), or a length and so many bytes (2). Integers are 7 bits a byte, lowest first, the top bit says that more follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor

GRAPH, INITIALIZER = 7, 5
DIMS, KIND, FLOATS, NAME, RAW = 1, 2, 4, 8, 9
"""Fields of ModelProto, GraphProto and TensorProto."""
FLOAT32 = 1
FIXED = {1: 8, 5: 4}
"""Kind of field -> bytes."""


def integer(data: memoryview, at: int) -> tuple[int, int]:
    """The variable-length integer at `at`, and where it ends. ValueError where the bytes end first."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value, at, shift = value | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError(f"the ONNX file is cut short: a number begins at its end, byte {at}")


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: integers as such, everything else as bytes. ValueError where it is no such message."""
    at = 0
    while at < len(data):
        key, at = integer(data, at)
        kind = key & 7
        if kind == 0:
            value, at = integer(data, at)
            yield key >> 3, value
            continue
        if kind != 2 and kind not in FIXED:
            raise ValueError(f"this is no ONNX file: a field of kind {kind} before byte {at}; expected 0, 1, 2 or 5")
        length, at = integer(data, at) if kind == 2 else (FIXED[kind], at)
        if at + length > len(data):
            raise ValueError(f"the ONNX file is cut short: {length} bytes are said to follow, {len(data) - at} do")
        yield key >> 3, data[at:at + length]
        at += length


def read(data: bytes) -> dict[str, Tensor]:
    """The initializers of type float32, by name; others (shapes, indices) are left out. ValueError where it is no ONNX model."""
    tensors: dict[str, Tensor] = {}
    for graph in _messages(memoryview(data), GRAPH):
        tensors |= dict(filter(None, map(_tensor, _messages(graph, INITIALIZER))))
    if not tensors:
        raise ValueError("this is no ONNX model with weights: no initializer was found")
    return tensors


def _messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """The messages in the fields of this number."""
    return (value for which, value in fields(data) if which == number and isinstance(value, memoryview))


def _tensor(data: memoryview) -> tuple[str, Tensor] | None:
    """Name and values; None where they are no float32."""
    shape: list[int] = []
    parts: dict[int, int | memoryview] = {}
    for number, value in fields(data):
        if number != DIMS:
            parts[number] = value
        elif isinstance(value, int):
            shape.append(value)
        else:  # packed: one after the other in one field
            at = 0
            while at < len(value):
                one, at = integer(value, at)
                shape.append(one)
    if parts.get(KIND) != FLOAT32:
        return None
    name, raw = bytes(_bytes(parts.get(NAME, b""))).decode(), _bytes(parts.get(RAW, parts.get(FLOATS, b"")))
    if len(raw) != 4 * prod(shape):
        raise ValueError(f"the ONNX file's {name} is of shape {tuple(shape)}, but has {len(raw)} bytes")
    return name, torch.from_numpy(np.frombuffer(raw, "<f4").astype(np.float32)).reshape(shape)


def _bytes(value: int | bytes | memoryview) -> bytes | memoryview:
    if isinstance(value, int):
        raise ValueError("this is no ONNX file: a number where a name or values were expected")
    return value
