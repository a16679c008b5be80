"""Scores of drawn pictures on cases whose answer is known."""

import math

import pytest
import torch
from torch import Tensor

from mien.metrics.generation import BLOCK, frechet, inception, kernel, moments, nearest, precision_recall


def normal(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whitened(count: int, size: int, seed: int = 0) -> Tensor:
    """Vectors whose mean is 0 and whose covariance is 1, exactly."""
    x = normal(count, size, seed)
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T


def test_frechet_of_two_gaussians() -> None:
    """N(0, 1) and N((3, 4), diag(4, 9)): 25 + (1 - 2)^2 + (1 - 3)^2 = 30, whichever set is called real."""
    x, y = whitened(500, 2), whitened(400, 2, 1) * torch.tensor([2.0, 3.0]) + torch.tensor([3.0, 4.0])
    assert frechet(x, y) == pytest.approx(30, abs=1e-8)
    assert frechet(y, x) == pytest.approx(30, abs=1e-8)
    assert frechet(x, x) == pytest.approx(0, abs=1e-8)


def test_frechet_where_covariances_do_not_commute() -> None:
    """Against the root of a product by scipy, and where there are fewer pictures than features: roots of zeros."""
    scipy = pytest.importorskip("scipy.linalg")
    x, y = normal(300, 5) @ normal(5, 5, 2), normal(300, 5, 1) @ normal(5, 5, 3) + 1
    (m, s), (n, t) = moments(x), moments(y)
    root = scipy.sqrtm((s @ t).numpy()).real
    assert frechet(x, y) == pytest.approx(float((m - n).square().sum() + s.trace() + t.trace()) - 2 * root.trace(), rel=1e-9)
    few = normal(4, 20)
    assert frechet(few, few) == pytest.approx(0, abs=1e-5)


def test_inception_of_sure_unsure_and_one_sided_answers() -> None:
    """All classes for sure: their number; no answer, or always the same: 1; two of four classes: 2."""
    sure = torch.eye(4).repeat(5, 1)
    assert inception(sure) == pytest.approx(4)
    assert inception(torch.full((20, 4), 0.25)) == pytest.approx(1)
    assert inception(sure[::4]) == pytest.approx(1)
    assert inception(torch.eye(4)[:2].repeat(5, 1)) == pytest.approx(2)


def test_precision_and_recall_of_equal_apart_and_half_sets() -> None:
    """Equal sets: 1, 1; far apart: 0, 0; a set and one of its two heaps: all drawn are real, half the real are drawn."""
    x = normal(60, 3)
    assert precision_recall(x, x) == (1.0, 1.0)
    assert precision_recall(x, x + 100) == (0.0, 0.0)
    both = torch.cat([x, x + 100])
    assert precision_recall(both, x) == (1.0, 0.5)
    assert precision_recall(x, both) == (0.5, 1.0)


def test_precision_by_hand() -> None:
    """On a line, k = 1, real 0, 1, 3 with radii 1, 1, 2: 1.5 and 4 lie within, -1.5 and 6 do not; 1.5's own radius is 2.5."""
    real = torch.tensor([[0.0], [1.0], [3.0]])
    drawn = torch.tensor([[1.5], [4.0], [-1.5], [6.0]])
    assert precision_recall(real, drawn, 1) == (0.5, 1.0)


def test_kernel_distance_by_hand_and_on_average() -> None:
    """x = 0, 1 and y = 2, 3 of one number: pairs 1 and 7^3; across 1, 1, 3^3, 4^3; so 1 + 343 - 2 (93 / 4)."""
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [3.0]])
    assert kernel(x, y) == pytest.approx(1 + 343 - 2 * 93 / 4)
    found = [kernel(normal(50, 4, seed), normal(50, 4, seed + 100)) for seed in range(40)]
    assert abs(sum(found) / 40) < 0.05
    assert kernel(normal(50, 4), normal(50, 4, 1) + 1) > 0.5


def test_nearest() -> None:
    """The members are found again, a little beside them, in whichever block they are."""
    members = normal(BLOCK + 50, 4)
    distances, places = nearest(members[[BLOCK + 7, 3]] + 0.01, members)
    assert places.tolist() == [BLOCK + 7, 3]
    assert distances.tolist() == pytest.approx([0.02, 0.02])


def test_bad_input() -> None:
    for one, other, word in ((normal(5, 2), normal(5, 3), "shapes"), (normal(1, 2), normal(5, 2), "two or more")):
        for score in (frechet, kernel, precision_recall):
            with pytest.raises(ValueError, match=word):
                score(one, other)
    with pytest.raises(ValueError, match="more than 3"):
        precision_recall(normal(3, 2), normal(9, 2))
    with pytest.raises(ValueError, match="the same"):
        nearest(normal(3, 2), normal(9, 3))
    assert math.isfinite(frechet(normal(2, 2), normal(2, 2, 1)))
