"""Metric losses: the papers' formulas by hand, batches against plain loops, gradients, what may not change a loss."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from mien.nn import metric

LINE = torch.tensor([[0.0], [0.3], [0.5], [1.0]])
"""Four pictures on a line, two of each of two people."""
TWO = torch.tensor([0, 0, 1, 1])
BATCHES = (metric.batch_all, metric.semi_hard, metric.batch_hard, metric.contrastive_loss)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Vectors in double precision and people, at least two of whom have two pictures."""
    labels = torch.tensor([0, 0, 1, 1, *draw(st.lists(st.integers(0, 3), max_size=6))])
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    return torch.randn(len(labels), 3, generator=random, dtype=torch.float64), labels


def loops(vectors: Tensor, labels: Tensor) -> dict[tuple[int, int], list[tuple[int, float, float]]]:
    """Anchor and positive -> every negative with both squared distances, in plain Python."""
    points, people = vectors.tolist(), labels.tolist()
    squared = [[sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) for b in points] for a in points]
    count = range(len(points))
    return {
        (a, p): [(n, squared[a][p], squared[a][n]) for n in count if people[n] != people[a]]
        for a in count for p in count if a != p and people[a] == people[p]
    }  # fmt: skip


@pytest.mark.parametrize(("near", "far", "cost"), [(0.5, 1.0, 0.0), (0.5, 0.6, 0.1), (0.5, 0.5, 0.2), (1.0, 0.25, 0.95)])
def test_triplet_by_hand(near: float, far: float, cost: float) -> None:
    """max(|f(A) - f(P)|^2 - |f(A) - f(N)|^2 + 0.2, 0)."""
    assert float(metric.triplet(torch.tensor(near), torch.tensor(far), 0.2)) == pytest.approx(cost)


def test_four_pictures_on_a_line_by_hand() -> None:
    """Squared distances: 0-1 0.09, 0-2 0.25, 0-3 1, 1-2 0.04, 1-3 0.49, 2-3 0.25; the margin is 0.2.

    Of the eight triplets five cost: 0,1,2: 0.04; 1,0,2: 0.25; 2,3,0: 0.2; 2,3,1: 0.41; none of 0,1,3; 1,0,3; 3,2,0; 3,2,1.
    """
    assert float(metric.batch_all(LINE, TWO, 0.2)) == pytest.approx((0.04 + 0.25 + 0.2 + 0.41) / 4)
    assert float(metric.batch_hard(LINE, TWO, 0.2)) == pytest.approx((0.04 + 0.25 + 0.41 + 0) / 4)
    # Farther than the positive: for 0 it is 2, for 1 it is 3, for 2 none (0 is just as far), so the farthest; for 3 it is 1.
    assert float(metric.semi_hard(LINE, TWO, 0.2)) == pytest.approx((0.04 + 0 + 0.2 + 0) / 4)
    # Same: 0.09 / 2, 0.25 / 2; different, margin 0.6: distances 0.5, 1, 0.2, 0.7.
    same, different = (0.045 + 0.125) / 2, (0.1**2 / 2 + 0.4**2 / 2) / 4
    assert float(metric.contrastive_loss(LINE, TWO, 0.6)) == pytest.approx((same + different) / 2)


def test_which_triplets_by_hand() -> None:
    squared = metric.squared_distances(LINE, LINE)
    rows = lambda chosen: [tuple(map(int, row)) for row in torch.stack(chosen, 1)]
    assert rows(metric.every_triplet(squared, TWO)) == [
        (0, 1, 2), (0, 1, 3), (1, 0, 2), (1, 0, 3), (2, 3, 0), (2, 3, 1), (3, 2, 0), (3, 2, 1),
    ]  # fmt: skip
    assert rows(metric.hardest_triplets(squared, TWO)) == [(0, 1, 2), (1, 0, 2), (2, 3, 1), (3, 2, 1)]
    assert rows(metric.semi_hard_triplets(squared, TWO)) == [(0, 1, 2), (1, 0, 3), (2, 3, 0), (3, 2, 1)]


