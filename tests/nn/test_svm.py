"""Support vector machines and ridge regression against what must hold at their minimum."""

import torch

from mien.nn.svm import fit_svm, objective, ridge


def test_two_points_have_the_widest_margin() -> None:
    """With a large c and points at -1 and 1 the margin touches both: w = 1, no offset."""
    w, offset = fit_svm(torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.tensor([-1.0, 1.0], dtype=torch.float64), c=1e6)
    torch.testing.assert_close(w, torch.ones(1, dtype=torch.float64), atol=1e-4, rtol=0)
    assert abs(float(offset)) < 1e-6


def test_it_is_the_minimum() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=random, dtype=torch.float64)
    y = torch.where(x[:, 0] + 0.5 * torch.randn(60, generator=random, dtype=torch.float64) > 0.3, 1.0, -1.0).double()
    w, offset = fit_svm(x, y, c=0.1)
    wide, whole = torch.cat([x, x.new_full((60, 1), 10.0)], 1), torch.cat([w, offset[None] / 10]).requires_grad_()
    least = objective(whole, wide, y, 0.1)
    assert torch.autograd.grad(least, whole)[0].abs().max() < 1e-2
    for _ in range(20):
        nearby = whole + 0.01 * torch.randn(5, generator=random, dtype=torch.float64)
        assert objective(nearby, wide, y, 0.1) > least
    assert ((x @ w + offset).sign() == y).double().mean() > 0.75


def test_ridge_by_hand() -> None:
    """One feature: w = sum(x y) / (sum(x x) + penalty)."""
    x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0]])
    torch.testing.assert_close(ridge(x, y, 5.0), torch.tensor([[13 / 10]]))


def test_ridge_of_few_examples_is_the_same_from_the_smaller_system() -> None:
    """At the minimum x^T (y - x w) is penalty w."""
    torch.manual_seed(0)
    x, y = torch.randn(5, 9, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    w = ridge(x, y, 3.0)
    torch.testing.assert_close(x.T @ (y - x @ w), 3.0 * w)
