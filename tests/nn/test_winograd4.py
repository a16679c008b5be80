"""F(4 x 4, 3 x 3) of frozen convolutions: against torch's own, forward and back, for any size."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mien.nn import winograd4
from mien.nn.winograd4 import Frozen, convolved, quicken_frozen, spread_taps


def frozen(c: int, o: int) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(c, o, 3, padding=1).requires_grad_(False)


@settings(max_examples=30)
@given(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5), st.integers(1, 19), st.integers(1, 19))
def test_any_size(batch: int, c: int, o: int, height: int, width: int) -> None:
    conv, x = frozen(c, o).double(), torch.randn(batch, c, height, width, dtype=torch.float64)
    found = convolved(x, spread_taps(conv.weight), conv.bias)
    torch.testing.assert_close(found, conv(x), rtol=1e-10, atol=1e-10)


def test_one_product_by_hand() -> None:
    """A single 1 in a picture of zeros gives the taps, turned round, and nothing else."""
    weight = torch.arange(9.0).reshape(1, 1, 3, 3)
    x = torch.zeros(1, 1, 7, 7)
    x[0, 0, 4, 2] = 1
    wanted = torch.zeros(7, 7)
    wanted[3:6, 1:4] = torch.tensor([[8.0, 7, 6], [5, 4, 3], [2, 1, 0]])
    torch.testing.assert_close(convolved(x, spread_taps(weight))[0, 0], wanted, rtol=0, atol=1e-5)


def test_many_lots_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lot may be smaller; borders between lots do not show."""
    conv, x = frozen(3, 4), torch.randn(1, 3, 43, 26)
    monkeypatch.setattr(winograd4, "NEAR", 1)
    monkeypatch.setattr(winograd4, "FEWEST", 14)  # two rows of seven tiles
    torch.testing.assert_close(Frozen(conv)(x), conv(x), rtol=1e-4, atol=1e-5)


def test_the_slope_towards_the_input() -> None:
    conv, x = frozen(6, 9), torch.randn(2, 6, 13, 18, requires_grad=True)
    way = torch.randn(2, 9, 13, 18)
    (found,) = torch.autograd.grad(Frozen(conv)(x), x, way)
    (wanted,) = torch.autograd.grad(conv(x), x, way)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 12), (7, 12), (8, 11)])
def test_what_follows_may_work_in_place(size: tuple[int, int]) -> None:
    conv, x = frozen(6, 9), torch.randn(1, 6, *size, requires_grad=True)
    (found,) = torch.autograd.grad(Frozen(conv)(x).relu_().sum(), x)
    (wanted,) = torch.autograd.grad(conv(x).relu().sum(), x)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_rounding_is_some_ten_times_a_plain_convolutions() -> None:
    """Against float64, as a share of the largest result."""
    conv, x = frozen(128, 128), torch.randn(1, 128, 32, 32)
    exact = frozen(128, 128).double()(x.double())
    error = float((Frozen(conv)(x).double() - exact).abs().max() / exact.abs().max())
    assert error < 2e-5


def test_half_precision() -> None:
    """There and back, against float64, of noise."""
    conv, x = frozen(96, 64), torch.randn(2, 96, 21, 30, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        made = Frozen(conv)(x)
    assert made.dtype == torch.bfloat16
    exact = frozen(96, 64).double()(x.double())
    way = torch.randn(exact.shape)
    found, wanted = (torch.autograd.grad(y, x, way.to(y.dtype), retain_graph=True)[0] for y in (made, exact))
    for ours, theirs in ((made, exact), (found, wanted)):
        assert 1e-4 < float(((ours.double() - theirs).norm() / theirs.norm()).detach()) < 0.02


def test_what_is_replaced() -> None:
    """Wide frozen 3 x 3 convolutions, once; fp64 takes the plain way."""
    learns = nn.Conv2d(64, 128, 3, padding=1)
    net = nn.Sequential(frozen(3, 64), frozen(64, 64), frozen(64, 128), learns, nn.Sequential(frozen(128, 128)))
    for _ in range(2):
        quicken_frozen(net)
    assert [isinstance(one, Frozen) for one in net] == [False, False, True, False, False]
    inner = net[4][0]  # pyright: ignore[reportIndexIssue]
    assert isinstance(inner, Frozen)
    assert isinstance(inner.plain, nn.Conv2d)
    x = torch.randn(1, 128, 8, 8, dtype=torch.float64)
    assert torch.equal(inner.double()(x), inner.plain(x))