@given(batches())
def test_batches_equal_plain_loops(batch: tuple[Tensor, Tensor]) -> None:
    every = loops(*batch)
    hinge = lambda near, far: max(near - far + 0.7, 0.0)
    costs = [hinge(near, far) for row in every.values() for _, near, far in row]
    positive = [cost for cost in costs if cost > 0]
    assert float(metric.batch_all(*batch, 0.7)) == pytest.approx(sum(positive) / max(len(positive), 1))

    semi = []
    for row in every.values():
        farther = [far for _, near, far in row if far > near]
        semi.append(hinge(row[0][1], min(farther) if farther else max(far for _, _, far in row)))
    assert float(metric.semi_hard(*batch, 0.7)) == pytest.approx(sum(semi) / len(semi))

    hard: dict[int, float] = {}
    for (anchor, _), row in every.items():  # the hardest triplet of an anchor is the dearest one
        hard[anchor] = max(hard.get(anchor, 0.0), *(hinge(near, far) for _, near, far in row))
    assert float(metric.batch_hard(*batch, 0.7)) == pytest.approx(sum(hard.values()) / len(hard))


@given(batches(), st.integers(0, 2**31))
def test_the_order_of_the_batch_does_not_matter(batch: tuple[Tensor, Tensor], seed: int) -> None:
    vectors, labels = batch
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    head = metric.PairHead(3).double().requires_grad_(False)
    for loss in (*BATCHES, lambda v, p: metric.pairwise_loss(head, v, p)):
        assert float(loss(vectors[order], labels[order])) == pytest.approx(float(loss(vectors, labels)))


@given(batches(), st.integers(0, 2**31))
def test_names_turns_and_shifts_do_not_matter(batch: tuple[Tensor, Tensor], seed: int) -> None:
    """Only distances and who is who count: other numbers for the people, a rotated and shifted space change nothing."""
    vectors, labels = batch
    random = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=random, dtype=torch.float64))
    names = torch.randperm(10, generator=random)
    for loss in BATCHES:
        assert float(loss(vectors @ turn + 5, names[labels])) == pytest.approx(float(loss(vectors, labels)))


@given(batches())
def test_harder_choices_cost_more(batch: tuple[Tensor, Tensor]) -> None:
    """An anchor's hardest triplet costs at least as much as any of its semi-hard ones; nothing costs less than nothing."""
    vectors, labels = batch
    squared = metric.squared_distances(vectors, vectors)
    cost = lambda chosen: metric.triplet(squared[chosen[0], chosen[1]], squared[chosen[0], chosen[2]], 0.2)
    hard, semi = metric.hardest_triplets(squared, labels), metric.semi_hard_triplets(squared, labels)
    dearest = dict(zip(hard[0].tolist(), cost(hard).tolist(), strict=True))
    assert all(0 <= each <= dearest[anchor] + 1e-12 for anchor, each in zip(semi[0].tolist(), cost(semi).tolist(), strict=True))


