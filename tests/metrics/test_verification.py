from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mien.metrics.intervals import bootstrap, clopper_pearson, draws, shares, wilson
from mien.metrics.verification import (
    Pairs,
    accuracy_at,
    all_pairs,
    auc,
    best_threshold,
    eer,
    folds,
    measured_auc_eer,
    pair_places,
    pair_weights,
    roc,
    tar_at,
    tar_table,
)

PHI = NormalDist().cdf
# Same: 0.1 0.2 0.3 0.6; different: 0.3 0.5 0.7 0.9 1.0
DISTANCES = np.array([0.1, 0.2, 0.3, 0.6, 0.3, 0.5, 0.7, 0.9, 1.0])
SAME = np.array([True] * 4 + [False] * 5)
scored = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(lambda x: len({s for _, s in x}) == 2)


def gaussians(apart: float, count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles instead of random numbers: no luck involved."""
    grid = stats.norm.ppf((np.arange(count) + 0.5) / count)
    return np.concatenate([grid, grid + apart]), np.arange(2 * count) < count


def test_curve_by_hand() -> None:
    curve = roc(DISTANCES, SAME)
    assert curve.thresholds.tolist() == [-np.inf, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0]
    np.testing.assert_allclose(curve.tar, [0, 0.25, 0.5, 0.75, 0.75, 1, 1, 1, 1])
    np.testing.assert_allclose(curve.far, [0, 0, 0, 0.2, 0.4, 0.4, 0.6, 0.8, 1])


def test_auc_by_hand() -> None:
    # of 20 pairs of pairs: 0.1 and 0.2 beat five each, 0.3 four and ties once, 0.6 three
    assert auc(roc(DISTANCES, SAME)) == pytest.approx((5 + 5 + 4.5 + 3) / 20)


def test_eer_by_hand() -> None:
    # from (0.2, 0.75) to (0.4, 0.75): false accepts reach the 0.25 false rejects
    assert eer(roc(DISTANCES, SAME)) == pytest.approx(0.25)


@pytest.mark.parametrize("apart", [0.5, 2.0, 4.0])
def test_two_gaussians_have_the_closed_form(apart: float) -> None:
    curve = roc(*gaussians(apart))
    assert auc(curve) == pytest.approx(PHI(apart / 2**0.5), abs=1e-4)
    assert eer(curve) == pytest.approx(PHI(-apart / 2), abs=1e-4)
    assert tar_at(curve, 0.01)[0] == pytest.approx(PHI(NormalDist().inv_cdf(0.01) + apart), abs=1e-3)


@given(scored)
def test_area_is_the_mann_whitney_statistic(found: list[tuple[int, bool]]) -> None:
    distances, same = np.array([d for d, _ in found], float), np.array([s for _, s in found])
    u = stats.mannwhitneyu(distances[~same], distances[same]).statistic
    assert auc(roc(distances, same)) == pytest.approx(u / (same.sum() * (~same).sum()))


@given(scored)
def test_any_rising_scale_gives_the_same_curve(found: list[tuple[int, bool]]) -> None:
    distances, same = np.array([d for d, _ in found], float), np.array([s for _, s in found])
    one, other = roc(distances, same), roc(np.exp(distances) * 7, same)
    np.testing.assert_array_equal(one.tar, other.tar)
    np.testing.assert_array_equal(one.far, other.far)
    assert 0 <= eer(one) <= 1
    assert np.all(np.diff(one.tar) >= 0)


@given(scored, st.data())
def test_weights_are_repetitions(found: list[tuple[int, bool]], data: st.DataObject) -> None:
    distances, same = np.array([d for d, _ in found], float), np.array([s for _, s in found])
    often = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(found), max_size=len(found))))
    weighted, repeated = roc(distances, same, often), roc(np.repeat(distances, often), np.repeat(same, often))
    assert auc(weighted) == pytest.approx(auc(repeated))
    assert eer(weighted) == pytest.approx(eer(repeated))


def test_tar_at_far_does_not_interpolate() -> None:
    curve = roc(DISTANCES, SAME)
    assert tar_at(curve, 0.0) == (0.5, 0.2)
    assert tar_at(curve, 0.19) == (0.5, 0.2)
    assert tar_at(curve, 0.2) == (0.75, 0.3)
    assert tar_at(curve, 0.4) == (1.0, 0.6)


def test_a_kind_of_pair_is_missing() -> None:
    with pytest.raises(ValueError, match="no different-person pairs among 3"):
        roc(np.arange(3.0), np.ones(3, bool))
    with pytest.raises(ValueError, match="no same-person pairs among 3"):
        roc(np.arange(3.0), np.zeros(3, bool))


def test_accuracy_and_its_threshold_by_hand() -> None:
    assert accuracy_at(DISTANCES, SAME, 0.25) == pytest.approx(7 / 9)
    assert accuracy_at(DISTANCES, SAME, 0.25, balanced=True) == pytest.approx((0.5 + 1) / 2)
    # seven right in all of 0.2..0.3, 0.3..0.5 and 0.6..0.7: the widest is 0.3..0.5
    assert best_threshold(DISTANCES, SAME) == pytest.approx(0.4)
    # both kinds alike: (0.6 + 1) / 2 above 0.6 is best
    assert best_threshold(DISTANCES, SAME, balanced=True) == pytest.approx(0.65)


def test_threshold_lies_in_the_gap_of_separate_kinds() -> None:
    assert best_threshold(np.array([0.2, 0.4, 0.8, 0.9]), np.array([True, True, False, False])) == pytest.approx(0.6)


@given(scored)
def test_no_threshold_is_better(found: list[tuple[int, bool]]) -> None:
    distances, same = np.array([d for d, _ in found], float), np.array([s for _, s in found])
    chosen = accuracy_at(distances, same, best_threshold(distances, same))
    assert chosen == pytest.approx(max(accuracy_at(distances, same, t) for t in np.arange(-1, 10) + 0.5))


def test_folds_by_hand() -> None:
    # fold 0 separates at 0.5, fold 1 at 0.7: each is judged by the other's middle
    distances = np.array([0.4, 0.6, 0.5, 0.9])
    found = folds(distances, np.array([True, False, True, False]), np.array([0, 0, 1, 1]))
    assert found.thresholds == pytest.approx((0.7, 0.5))
    assert found.accuracies == (0.5, 1.0)
    assert found.mean == 0.75
    assert found.standard_error == pytest.approx(0.25)
    with pytest.raises(ValueError, match="one fold"):
        folds(distances, np.array([True, False, True, False]), np.zeros(4))


def test_all_pairs_by_hand() -> None:
    pairs = all_pairs(np.array([[0, 0], [3, 4], [0, 1]], np.float32), np.array(["b", "b", "a"]))
    np.testing.assert_allclose(pairs.distances, [5, 1, np.sqrt(18)])
    assert pairs.same.tolist() == [True, False, False]
    assert pairs.people == 2


@pytest.mark.parametrize("most", [10, 100, 1500])
def test_a_choice_of_pairs_keeps_all_of_one_person(most: int) -> None:
    people = np.arange(60) % 20
    rows, columns = pair_places(people, most)
    same = people[rows] == people[columns]
    assert same.sum() == 60
    assert min(most, 1710) * 0.9 <= (~same).sum() <= most
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)
    assert (rows < columns).all()


def test_a_vector_that_is_no_number() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        all_pairs(np.array([[0.0], [np.nan]]), np.array(["a", "b"]))


@given(st.integers(0, 60), st.integers(1, 60))
def test_intervals_agree_with_scipy(count: int, more: int) -> None:
    total = count + more - 1 if count else more
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        found, expected = ours(count, total), stats.binomtest(count, total).proportion_ci(0.95, method)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_exact_interval_of_large_numbers() -> None:
    assert clopper_pearson(0, 300_000).high == pytest.approx(1 - 0.025 ** (1 / 300_000), rel=1e-6)
    expected = stats.binomtest(1234, 5_000_000).proportion_ci(0.95, "exact")
    found = clopper_pearson(1234, 5_000_000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


def test_no_case_is_no_rate() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert np.isnan(clopper_pearson(0, 0).value)


def test_draws_weigh_pairs_by_people() -> None:
    pairs = Pairs(np.zeros(3), np.array([0, 0, 1]), np.array([0, 1, 2]), 3)
    assert pair_weights(pairs, np.array([3, 2, 0])).tolist() == [3, 6, 0]
    assert all(one.sum() == 7 for one in draws(7, 5))


def test_bootstrap_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=200)
    found = bootstrap(values.mean(), lambda drawn: float(drawn @ values / drawn.sum()), 200, times=2000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 200**0.5, rel=0.06)


def test_pairs_of_one_person_are_not_independent() -> None:
    """All pictures of a person right or wrong together: the interval must be that of the people."""
    people = np.repeat(np.arange(20), 50)
    right = (people < 10).astype(float)
    found, naive = shares(right, people), wilson(500, 1000)
    assert found.value == 0.5
    assert found.high - found.low > 4 * (naive.high - naive.low)


def test_measured_figures_hold_the_truth() -> None:
    random = np.random.default_rng(1)
    people = np.repeat(np.arange(30), 4)
    vectors = random.normal(size=(30, 8))[people] + 0.8 * random.normal(size=(120, 8))
    pairs = all_pairs(vectors, people)
    area, error = measured_auc_eer(pairs, times=100)
    assert area.low < area.value < area.high
    assert error.low < error.value < error.high
    line, other = tar_table(pairs, (0.1, 1e-4), times=50)
    assert line.far <= 0.1
    assert line.tar.low < line.tar.value < line.tar.high
    assert line.supported
    assert not other.supported
