from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.faces.extract import extract
from mien.faces.group import cluster, joined, means, neighbours, people, tracks_of


def test_tracks_are_numbered_by_appearance() -> None:
    assert tracks_of(["b", "a", "b", "b"], [0, 0, 0, 1]).tolist() == [0, 1, 0, 2]


def test_means() -> None:
    vectors = np.array([[1.0, 0], [3, 0], [0, 5]])
    assert means(vectors, np.array([1, 1, 0])).tolist() == [[0, 5], [2, 0]]


def test_average_linkage_against_scipy() -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    distance = pytest.importorskip("scipy.spatial.distance")
    rng = np.random.default_rng(1)
    vectors = (rng.normal(size=(40, 8)).repeat(5, 0) + 0.7 * rng.normal(size=(200, 8))).astype(np.float32)
    # reciprocal nearest neighbours give the tree of UPGMA exactly (Murtagh 1983)
    tree = hierarchy.linkage(distance.pdist(vectors.astype(float), "sqeuclidean"), "average")
    expected = hierarchy.fcluster(tree, 2.0**2, "distance")
    found = cluster(vectors, 2.0)
    np.testing.assert_array_equal(found[:, None] == found, expected[:, None] == expected)
    assert 5 < found.max() < 150


def test_people_are_numbered_by_their_faces() -> None:
    here, there = np.zeros(128), np.full(128, 1.0)
    vectors = np.stack([here, there, there, there, here])
    assert people(vectors, np.arange(5)).tolist() == [1, 0, 0, 0, 1]
    assert people(np.zeros((0, 128)), np.zeros(0, int)).tolist() == []
    # a track stays together whatever its faces look like
    assert len(set(people(vectors, np.array([0, 0, 1, 1, 1])))) == 2


def test_five_people_are_told_apart(data_dir: Path, tmp_path: Path) -> None:
    folders = sorted((data_dir / "faces" / "johns").iterdir())
    photos = [photo for folder in folders for photo in sorted(folder.glob("*.jpg"))[:4]]
    faces = extract(photos, tmp_path, size=64, largest=True)
    person = dict(zip([Path(source).parent.name for source in faces.column("source")], faces.column("person"), strict=True))
    assert len(faces) == 4 * len(folders)
    assert sorted(person.values()) == list(range(len(folders)))
    assert [person[Path(source).parent.name] for source in faces.column("source")] == faces.column("person")


def merged_one_by_one(vectors: np.ndarray, threshold: float, same: list, different: list) -> list[frozenset[int]]:
    """Average linkage as the textbook has it: every pair of members compared, the nearest allowed pair of groups merged."""
    groups = [{i} for i in range(len(vectors))]
    for a, b in same:
        one, two = (next(group for group in groups if i in group) for i in (a, b))
        if one is not two:
            groups.remove(two)
            one |= two
    squared = ((vectors[:, None].astype(float) - vectors[None]) ** 2).sum(2)
    barred = {frozenset(pair) for pair in different}
    while True:
        near = [
            (np.mean([squared[i, j] for i in one for j in two]), x, y)
            for x, one in enumerate(groups)
            for y, two in enumerate(groups[:x])
            if not any(frozenset((i, j)) in barred for i in one for j in two)
        ]
        if not near or min(near)[0] >= threshold**2:
            return sorted(map(frozenset, groups), key=min)
        _, x, y = min(near)
        groups[y] |= groups.pop(x)


def members(label: np.ndarray) -> list[frozenset[int]]:
    return sorted((frozenset(np.flatnonzero(label == one).tolist()) for one in set(label.tolist())), key=min)


