import pytest

from mien.metrics.localisation import localised
from mien.types import Detections


def one(*rows):
    return Detections.of([row[:4] for row in rows], [row[4] for row in rows], [row[5] if len(row) > 5 else 1 for row in rows])


TRUTH = one((0, 0, 10, 10, 1))


def test_by_hand():
    """Right; another class; too far off (IoU 1/3); nothing; and the surest of two counts."""
    found = [one((0, 0, 10, 8, 1)), one((0, 0, 10, 8, 0)), one((5, 0, 15, 10, 1)), Detections.none(),
             one((50, 50, 60, 60, 0, 0.3), (0, 0, 10, 10, 1, 0.4))]  # fmt: skip
    scores = localised([TRUTH] * 5, found)
    assert (scores.right, scores.classified, scores.placed, scores.pictures) == (2 / 5, 3 / 5, 3 / 5, 5)
    assert scores.overlap == pytest.approx((0.8 + 0.8 + 1 / 3 + 0 + 1) / 5)


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="2 true objects"):
        localised([one((0, 0, 1, 1, 0), (0, 0, 2, 2, 0))], [TRUTH])
    with pytest.raises(ValueError, match="at least one"):
        localised([], [])
