import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.metrics.calibration import Calibration, calibrate, lowest_rate, platt, supported, threshold_for
from mien.metrics.verification import Pairs, all_pairs


def people(count: int = 24, each: int = 4, spread: float = 0.35, seed: int = 0) -> Pairs:
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), each)
    return all_pairs(random.normal(size=(count, 16))[who] + spread * random.normal(size=(count * each, 16)), who)


def test_curve_of_known_odds() -> None:
    """Distances drawn by P(same | d) = 1 / (1 + exp(6 (d - 0.55))) give its slope and centre back."""
    distances = np.repeat(np.linspace(0, 1.1, 2001), 200)
    chance = 1 / (1 + np.exp(6 * (distances - 0.55)))
    same = (np.arange(len(distances)) % 200 + 0.5) / 200 < chance
    slope, centre = platt(distances, same)
    assert slope == pytest.approx(6, rel=0.01)
    assert centre == pytest.approx(0.55, abs=0.002)


def test_the_prior_is_one_to_one() -> None:
    """A hundred times as many different pairs must not move the curve."""
    own, other = np.linspace(0.2, 0.7, 50), np.linspace(0.5, 1.0, 50)
    few = platt(np.concatenate([own, other]), np.arange(100) < 50)
    many = platt(np.concatenate([own, np.tile(other, 100)]), np.arange(50 + 5000) < 50)
    assert few[1] == pytest.approx(0.6, abs=0.002)
    assert many[1] == pytest.approx(0.6, abs=0.01)


def test_separate_kinds_stay_finite() -> None:
    slope, centre = platt(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert 0 < slope < 1000
    assert centre == pytest.approx(0.5, abs=1e-6)


def test_distances_that_tell_nothing() -> None:
    with pytest.raises(ValueError, match="do not tell people apart"):
        platt(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False]))


def test_threshold_by_hand() -> None:
    distances = np.array([0.1, 0.2, 0.45, 0.3, 0.5, 0.7, 0.8, 0.9])
    same = np.array([True, True, True, False, False, False, False, False])
    # none allowed: between 0.2 (same) and 0.3 (different); one of five: 0.3 is let in for 0.45, up to 0.5
    assert threshold_for(distances, same, 0.1) == pytest.approx(0.25)
    assert threshold_for(distances, same, 0.2) == pytest.approx(0.475)
    # more would gain no same-person pair, so none is let in for nothing
    assert threshold_for(distances, same, 0.6) == pytest.approx(0.475)


def test_threshold_between_kinds_that_do_not_overlap() -> None:
    distances, same = np.array([0.2, 0.4, 0.8, 0.9]), np.array([True, True, False, False])
    for rate in (0.01, 0.5, 0.99):
        assert threshold_for(distances, same, rate) == pytest.approx(0.6)


def test_nobody_would_be_accepted() -> None:
    with pytest.raises(ValueError, match="no two pictures of one person would be accepted"):
        threshold_for(np.array([0.3, 0.1, 0.9]), np.array([True, False, False]), 0.01)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=4, max_size=60), st.sampled_from([0.001, 0.05, 0.2, 0.5]))
def test_never_more_false_matches_than_asked(found: list[tuple[int, bool]], rate: float) -> None:
    distances, same = np.array([d for d, _ in found], float), np.array([s for _, s in found])
    if same.all() or not same.any():
        return
    try:
        threshold = threshold_for(distances, same, rate)
    except ValueError:
        assert (distances[~same] <= distances[same].min()).mean() > rate
        return
    assert (distances[~same] <= threshold).mean() <= rate
    assert not (distances[~same] == threshold).any()
    # and no other threshold within the rate accepts more of one person
    best = max((distances[same] <= t).sum() for t in np.arange(-1, 42) + 0.5 if (distances[~same] <= t).mean() <= rate)
    assert (distances[same] <= threshold).sum() == best


def test_what_the_pairs_cannot_support() -> None:
    supported(1e-3, 3000)
    with pytest.raises(ValueError, match=r"rate of 0.0001 needs at least 30,000 pairs .* found 4,500: ask for 0.0007 or"):
        supported(1e-4, 4500)
    with pytest.raises(ValueError, match="too few for any"):
        supported(0.5, 2)
    with pytest.raises(ValueError, match="expected one between 0 and 1"):
        supported(1.0, 10)
    assert [lowest_rate(n) for n in (10, 300, 4500, 300_000)] == [None, 1e-2, 1e-3, 1e-5]


def test_calibration_of_people() -> None:
    pairs = people()
    found = calibrate(pairs, 0.01, "abc", times=50)
    assert (found.same_pairs, found.different_pairs, found.people, found.space) == (144, 4416, 24, "abc")
    assert found.false_match.value <= 0.01
    assert found.false_match.low <= found.false_match.value <= found.false_match.high
    assert found.true_match.value > 0.95
    assert found.held_out_true_match is not None
    assert found.held_out_true_match.total == 144
    assert found.same(found.threshold)
    assert not found.same(found.threshold + 1e-9)


def test_probability_falls_with_distance_and_never_claims_more_than_the_pairs() -> None:
    found = calibrate(people(), 0.01, times=10)
    chances = found.probability(np.linspace(0, 100, 500))
    assert np.all(np.diff(chances) <= 0)
    assert chances[0] == pytest.approx(1 - 1 / 146)
    assert chances[-1] == pytest.approx(1 / 4418)
    assert found.probability(found.centre) == pytest.approx(0.5)
    assert isinstance(found.probability(0.3), float)


def test_few_people_have_no_held_out_figures() -> None:
    assert calibrate(people(6, 6), 0.01, times=10).held_out_false_match is None


def test_json_and_back() -> None:
    for pairs in (people(), people(6, 6)):
        found = calibrate(pairs, 0.01, "abc", times=10)
        assert Calibration.from_json(found.to_json()) == found


def test_json_of_something_else() -> None:
    good = json.loads(calibrate(people(), 0.01, times=10).to_json())
    for text in ("", "[]", "{}", json.dumps({**good, "form": 2}), json.dumps({k: v for k, v in good.items() if k != "slope"}),
                 json.dumps({**good, "slope": -1.0})):  # fmt: skip
        with pytest.raises(ValueError, match=r"my\.json .*calibrate again"):
            Calibration.from_json(text, "my.json")


def test_a_kind_of_pair_is_missing() -> None:
    with pytest.raises(ValueError, match="no two pictures show the same person"):
        calibrate(all_pairs(np.eye(4), np.arange(4)), 0.1)
    with pytest.raises(ValueError, match="all pairs are of the same person"):
        calibrate(all_pairs(np.eye(4), np.zeros(4)), 0.1)
