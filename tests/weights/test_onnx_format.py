"""Weights inside ONNX files: written by hand from the format's description, and by the package onnx, and read back."""

import struct

import numpy as np
import pytest
import torch

import mien.weights as weights
from mien.weights.names import renaming
from mien.weights.onnx_format import read


def field(number: int, content: bytes) -> bytes:
    """A field with a length of less than 128 * 128 bytes before it."""
    length = len(content)
    return bytes([number << 3 | 2, *([length] if length < 128 else [length & 127 | 128, length >> 7])]) + content


def tensor(name: bytes, kind: int, content: bytes, dims: bytes) -> bytes:
    return dims + bytes([2 << 3, kind]) + field(8, name) + content


THREE = struct.pack("<3f", 1.5, -2.0, 300.0)


@pytest.mark.parametrize("dims", [bytes([1 << 3, 3, 1 << 3, 1]), field(1, bytes([3, 1]))], ids=["one by one", "packed"])
@pytest.mark.parametrize("number", [4, 9], ids=["typed", "raw"])
def test_a_model_written_by_hand(dims: bytes, number: int) -> None:
    wanted = tensor(b"w", 1, field(number, THREE), dims)
    other = tensor(b"shape", 7, field(9, bytes(8)), bytes([1 << 3, 1]))
    fixed = bytes([6 << 3 | 5]) + bytes(4) + bytes([6 << 3 | 1]) + bytes(8)
    model = bytes([1 << 3, 0x87, 0x01]) + field(7, field(1, b"a node" * 50) + fixed + field(5, wanted) + field(5, other))
    found = read(model)
    assert list(found) == ["w"]
    assert found["w"].tolist() == [[1.5], [-2.0], [300.0]]


def test_models_of_the_package_onnx() -> None:
    onnx = pytest.importorskip("onnx")
    random = np.random.default_rng(0)
    arrays = {"a": random.normal(size=(4, 3, 3, 3)).astype(np.float32), "scalar": np.array(2.5, np.float32)}
    parts = [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()]
    parts += [onnx.helper.make_tensor("typed", 1, (2, 2), [1.0, 2.0, 3.0, 4.0]), onnx.numpy_helper.from_array(np.arange(3), "whole")]
    node = onnx.helper.make_node("Identity", ["a"], ["b"])
    out = onnx.helper.make_tensor_value_info("b", 1, (4, 3, 3, 3))
    found = read(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [out], parts)).SerializeToString())
    assert set(found) == {"a", "scalar", "typed"}
    for name, value in arrays.items():
        np.testing.assert_array_equal(found[name].numpy(), value)
    assert found["typed"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(("data", "message"), [
    (b"", "no initializer"),
    (bytes([1 << 3, 0x80]), "cut short: a number"),
    (bytes([7 << 3 | 2, 50, 0]), "50 bytes are said to follow, 1 do"),
    (b"\x89PNG", "no ONNX file|cut short"),
    (field(7, field(5, tensor(b"w", 1, field(9, THREE), bytes([1 << 3, 4])))), r"w is of shape \(4,\), but has 12 bytes"),
    (field(7, field(5, tensor(b"w", 1, bytes([9 << 3, 1]), bytes([1 << 3, 4])))), "a number where"),
])  # fmt: skip
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(data)


def test_names_are_translated_and_the_rest_is_left_behind() -> None:
    some = {"net/conv1/W:0": torch.zeros(1), "net/dense/W:0": torch.ones(1)}
    assert renaming(some, {r"net/conv(\d)/W:0": r"conv\1.weight"}) == {"net/conv1/W:0": "conv1.weight"}
    assert list(renaming(some, {})) == list(some)
    with pytest.raises(ValueError, match="no tensor is called like x"):
        renaming(some, {"x": "y"})


def test_an_onnx_program_without_a_table_of_names_is_not_loaded() -> None:
    with pytest.raises(ValueError, match=r"centerface is a \.onnx program"):
        weights.load("centerface")
