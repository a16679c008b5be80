"""Which anchor learns what."""

import torch

from mien.nn.assign import match, sample

TRUTH = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]])
ANCHORS = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 20], [0, 0, 10, 40], [52, 52, 66, 66], [80, 80, 90, 90]])


def test_by_overlap() -> None:
    kind, which = match(ANCHORS, TRUTH, 0.7, 0.3)
    assert kind.tolist() == [1, -1, 0, 0, 0]
    assert which[0] == 0


def test_the_best_of_every_object_is_positive() -> None:
    kind, which = match(ANCHORS, TRUTH, 0.7, 0.3, best=True)
    assert kind.tolist() == [1, -1, 0, 1, 0]
    assert which[3] == 1


def test_what_overlaps_nothing_is_not_the_best_of_it() -> None:
    kind, _ = match(ANCHORS[4:], TRUTH, 0.7, 0.3, best=True)
    assert kind.tolist() == [0]


def test_without_objects_everything_is_negative() -> None:
    assert match(ANCHORS, torch.empty(0, 4), 0.7, 0.3)[0].tolist() == [0] * 5


def test_samples_are_fair_and_repeatable() -> None:
    kind = torch.tensor([1] * 30 + [0] * 100 + [-1] * 20)
    positives, negatives = sample(kind, 40, 0.25, torch.Generator().manual_seed(3))
    assert len(positives) == 10
    assert len(negatives) == 30
    assert (kind[positives] == 1).all()
    assert (kind[negatives] == 0).all()
    again = sample(kind, 40, 0.25, torch.Generator().manual_seed(3))
    assert torch.equal(again[0], positives)
    few, rest = sample(torch.tensor([1, 0, 0, 0, 0]), 4, 0.5, torch.Generator())
    assert (len(few), len(rest)) == (1, 3)
