"""Packed convolutions against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mien.nn.packed import Packed, packable

pytestmark = pytest.mark.skipif(not packable(), reason="this PyTorch lacks the operators")


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "groups", "bias"), [(3, 1, 1, 1, True), (3, 2, 0, 1, False), (5, 2, 2, 4, True)]
)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("count", "side"), [(1, 17), (5, 17), (2, 30)])
def test_it_is_the_convolution(
    kernel: int, stride: int, padding: int, groups: int, bias: bool, relu: bool, count: int, side: int
) -> None:
    torch.manual_seed(kernel + count)
    conv, x = nn.Conv2d(8, 12, kernel, stride, padding, groups=groups, bias=bias), torch.randn(count, 8, side, side)
    packed = Packed(conv, (17, 17), relu)
    with torch.inference_mode():
        expected = F.relu(conv(x)) if relu else conv(x)
        assert torch.allclose(packed(x), expected, atol=1e-5)
        other = torch.randn_like(expected)
        total = F.relu(conv(x) + other)
        assert torch.allclose(packed.onto(x, other), total, atol=1e-5)
        assert torch.allclose(other, total, atol=1e-5), "written over"
