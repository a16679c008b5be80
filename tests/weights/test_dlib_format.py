"""dlib's file format, written here by hand from its description and read back."""

import struct

import pytest
import torch

from mien.weights.dlib_format import Reader, read


def integer(value: int) -> bytes:
    body = abs(value).to_bytes((abs(value).bit_length() + 7) // 8 or 1, "little")
    return bytes([len(body) | (0x80 if value < 0 else 0)]) + body


def integers(*values: int) -> bytes:
    return b"".join(map(integer, values))


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(*shape: int, values: list[float]) -> bytes:
    return integers(2, *shape) + struct.pack(f"<{len(values)}f", *values)


EMPTY = integers(2, 0, 0, 0, 0)
TRAINER = b"110" + 3 * EMPTY
ONE = integers(1, 0)


def tiny() -> bytes:
    """Input, a 1 x 1 convolution from 3 to 1 channels, its affine layer, ReLU, a pool, a linear layer from 1 to 2."""
    return b"".join([
        b"anything that comes before", text("input_rgb_image_sized"),
        integers(5, -1), integers(-3, 0), integers(7, 1), integers(4, 4),
        text("con_4"), tensor(4, 1, 1, 1, values=[1.0, 2.0, 3.0, 0.5]), integers(1, 1, 1, 1, 1, 0, 0),
        integers(1, 1, 3, 1, 1), integers(1, 1, 1, 1, 1), 4 * ONE, TRAINER, integer(1),
        text("affine_"), tensor(2, 1, 1, 1, values=[4.0, -1.0]), 2 * integers(1, 1, 1, 1, 1), integer(0), TRAINER,
        text("relu_"), TRAINER, text("avg_pool_2"), integers(0, 0, 1, 1, 0, 0), TRAINER,
        text("fc_2"), integers(2, 1), tensor(1, 2, 1, 1, values=[6.0, 7.0]),
        integers(1, 1, 2, 1, 1), integers(1, 0, 0, 0, 0), integer(1), 4 * ONE, TRAINER,
    ])  # fmt: skip


def test_a_network_written_by_hand() -> None:
    tensors = read(tiny())
    assert {name: (tuple(value.shape), value.flatten().tolist()) for name, value in tensors.items()} == {
        "input.0.mean": ((3,), [2.5, -3.0, 14.0]),
        "conv.0.weight": ((1, 3, 1, 1), [1.0, 2.0, 3.0]),
        "conv.0.bias": ((1,), [0.5]),
        "affine.0.scale": ((1,), [4.0]),
        "affine.0.shift": ((1,), [-1.0]),
        "fc.0.weight": ((2, 1), [6.0, 7.0]),
    }


@pytest.mark.parametrize("value", [0, 1, 150, -28, 65_536, -(2**40)])
def test_integers(value: int) -> None:
    assert Reader(integer(value)).integer() == value


def test_a_file_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="the dlib file ends at byte"):
        read(tiny()[:-40])


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="no dlib network on RGB pictures"):
        read(b"\x89PNG and so on")
    with pytest.raises(ValueError, match="holds a layer 'dropout_'"):
        read(tiny() + text("dropout_"))
    with pytest.raises(ValueError, match="expected the start of an integer"):
        Reader(b"\x7f").integer()


def test_tensors_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="tensor of version 1"):
        Reader(integers(1, 1, 1, 1, 1) + struct.pack("<f", 1.0)).tensor()


def test_tensors_own_their_memory() -> None:
    value = Reader(tensor(1, 1, 1, 2, values=[1.0, 2.0])).tensor()
    value += 1
    assert torch.equal(value, torch.tensor([[[[2.0, 3.0]]]]))
