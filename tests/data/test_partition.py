from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.partition import load_partition, partition, save_partition

SHARES = st.sampled_from([(0.9, 0.1), (0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.5, 0.5), (0.7, 0.15, 0.15)])


@given(st.lists(st.integers(0, 6), min_size=60, max_size=400), SHARES, st.integers(0, 5))
def test_exact_and_stratified(labels: list[int], shares: tuple[float, ...], seed: int) -> None:
    array = np.array(labels)
    found = partition(array, shares, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(len(array)))
    for share, part in zip(shares, found, strict=True):
        assert abs(len(part) - share * len(array)) < 1 - 1e-9
        for one in set(labels):
            assert abs((array[part] == one).sum() - share * (array == one).sum()) < 1 - 1e-9


def test_sizes_of_a_known_case() -> None:
    train, dev = partition(np.repeat(np.arange(10), 5000), (0.9, 0.1))
    assert (len(train), len(dev)) == (45000, 5000)


def test_the_seed_decides() -> None:
    labels = np.repeat(np.arange(4), 100)
    first, again, other = (partition(labels, (0.8, 0.2), seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert 2 < len(np.intersect1d(first, other)) < 40  # 16 by chance of 80


def test_stored_with_the_run(tmp_path: Path) -> None:
    found = partition(np.arange(100) % 3, (0.7, 0.2, 0.1))
    save_partition(tmp_path / "split.json", found)
    again = load_partition(tmp_path / "split.json", 100)
    assert [part.dtype for part in again] == [np.int64] * 3
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="divides 100 examples, but the data set has 90"):
        load_partition(tmp_path / "split.json", 90)
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(ValueError, match="not a stored partition"):
        load_partition(tmp_path / "split.json", 100)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.2, -0.2), (), (1.0, 0.0)])
def test_bad_shares(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="not positive numbers that sum to 1"):
        partition(np.zeros(10), shares)


def test_shares_that_are_no_short_fractions() -> None:
    train, dev = partition(np.zeros(3000), (1 - 0.123456789, 0.123456789))
    assert (len(train), len(dev)) == (2630, 370)
    third = partition(np.zeros(10), (1 / 3, 1 / 3, 1 / 3))
    assert sorted(map(len, third)) == [3, 3, 4]


def test_a_part_gets_nothing() -> None:
    with pytest.raises(ValueError, match=r"a share of 0.01 of 10 examples is none at all"):
        partition(np.zeros(10), (0.99, 0.01))
    with pytest.raises(ValueError, match="no examples to divide"):
        partition(np.zeros(0), (0.5, 0.5))
