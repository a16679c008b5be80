"""Gram matrices and costs small enough to check by hand."""

import pytest
import torch

from mien.nn import style
from mien.nn.style import adain, content_cost, gram, mean_gram, statistics, style_cost, total_variation, weighted

A = torch.tensor([[[[1.0, 2.0], [0.0, 1.0]], [[3.0, 0.0], [1.0, 1.0]]]])
"""(1, 2, 2, 2): two channels of four places."""


def test_a_gram_matrix_by_hand() -> None:
    """1 + 4 + 0 + 1, 3 + 0 + 0 + 1, 9 + 0 + 1 + 1."""
    assert gram(A).tolist() == [[[6.0, 4.0], [4.0, 11.0]]]
    assert mean_gram(A).tolist() == [[[1.5, 1.0], [1.0, 2.75]]]


def test_the_costs_are_those_of_the_formulas() -> None:
    """With 1 / (4 nH nW nC), and 1 / (2 nH nW nC)^2 of Gram matrices that are sums."""
    other = torch.zeros_like(A)
    assert content_cost(A, other).item() == pytest.approx((1 + 4 + 1 + 9 + 1 + 1) / (4 * 2 * 2 * 2))
    assert style_cost(mean_gram(A), mean_gram(other)).item() == pytest.approx((36 + 16 + 16 + 121) / (2 * 2 * 2 * 2) ** 2)


def test_a_mask_leaves_places_out() -> None:
    """Only the first row counts, and it counts as a picture of its own."""
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert torch.equal(mean_gram(A, mask), mean_gram(A[:, :, :1]))
    assert not mean_gram(A, torch.zeros_like(mask)).any()


def test_sums_are_gathered_in_fp32() -> None:
    """Of half-precision maps, also where autocast would not."""
    maps = torch.rand(1, 4, 64, 64).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = gram(maps)
    assert found.dtype == torch.float32
    exact = gram(maps.double())
    assert torch.allclose(found.double(), exact, rtol=1e-5)


def test_sizes_may_differ() -> None:
    """A picture repeated has the style of the picture."""
    assert torch.allclose(mean_gram(A), mean_gram(A.repeat(1, 1, 2, 3)))


def test_gradients() -> None:
    """Against differences, in float64."""
    x = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    wanted = torch.rand(1, 2, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda one: style_cost(mean_gram(one), wanted), (x,))
    assert torch.autograd.gradcheck(total_variation, (x,))


@pytest.mark.parametrize("last", [False, True])
def test_the_slope_of_a_gram_matrix(last: bool) -> None:
    """As torch finds it for the two products, in either layout, with and without a mask."""
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    x = x.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format).requires_grad_()
    way, mask = torch.rand(2, 3, 3, dtype=torch.float64), torch.rand(1, 1, 4, 5, dtype=torch.float64)
    for weights in (None, mask):
        weighed = x.flatten(2) if weights is None else x.flatten(2) * weights.flatten(2)
        (wanted,) = torch.autograd.grad(x.flatten(2) @ weighed.transpose(1, 2), x, way)
        (found,) = torch.autograd.grad(gram(x, weights), x, way)
        torch.testing.assert_close(found, wanted)
        assert found.stride() == x.stride()


def test_half_precision_is_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, mask = torch.rand(1, 4, 7, 9).to(torch.bfloat16), torch.rand(1, 1, 7, 9)
    for weights in (None, mask):
        whole = gram(maps, weights)
        with monkeypatch.context() as patched:
            patched.setattr(style, "AT_ONCE", 40)
            torch.testing.assert_close(gram(maps, weights), whole, rtol=1e-6, atol=0)


def test_total_variation_by_hand() -> None:
    """Steps across 1 and 1, down -1 and -1: mean squares 1 and 1."""
    assert total_variation(A[:, :1]).item() == pytest.approx((1 + 1) / 2 + (1 + 1) / 2)
    assert total_variation(torch.ones(1, 3, 1, 1)).item() == 0


def test_layers_are_weighted() -> None:
    """0.25 of 4 and 0.75 of 8."""
    costs = {"a": torch.tensor([4.0]), "b": torch.tensor([8.0])}
    assert weighted(costs, {"a": 0.25, "b": 0.75}).tolist() == [7.0]


def test_adain_takes_over_mean_and_deviation() -> None:
    """And nothing else: where the style is the content, it stays as it is."""
    content, style = torch.rand(2, 3, 8, 8), 2 + 3 * torch.rand(2, 3, 5, 7)
    for found, wanted in zip(statistics(adain(content, style)), statistics(style), strict=True):
        assert torch.allclose(found, wanted, atol=1e-3)
    assert torch.allclose(adain(content, content), content, atol=1e-6)
