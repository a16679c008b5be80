from pathlib import Path

import numpy as np
import pytest

from mien.faces.extract import extract
from mien.faces.group import cluster, means, people, tracks_of


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
