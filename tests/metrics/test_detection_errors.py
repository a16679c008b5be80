from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_detection import scene

from mien.metrics.detection import curves, mean
from mien.metrics.detection_errors import KINDS, costs, errors
from mien.types import Detections

CAT, DOG = 0, 1


def of(*rows) -> Detections:
    """(x1, y1, x2, y2, label[, score])"""
    return Detections.of([row[:4] for row in rows], [row[4] for row in rows], [row[5] if len(row) > 5 else 1 for row in rows])


TRUTH = of((0, 0, 10, 10, CAT), (20, 0, 30, 10, DOG), (40, 0, 50, 10, CAT), (60, 0, 70, 10, CAT))


@pytest.mark.parametrize(
    ("detection", "kind"),
    [
        ((0, 0, 10, 9, CAT, 0.9), "right"),
        ((0, 0, 10, 4, CAT, 0.9), "place"),  # 40 of 100 pixels
        ((20, 0, 30, 9, CAT, 0.9), "class"),
        ((20, 0, 30, 4, CAT, 0.9), "both"),
        ((0, 30, 10, 40, CAT, 0.9), "background"),
        ((0, 0, 10, 0.9, CAT, 0.9), "background"),  # 9 of 100 pixels
    ],
)
def test_each_kind(detection, kind):
    found = errors([TRUTH], [of(detection)])
    assert found.kinds.tolist() == [kind]
    assert found.missed.sum() == 4 - (kind in ("right", "place", "class"))


def test_the_surer_of_two_is_right_and_the_other_a_duplicate():
    found = errors([TRUTH], [of((0, 0, 10, 9, CAT, 0.3), (0, 0, 9, 10, CAT, 0.8))])
    assert found.kinds.tolist() == ["duplicate", "right"]


def test_what_is_difficult_does_not_count():
    hard = Detections.of([[0, 0, 10, 10]], [CAT], difficult=[True])
    found = errors([hard], [of((0, 0, 10, 9, CAT, 0.9))])
    assert found.kinds.tolist() == ["difficult"]
    assert len(found.objects) == 0


def test_costs_by_hand():
    """One of two cats found; the other box fits badly: mended, all is right, 1/2 gained."""
    truth = of((0, 0, 10, 10, CAT), (20, 0, 30, 10, CAT))
    gained = costs(errors([truth], [of((0, 0, 10, 10, CAT, 0.9), (20, 0, 30, 4, CAT, 0.8))]), 1)
    assert gained == {"place": 0.5, "class": 0, "both": 0, "duplicate": 0, "background": 0, "missed": 0}
    gained = costs(errors([truth], [of((0, 0, 10, 10, CAT, 0.9))]), 1)
    assert gained == dict.fromkeys(KINDS, 0) | {"missed": 0.5}
    gained = costs(errors([truth], [of((50, 0, 60, 10, CAT, 0.95), (0, 0, 10, 10, CAT, 0.9), (20, 0, 30, 10, CAT, 0.8))]), 1)
    assert gained == dict.fromkeys(KINDS, 0) | {"background": pytest.approx(1 - 2 / 3)}


def test_the_best_are_as_many_as_the_objects():
    many = [(80, 0, 90, 10, CAT, 0.1 * i) for i in range(8)]
    found = errors([TRUTH], [of(*many, (20, 0, 30, 10, DOG, 0.2), (20, 0, 30, 10, DOG, 0.1))])
    assert Counter(found.kinds[found.best(2)]) == {"background": 3, "right": 1}
    assert found.scores[found.best(2)].min() == pytest.approx(0.2)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_the_kinds_are_those_of_the_scores(seed):
    truths, found = scene(seed, pictures=5)
    told = errors(truths, found)
    assert len(told.kinds) == sum(map(len, found))
    assert set(told.kinds) <= {"right", "difficult", *KINDS}
    right = sum(round(curve.recall[-1] * curve.objects) for curve in curves(truths, found, 3) if len(curve.recall))
    assert (told.kinds == "right").sum() == right
    assert all(gain >= -1e-9 for kind, gain in costs(told, 3).items() if kind in ("duplicate", "background", "both", "missed"))


def test_nothing_found_and_nothing_there():
    found = errors([TRUTH, Detections.none()], [Detections.none()] * 2)
    assert found.missed.all()
    assert not len(found.kinds)
    assert costs(found, 2)["missed"] == 1
    assert np.isnan(mean(list(costs(errors([Detections.none()], [Detections.none()]), 2).values())))


TIDE = {  # class, place, both, duplicate, background, missed: counts and costs in points of AP, by tidecv 1.0.1 on the same scenes
    0: ((15, 5, 1, 54, 121, 5), (4.48, 0.26, 0.7, 3.44, 22.21, 3.33)),
    5: ((18, 4, 9, 59, 113, 4), (3.52, 0.72, 2.07, 2.94, 22.54, 2.35)),
}


@pytest.mark.parametrize("seed", TIDE)
def test_counts_and_costs_are_those_of_tide(seed):
    """Costs within 0.3 points: it takes 101 points of the curve, we take all."""
    truths, found = scene(seed, pictures=25, hard=0.0)
    random = np.random.default_rng(seed + 99)
    told = errors(truths, [replace(one, scores=random.random(len(one)).astype(np.float32)) for one in found])
    counts = Counter(told.kinds) | {"missed": int(told.missed.sum())}
    names = ("class", "place", "both", "duplicate", "background", "missed")
    assert tuple(counts[name] for name in names) == TIDE[seed][0]
    assert tuple(100 * costs(told, 3)[name] for name in names) == pytest.approx(TIDE[seed][1], abs=0.3)