@st.composite
def linked(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[int, int]], list[tuple[int, int]]]:
    """Vectors around a few people, and links that do not contradict each other."""
    rng, count = np.random.default_rng(draw(st.integers(0, 10**6))), draw(st.integers(2, 14))
    vectors = (2 * rng.normal(size=(4, 5))[rng.integers(0, 4, count)] + rng.normal(size=(count, 5))).astype(np.float32)
    pairs = st.lists(st.tuples(*[st.integers(0, count - 1)] * 2).filter(lambda pair: pair[0] != pair[1]), max_size=6)
    same = draw(pairs)
    label = joined(count, same)
    return vectors, same, [(a, b) for a, b in draw(pairs) if label[a] != label[b]]


@settings(max_examples=50)
@given(linked(), st.floats(0.5, 8))
def test_links_against_merging_one_by_one(case: tuple, threshold: float) -> None:
    vectors, same, different = case
    assert members(cluster(vectors, threshold, same, different)) == merged_one_by_one(vectors, threshold, same, different)


@settings(max_examples=50)
@given(linked(), st.floats(0.5, 20), st.randoms(use_true_random=False))
def test_links_are_honoured_in_any_order(case: tuple, threshold: float, random: Random) -> None:
    vectors, same, different = case
    label = cluster(vectors, threshold, same, different)
    assert all(label[a] == label[b] for a, b in same)
    assert all(label[a] != label[b] for a, b in different)
    assert sorted(set(label.tolist())) == list(range(label.max() + 1))
    order = random.sample(range(len(vectors)), len(vectors))
    place = np.argsort(order)
    moved = cluster(vectors[order], threshold, [(place[b], place[a]) for a, b in same], [(place[b], place[a]) for a, b in different])
    assert members(moved[place]) == members(label)


def test_links_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, 6)).astype(np.float32)
    same, different = [(0, 59), (7, 30)], [(1, 58), (25, 26), (2, 41)]
    whole = cluster(vectors, 2.5, same, different)
    monkeypatch.setattr("mien.faces.group.BLOCK", 7)
    assert members(cluster(vectors, 2.5, same, different)) == members(whole)


def test_a_ring_of_nearest_neighbours_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    # by rounding, each of three copies may take another one for its nearest
    def ring(centre: np.ndarray, *_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (np.arange(len(centre)) + 1) % len(centre), np.full(len(centre), 1e-9, np.float32)

    monkeypatch.setattr("mien.faces.group._nearest", ring)
    assert cluster(np.zeros((3, 4))).tolist() == [0, 0, 0]


def test_contradictory_links_name_the_vectors() -> None:
    vectors = np.eye(5)
    with pytest.raises(ValueError, match=r"0 and 3 are said to be different, and the same \(0 = 2 = 3\)"):
        cluster(vectors, 1.0, [(0, 2), (3, 2)], [(1, 4), (0, 3)])
    with pytest.raises(ValueError, match=r"bo and ed are said to be different, and the same \(bo = ed\)"):
        cluster(vectors, 1.0, [(1, 4)], [(1, 4)], ["al", "bo", "cy", "di", "ed"])
    with pytest.raises(ValueError, match="2 and 2 are said to be different"):
        cluster(vectors, 1.0, [], [(2, 2)])


def test_neighbours_against_every_pair() -> None:
    rng = np.random.default_rng(2)
    vectors, label = rng.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 6
    squared = ((vectors[:, None].astype(float) - vectors[None]) ** 2).sum(2)
    apart = np.sqrt([[squared[np.ix_(label == a, label == b)].mean() for b in range(6)] for a in range(6)])
    np.fill_diagonal(apart, np.inf)
    nearest = {(min(a, b), max(a, b)) for a, b in enumerate(apart.argmin(1).tolist())}
    found = neighbours(vectors, label)
    assert {(a, b) for a, b, _ in found} == nearest
    assert [value for *_, value in found] == pytest.approx(sorted(apart[pair] for pair in nearest), rel=1e-5)
    a, b, _ = found[0]
    parted = neighbours(vectors, label, [(int(np.flatnonzero(label == a)[0]), int(np.flatnonzero(label == b)[0]))])
    assert (a, b) not in {(one, other) for one, other, _ in parted}
    assert neighbours(vectors[:1], np.zeros(1, int)) == []
