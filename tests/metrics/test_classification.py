import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.metrics.classification import accuracy, calibration_error, confusion_matrix, per_class, top_k

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
GUESSES = np.array([0, 0, 1, 2, 1, 1, 0, 2, 1, 2])
# By hand: rows are the truth.
MATRIX = [[2, 1, 1], [1, 2, 0], [0, 1, 2]]


def test_matrix_and_accuracy_by_hand() -> None:
    assert confusion_matrix(LABELS, GUESSES, 3).tolist() == MATRIX
    assert accuracy(LABELS, GUESSES) == 0.6


def test_per_class_by_hand() -> None:
    found = per_class(np.array(MATRIX))
    np.testing.assert_allclose(found.precision, [2 / 3, 2 / 4, 2 / 3])
    np.testing.assert_allclose(found.recall, [2 / 4, 2 / 3, 2 / 3])
    np.testing.assert_allclose(found.f1, [4 / 7, 4 / 7, 2 / 3])
    assert found.support.tolist() == [4, 3, 3]


def test_per_class_without_meaning() -> None:
    found = per_class(np.array([[3, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    np.testing.assert_array_equal(found.precision, [0.6, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found.recall, [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found.f1, [0.75, 0, np.nan, np.nan])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_recall_weighted_by_support_is_accuracy(pairs: list[tuple[int, int]]) -> None:
    labels, guesses = np.array(pairs).T
    found = per_class(confusion_matrix(labels, guesses, 5))
    seen = found.support > 0
    assert np.average(found.recall[seen], weights=found.support[seen]) == pytest.approx(accuracy(labels, guesses))


def test_top_k_by_hand() -> None:
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.4, 0.4, 0.2]])
    labels = np.array([0, 1, 2, 1])
    assert [top_k(labels, chances, k) for k in (1, 2, 3)] == [0, 0.5, 1]


@given(st.integers(0, 10_000))
def test_top_one_is_accuracy(seed: int) -> None:
    random = np.random.default_rng(seed)
    chances, labels = random.integers(0, 4, (20, 5)) / 4, random.integers(0, 5, 20)
    assert top_k(labels, chances, 1) == accuracy(labels, chances.argmax(1))


def test_calibration_by_hand() -> None:
    # Two bins, up to 0.5 and above. Low: 0.5 right, 0.4 wrong, |1 - 0.9| / 2 = 0.05 for 2 of 5. High: 0.9 right, 0.8 wrong, 0.6 right.
    confidence, right = [0.5, 0.4, 0.9, 0.8, 0.6], [True, False, True, False, True]
    chances = np.array([[one, (1 - one) / 2, (1 - one) / 2] for one in confidence])
    labels = np.where(right, 0, 1)
    assert calibration_error(labels, chances, bins=2) == pytest.approx(2 / 5 * 0.05 + 3 / 5 * abs(2 / 3 - 2.3 / 3))


def test_calibration_of_one_who_is_always_sure() -> None:
    labels = np.array([0] * 75 + [1] * 25)
    assert calibration_error(labels, np.tile([1.0, 0.0], (100, 1))) == pytest.approx(0.25)
    assert calibration_error(labels, np.tile([0.75, 0.25], (100, 1))) == pytest.approx(0)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="3 classes, but a label from 0 to 3"):
        confusion_matrix(np.array([0, 3]), np.array([0, 1]), 3)
    with pytest.raises(ValueError, match="2 labels and 1 predictions"):
        accuracy(np.array([0, 3]), np.array([0]))
    with pytest.raises(ValueError, match="at least one"):
        calibration_error(np.zeros(0, int), np.zeros((0, 3)))
