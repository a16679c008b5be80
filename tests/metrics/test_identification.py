from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.metrics.identification import Probes, cmc, identified_at, leave_one_out, n_way, open_set, search

# On a line: ann at 0 and 1, bob at 4, cat at 10
GALLERY, WHO = np.array([[0.0], [1.0], [4.0], [10.0]]), np.array(["ann", "ann", "bob", "cat"])


def test_search_by_hand() -> None:
    probes = np.array([[2.0], [2.6], [9.0], [5.0], [7.5]])
    found = search(probes, np.array(["ann", "ann", "cat", "dan", "ann"]), GALLERY, WHO, block=2)
    # 2.6 is nearer to bob (1.4 against 1.6); dan is a stranger; 7.5 lies by cat (2.5), bob (3.5), then ann (6.5)
    assert found.rank.tolist() == [1, 2, 1, 0, 3]
    np.testing.assert_allclose(found.nearest, [1, 1.4, 1, 1, 2.5])
    assert found.known.tolist() == [True, True, True, False, True]
    np.testing.assert_allclose(cmc(found.rank, 4), [0.5, 0.75, 1, 1])


def test_vectors_that_are_all_alike_find_nobody() -> None:
    same = np.full((6, 128), 0.3)
    assert search(same[:3], np.arange(3), same[:3], np.arange(3)).rank.tolist() == [3, 3, 3]
    assert leave_one_out(same, np.repeat(np.arange(3), 2)).rank.tolist() == [3] * 6
    assert n_way(same, np.repeat(np.arange(3), 2), 2)[0].max() == 0


def test_leave_one_out_by_hand() -> None:
    vectors, who = np.array([[0.0], [1.0], [1.4], [5.0], [9.0]]), np.array(["a", "a", "b", "b", "c"])
    found = leave_one_out(vectors, who, block=2)
    assert found.people.tolist() == ["a", "a", "b", "b"]
    # 0 finds 1; 1 finds 1.4 of b first; 1.4 finds 1 of a first; 5 finds 1.4 (3.6) before 9 (4) and 1 (4)
    assert found.rank.tolist() == [1, 2, 2, 1]


def test_open_set_by_hand() -> None:
    found = Probes(np.array([1, 1, 2, 0, 0]), np.array([0.2, 0.6, 0.4, 0.5, 0.8]), np.arange(5))
    curve = open_set(found)
    assert curve.thresholds.tolist() == [-np.inf, 0.2, 0.4, 0.5, 0.6, 0.8]
    np.testing.assert_allclose(curve.false_alarm, [0, 0, 0, 0.5, 0.5, 1])
    np.testing.assert_allclose(curve.identified, [0, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    np.testing.assert_allclose(curve.misnamed, [0, 0, 1 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert identified_at(curve, 0) == (pytest.approx(1 / 3), 0.4)
    assert identified_at(curve, 0.5) == (pytest.approx(2 / 3), 0.6)
    with pytest.raises(ValueError, match="3 probes of known people and 0 of strangers"):
        open_set(Probes(np.ones(3, int), np.ones(3), np.arange(3)))


@pytest.mark.parametrize("ways", [2, 3, 4])
def test_one_shot_equals_every_choice(ways: int) -> None:
    random = np.random.default_rng(ways)
    who = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    vectors = random.normal(size=(4, 2))[who] + random.normal(size=(8, 2))
    chances, people = n_way(vectors, who, ways, block=3)
    expected = []
    for asked, kept in product(range(8), range(8)):
        if asked == kept or who[asked] != who[kept]:
            continue
        own, wins = np.linalg.norm(vectors[asked] - vectors[kept]), []
        for others in combinations([p for p in range(4) if p != who[asked]], ways - 1):
            choices = list(product(*(np.flatnonzero(who == p) for p in others)))
            wins.append(np.mean([all(np.linalg.norm(vectors[asked] - vectors[o]) > own for o in one) for one in choices]))
        expected.append(np.mean(wins))
    np.testing.assert_allclose(chances, expected)
    assert people.tolist() == [0] * 6 + [1] * 2 + [3] * 2


@given(st.integers(0, 1000))
def test_more_ways_are_never_easier(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors, who = random.normal(size=(12, 3)), np.repeat(np.arange(6), 2)
    shares = [n_way(vectors, who, ways)[0].mean() for ways in range(2, 7)]
    assert all(a >= b - 1e-12 for a, b in pairwise(shares))


def test_too_few_people() -> None:
    with pytest.raises(ValueError, match="found 5 ways and 4 people"):
        n_way(np.zeros((8, 2)), np.repeat(np.arange(4), 2), 5)
    with pytest.raises(ValueError, match="nobody is enrolled"):
        search(np.zeros((1, 2)), np.zeros(1), np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(ValueError, match="no probe shows an enrolled person"):
        cmc(np.zeros(3, int), 2)
