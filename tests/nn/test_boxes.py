"""Boxes against naive loops, by hand and by properties."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mien.nn import boxes as bx

coordinate = st.floats(0, 100, width=32)
side = st.floats(1, 50, width=32)
box = st.builds(lambda x, y, w, h: [x, y, x + w, y + h], coordinate, coordinate, side, side)
some = st.lists(box, min_size=1, max_size=14)


def naive_iou(a: list[float], b: list[float]) -> float:
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, 0) * max(tall, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def naive_suppress(boxes: Tensor, scores: Tensor, threshold: float, labels: Tensor) -> list[int]:
    kept: list[int] = []
    for one in scores.argsort(descending=True, stable=True).tolist():
        rivals = [other for other in kept if labels[other] == labels[one]]
        if all(float(bx.iou(boxes[one:one + 1], boxes[other:other + 1])) <= threshold for other in rivals):
            kept.append(one)
    return kept


def test_overlaps_by_hand() -> None:
    a, b = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 1, 3, 3], [0, 0, 2, 2], [5, 5, 6, 6], [1, 1, 1, 1]])
    torch.testing.assert_close(bx.iou(a, b), torch.tensor([[1 / 7, 1, 0, 0]]))
    assert float(bx.iou(b[3:], b[3:])) == 0  # nothing over nothing


@given(some, some)
def test_overlaps_are_those_of_the_loop(a: list[list[float]], b: list[list[float]]) -> None:
    found = bx.iou(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([[naive_iou(x, y) for y in b] for x in a], dtype=torch.float64))


def test_overlaps_of_a_batch_are_those_of_each() -> None:
    a, b = torch.rand(3, 4, 4).cumsum(-1), torch.rand(3, 5, 4).cumsum(-1)
    torch.testing.assert_close(bx.iou(a, b), torch.stack([bx.iou(x, y) for x, y in zip(a, b, strict=True)]))


@given(st.lists(st.tuples(box, box), min_size=1, max_size=5), st.sampled_from([bx.PROPOSAL_STDS, bx.REGION_STDS]))
def test_what_is_encoded_is_decoded_again(pairs: list[tuple[list[float], list[float]]], stds: tuple[float, ...]) -> None:
    a, b = (torch.tensor([pair[i] for pair in pairs], dtype=torch.float64) for i in (0, 1))
    torch.testing.assert_close(bx.decode(a, bx.encode(a, b, stds), stds), b, atol=1e-6, rtol=0)


def test_deltas_by_hand() -> None:
    anchor, wanted = torch.tensor([[0.0, 0, 10, 20]]), torch.tensor([[5.0, 0, 25, 20]])
    torch.testing.assert_close(bx.encode(anchor, wanted), torch.tensor([[1.0, 0, math.log(2), 0]]))
    torch.testing.assert_close(bx.encode(anchor, wanted, bx.REGION_STDS), torch.tensor([[10.0, 0, 5 * math.log(2), 0]]))
    assert float(bx.decode(anchor, torch.tensor([[0.0, 0, 99, 0]]))[0, 2]) == pytest.approx(5 + 1000 / 16 * 5)  # bounded


def test_decoding_is_differentiable() -> None:
    deltas = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    anchors = torch.tensor([[0.0, 0, 8, 4], [3, 3, 9, 9], [1, 2, 30, 40]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda d: bx.decode(anchors, d, bx.REGION_STDS), (deltas,))


@given(some, st.integers(0, 2**31), st.floats(0.05, 0.95), st.integers(1, 3))
def test_suppression_is_the_greedy_loop(rows: list[list[float]], seed: int, threshold: float, classes: int) -> None:
    random = torch.Generator().manual_seed(seed)
    boxes, scores = torch.tensor(rows), torch.rand(len(rows), generator=random)
    labels = torch.randint(classes, (len(rows),), generator=random)
    assert bx.suppress(boxes, scores, threshold, labels).tolist() == naive_suppress(boxes, scores, threshold, labels)


def test_suppression_of_more_boxes_than_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    boxes = torch.rand(90, 4, generator=random) * 20
    boxes[:, 2:] += boxes[:, :2]
    scores = torch.rand(90, generator=random)
    whole = bx.suppress(boxes, scores, 0.3)
    monkeypatch.setattr(bx, "AT_ONCE", 7)
    assert torch.equal(bx.suppress(boxes, scores, 0.3), whole)
    assert whole.tolist() == naive_suppress(boxes, scores, 0.3, torch.zeros(90))


def test_a_chain_of_boxes_each_over_the_next() -> None:
    start = torch.arange(40.0)
    boxes = torch.stack([start, torch.zeros(40), start + 3, torch.ones(40)], 1)
    assert bx.suppress(boxes, -start, 0.4).tolist() == list(range(0, 40, 2))


def test_nothing_is_suppressed_of_nothing() -> None:
    assert bx.suppress(torch.empty(0, 4), torch.empty(0), 0.5).tolist() == []


def test_clipped() -> None:
    assert bx.clip(torch.tensor([[-5.0, 2, 30, 99], [40, 40, 50, 50]]), 20, 25).tolist() == [[0, 2, 25, 20], [25, 20, 25, 20]]


def test_anchors_by_hand() -> None:
    found = bx.anchors(1, 2, 16, (128,), (0.5, 1.0, 2.0))
    assert found.shape == (6, 4)
    assert found[1].tolist() == [8 - 64, 8 - 64, 8 + 64, 8 + 64]
    assert found[4].tolist() == [24 - 64, 8 - 64, 24 + 64, 8 + 64]
    torch.testing.assert_close(bx.area(found), torch.full((6,), 128.0**2))
    sides = found[2, 2:] - found[2, :2]
    assert float(sides[1] / sides[0]) == pytest.approx(2)  # ratio: height to width


def test_the_level_of_a_box_is_that_of_its_size() -> None:
    """Feature pyramid networks, equation 1: k0 = 4 at 224 pixels; our levels 0..3 are its 2..5."""
    sides = torch.tensor([10.0, 111, 112, 223, 224, 447, 448, 5000])
    boxes = torch.stack([sides * 0, sides * 0, sides, sides], 1)
    wanted = [min(max(math.floor(4 + math.log2(side / 224)), 2), 5) - 2 for side in sides.tolist()]
    assert bx.level_of(boxes, 4, 448).tolist() == wanted == [0, 0, 1, 1, 2, 2, 3, 3]
