"""Figures of an inspector, by hand and against plain definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.tasks.inspect.measuring import Answers, average_precision, believed, detected, over, step, temperature, threshold_for


def answers(label: list[int], suspicion: list[float], person: list[str] | None = None) -> Answers:
    """Logits 0 for original, `suspicion` for reshaped, -9 for swapped."""
    score = np.array(suspicion, float)
    logits = np.stack([0 * score, score, 0 * score - 9], 1)
    who = np.array(person or [str(i) for i in range(len(label))])
    return Answers(np.array(label), logits, who, np.full(len(label), 0.5), np.arange(len(label), dtype=float))


def test_average_precision_by_hand() -> None:
    """Order + - + -: at half recall precision 1, at full recall 1 to 1/2 of weight: 2/3."""
    positive, score = np.array([True, False, True, False]), np.array([4.0, 3, 2, 1])
    assert average_precision(positive, score) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(positive, np.ones(4)) == pytest.approx(0.5), "scores that say nothing"
    assert average_precision(positive, score, np.array([1.0, 0, 1, 2])) == pytest.approx(1)
    assert math.isnan(average_precision(np.array([True, True]), np.ones(2)))


@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.integers(0, 99))
def test_average_precision_does_not_depend_on_how_many_originals_there_are(scores: list[int], seed: int) -> None:
    positive = np.random.default_rng(seed).random(len(scores)) < 0.5
    positive[:2] = True, False
    score = np.array(scores, float)
    doubled = np.concatenate([positive, positive[~positive]]), np.concatenate([score, score[~positive]])
    assert average_precision(*doubled) == pytest.approx(average_precision(positive, score))


def test_the_threshold_lets_at_most_the_share_through() -> None:
    scores = np.arange(200.0)
    threshold = threshold_for(scores)
    assert (scores > threshold).sum() == 2
    assert threshold_for(scores[:50]) == 49, "of fifty none may lie above"


def test_detection_by_hand() -> None:
    """Of 100 originals one is suspicious; of 4 fakes three lie above it, and swapped faces do not count."""
    found = detected(answers([0] * 100 + [1] * 4 + [2], [-1.0] * 99 + [2.0] + [3, 3, 3, -2] + [5]), times=20)
    assert found.recall.value == 0.75
    assert found.alarm.value <= 0.01
    assert found.accuracy.value == pytest.approx((99 + 3) / 104)
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high
    assert (found.originals, found.fakes) == (100, 4)
    with pytest.raises(ValueError, match="found 2 reshaped faces and 0 originals"):
        detected(answers([1, 1], [0, 0]))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(true: float) -> None:
    """Labels drawn from softmax(z); a network that says true * z has to be divided by it."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (6000, 3))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    label = (random.random(6000)[:, None] > chances.cumsum(1)).sum(1)
    told = Answers(label, logits * true, label.astype(str), logits[:, 0], logits[:, 0])
    assert temperature(told) == pytest.approx(true, rel=0.06)
    error, points = believed(told, true)
    assert error < 0.02
    assert all(rate.low - 0.05 <= sure <= rate.high + 0.05 for sure, rate in points if rate.total > 200)
    assert believed(told, true / 4)[0] > 0.1


def test_curves_leave_out_what_is_empty_and_average_the_field() -> None:
    told = answers([1, 1, 1, 0], [1, -1, 1, -1])
    strength = np.array([1.0, 1.5, 5.0, 1.0])
    curve = list(over(told, strength, np.array([0.0, 2, 4, 6])))
    assert [(point.at, point.accuracy.value, point.accuracy.total) for point in curve] == [(1, 0.5, 2), (5, 1, 1)]
    assert curve[0].error == 0.5
    assert curve[0].still == 0.5
    assert step(told).accuracy.value == 0.75