@pytest.mark.parametrize("loss", BATCHES, ids=lambda loss: loss.__name__)
def test_gradients(loss: Callable[..., Tensor]) -> None:
    vectors = torch.randn(8, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    people = torch.tensor([0, 1, 0, 1, 2, 2, 0, 3])
    assert torch.autograd.gradcheck(lambda v: loss(v, people, 0.9), vectors)


@pytest.mark.parametrize("loss", [metric.arcface, metric.cosface])
def test_gradients_of_margins_and_heads(loss: Callable[..., Tensor]) -> None:
    random = torch.Generator().manual_seed(2)
    vectors = torch.randn(5, 3, generator=random, dtype=torch.float64, requires_grad=True)
    people = torch.tensor([0, 1, 2, 0, 1])
    heads = metric.Directions(3, 3).double(), metric.PairHead(3).double()
    assert torch.autograd.gradcheck(lambda v: F.cross_entropy(loss(heads[0](v), people, 4.0), people), vectors)
    assert torch.autograd.gradcheck(lambda v: metric.pairwise_loss(heads[1], v, people), vectors)


def test_two_equal_pictures_give_a_finite_slope() -> None:
    vectors = torch.zeros(4, 3, requires_grad=True)
    (metric.contrastive_loss(vectors, TWO) + metric.batch_hard(vectors, TWO)).backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()


@pytest.mark.parametrize("people", [[0, 0, 0], [0, 1, 2], [0]])
def test_without_a_triplet_nothing_is_to_be_learned(people: list[int]) -> None:
    vectors = torch.randn(len(people), 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for loss in (metric.batch_all, metric.semi_hard, metric.batch_hard):
        cost = loss(vectors, torch.tensor(people))
        cost.backward()
        assert cost.item() == 0
    assert vectors.grad is not None
    assert not vectors.grad.any()


@pytest.mark.parametrize(("same", "distance", "cost"), [(True, 0.6, 0.18), (False, 0.6, 0.08), (False, 1.2, 0.0), (True, 0.0, 0.0)])
def test_contrastive_by_hand(same: bool, distance: float, cost: float) -> None:
    """D^2 / 2 for the same; max(0, 1 - D)^2 / 2 for different ones."""
    assert float(metric.contrastive(torch.tensor(distance), torch.tensor(same), 1.0)) == pytest.approx(cost)


def test_the_pair_head_by_hand() -> None:
    """Logit 1 - 2 |0.5 - 0| - 3 |0 - 0.25| = -0.75: sigmoid 0.3208, so a same pair costs -ln 0.3208 = 1.1369."""
    head = metric.PairHead(2)
    head.load_state_dict({"weight": torch.tensor([-2.0, -3.0]), "bias": torch.tensor(1.0)})
    a, b = torch.tensor([0.5, 0.0]), torch.tensor([0.0, 0.25])
    assert head(a, b).item() == head(b, a).item() == pytest.approx(-0.75)
    assert head(a, b).sigmoid().item() == pytest.approx(0.32082, abs=1e-5)
    # With a copy of `a` as a third picture: one same pair at distance 0 (logit 1), two different ones at logit -0.75.
    same, different = math.log1p(math.exp(-1)), math.log1p(math.exp(-0.75))
    found = metric.pairwise_loss(head, torch.stack([a, b, a]), torch.tensor([0, 1, 0]))
    assert found.item() == pytest.approx((same + different) / 2)


def test_a_new_pair_head_knows_nothing_yet_but_that_far_is_different() -> None:
    random = torch.Generator().manual_seed(0)
    head, (a, b) = metric.PairHead(128), F.normalize(torch.randn(2, 500, 128, generator=random), dim=2)
    assert head(a, a).min() > 2
    assert head(a, b).max() < -2  # unit vectors by chance are 1.41 apart


def test_margins_by_hand() -> None:
    """Right person at 60 degrees, somebody else at 90: cos(60 + 30) = 0; 0.5 - 0.35 = 0.15; the others keep theirs, all times 10."""
    cosines, right = torch.tensor([[0.5, 0.0]]), torch.tensor([0])
    assert metric.arcface(cosines, right, 10, math.pi / 6)[0].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert metric.cosface(cosines, right, 10, 0.35)[0].tolist() == pytest.approx([1.5, 0])
    # Eq. 3 and 4 as they stand: with all logits 0, and with e^1.5 / (e^1.5 + 1).
    assert float(F.cross_entropy(metric.arcface(cosines, right, 10, math.pi / 6), right)) == pytest.approx(math.log(2), abs=1e-5)
    assert float(F.cross_entropy(metric.cosface(cosines, right, 10, 0.35), right)) == pytest.approx(math.log1p(math.exp(-1.5)))


@given(st.floats(0, math.pi))
def test_a_margin_of_angle_is_one_and_falls_all_the_way(angle: float) -> None:
    found = float(metric.arcface(torch.tensor([[math.cos(angle)]], dtype=torch.float64), torch.tensor([0]), 1.0, 0.5))
    if angle < math.pi - 0.5:
        assert found == pytest.approx(math.cos(angle + 0.5), abs=1e-5)
    step = float(metric.arcface(torch.tensor([[math.cos(angle + 1e-3)]], dtype=torch.float64), torch.tensor([0]), 1.0, 0.5))
    assert angle + 1e-3 > math.pi or step <= found


def test_directions_are_cosines() -> None:
    head = metric.Directions(2, 2)
    head.weight.data = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    torch.testing.assert_close(head(torch.tensor([[0.0, 2.0]])), torch.tensor([[0.0, math.sqrt(0.5)]]))


@given(batches())
def test_unit_length_and_the_distances_of_cosines(batch: tuple[Tensor, Tensor]) -> None:
    vectors = metric.UnitLength()(batch[0])
    torch.testing.assert_close(metric.squared_distances(vectors, vectors), 2 - 2 * vectors @ vectors.T)
    assert not metric.squared_distances(vectors, vectors).diagonal().any()
