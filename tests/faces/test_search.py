"""The searches on pictures where a glance is enough, and where it is not."""

import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks

from mien.faces import search as searching
from mien.faces.find import find_measured
from mien.faces.search import search

pytestmark = needs_networks


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every call of the long searches: whether it was thorough."""
    calls: list[bool] = []

    def noted(image: np.ndarray, thorough: bool = True) -> list:
        calls.append(thorough)
        return find_measured(image, thorough)

    monkeypatch.setattr(searching, "find_measured", noted)
    return calls


def crowd(width: int, *sides: int) -> np.ndarray:
    """Portraits beside each other, each `sides` pixels wide; a face is about two fifths of that."""
    picture, x = Image.new("RGB", (width, max(sides) + 40), (90, 110, 90)), 20
    for i, side in enumerate(sides):
        head = (grace()[20:220, 30:230], eileen()[0:200, 30:230])[i % 2]
        picture.paste(Image.fromarray(head).resize((side, side)), (x, 20))
        x += side + 20
    return np.asarray(picture)


@pytest.mark.parametrize("how", ["largest", "everybody"])
def test_one_plain_face_takes_a_glance_and_is_where_the_thorough_search_has_it(how: searching.Search, asked: list[bool]) -> None:
    image = np.asarray(Image.fromarray(grace()).resize((216, 253)))
    (face,) = search(image, how)
    assert asked == []
    truth = find_measured(image)[0].face
    assert np.abs(face.face.landmarks - truth.landmarks).mean() < 0.02 * truth.size


@pytest.mark.parametrize("how", ["largest", "everybody"])
def test_what_a_glance_does_not_see_is_searched_for(how: searching.Search, asked: list[bool]) -> None:
    over = np.asarray(Image.fromarray(grace()).resize((216, 253)).rotate(180))
    assert len(search(over, how)) == 1
    assert search(np.zeros((100, 120, 3), np.uint8), how) == []
    assert asked == [True, True]


def test_small_faces_beside_a_large_one_are_found_where_everybody_is_wanted(asked: list[bool]) -> None:
    image = crowd(1000, 600, 60, 60, 60)
    assert len(search(image, "largest")) < 4
    assert asked == []
    assert len(search(image, "everybody")) == 4
    assert asked == [True]
    assert len(search(image, "quick")) < 4


def test_a_small_face_alone_is_not_taken_for_the_largest_at_a_glance(asked: list[bool]) -> None:
    image = crowd(1000, 260)
    assert len(search(image, "largest")) == 1
    assert asked == [True]


def test_no_face_of_a_picture_is_lost_and_vectors_stay(data_dir) -> None:
    for path in sorted((data_dir / "faces" / "lfw100").glob("*/*_0001.jpg"))[::2]:
        image = np.asarray(Image.open(path).convert("RGB"))
        thorough = find_measured(image)
        assert len(search(image, "everybody")) == len(thorough), path.name
        (near, *_), far = search(image, "largest"), thorough[0]
        assert np.abs(near.face.landmarks - far.face.landmarks).mean() < 0.03 * far.face.size, path.name
