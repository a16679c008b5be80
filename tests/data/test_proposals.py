"""Proposals are searched for once."""

from pathlib import Path

import numpy as np
import pytest

from mien.data import proposals
from mien.data.proposals import KeptSearch


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[int, ...]]:
    """The shapes of pictures that were searched."""
    seen: list[tuple[int, ...]] = []

    def search(image: np.ndarray) -> np.ndarray:
        seen.append(image.shape)
        return np.array([[0, 0, *image.shape[1::-1]]], np.float32)

    monkeypatch.setattr(proposals, "selective_search", search)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return seen


def test_a_picture_is_searched_once(searched: list[tuple[int, ...]], tmp_path: Path) -> None:
    image = np.zeros((130, 140, 3), np.uint8)
    first, again = KeptSearch(), KeptSearch()
    assert first(image).tolist() == again(image).tolist() == [[0, 0, 140, 130]]
    assert (first.at_hand, again.at_hand, len(searched)) == (0, 1, 1)
    again(image + 1)
    assert len(searched) == 2
    next((tmp_path / "mien" / "proposals").glob("*.npy")).write_bytes(b"torn")
    for other in (image, image + 1):
        assert again(other).tolist() == [[0, 0, 140, 130]]
    assert len(searched) == 3


def test_small_pictures_are_not_worth_a_file(searched: list[tuple[int, ...]], tmp_path: Path) -> None:
    search = KeptSearch()
    for _ in range(2):
        search(np.zeros((20, 30, 3), np.uint8))
    assert len(searched) == 2
    assert not [*tmp_path.rglob("*.npy")]


def test_a_folder_that_cannot_be_written(searched: list[tuple[int, ...]], tmp_path: Path) -> None:
    (tmp_path / "mien").write_text("a file where the folder should be")
    assert KeptSearch()(np.zeros((130, 140, 3), np.uint8)).tolist() == [[0, 0, 140, 130]]
