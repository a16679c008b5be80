"""Finding: portraits turned, shrunk, grey, in a crowd; and pictures without a face."""

import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks
from skimage import data

from mien.faces.find import LARGEST, apart, find, find_measured, measured, tiles
from mien.faces.mesh import IBUG, pose

pytestmark = needs_networks


def test_a_portrait_has_one_face_where_it_is() -> None:
    (face,) = find(grace())
    x1, y1, x2, y2 = face.box
    assert (x1, y1, x2, y2) == pytest.approx((81, 83, 180, 169), abs=6)
    assert face.landmarks.shape == (68, 2)
    assert face.score > 0.9


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (1, 500), (120, 160)])
@pytest.mark.parametrize("thorough", [True, False])
def test_an_empty_picture_has_none(shape: tuple[int, int], thorough: bool) -> None:
    assert find(np.zeros((*shape, 3), np.uint8), thorough) == []


@pytest.mark.parametrize("picture", [data.coffee, data.rocket])
def test_things_are_no_faces(picture) -> None:
    assert find(picture()) == []


@pytest.mark.parametrize("degrees", [45, 90, 180, 270, 315])
def test_a_turned_picture_has_the_face_turned(degrees: int) -> None:
    turned = np.asarray(Image.fromarray(grace()).rotate(degrees, Image.Resampling.BICUBIC, expand=True))
    best = max(find_measured(turned), key=lambda f: f.face.score)
    roll = pose(best.mesh)[2] + 3  # she tilts her head by 3 degrees
    assert abs((roll + degrees + 180) % 360 - 180) < 12


def test_grey_and_small_pictures() -> None:
    grey = np.repeat(np.asarray(Image.fromarray(grace()).convert("L"))[..., None], 3, 2)
    assert len(find(grey)) == 1
    assert len(find(np.asarray(Image.fromarray(grace()).resize((40, 47))))) == 1


def test_a_huge_picture_is_looked_at_small_and_measured_large() -> None:
    side = LARGEST * 2
    scale = side / 300
    huge = np.asarray(Image.fromarray(grace()).resize((round(256 * scale), side)))
    assert find(huge)[0].landmarks / scale == pytest.approx(find(grace())[0].landmarks, abs=1.5)


def test_a_crowd_of_small_faces() -> None:
    heads = (grace()[40:200, 50:210], eileen()[0:160, 40:200])
    faces = [Image.fromarray(head).resize((72, 72)) for head in heads]
    crowd = Image.new("RGB", (1200, 700), (90, 90, 90))
    places = [(x, y) for y in range(60, 600, 170) for x in range(60, 1100, 200)]
    for i, place in enumerate(places):
        crowd.paste(faces[i % 2], place)
    found = find(np.asarray(crowd))
    centres = np.array([((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in found])
    seen = [np.abs(centres - (x + 36, y + 36)).max(1).min() < 15 for x, y in places]
    assert np.mean(seen) >= 0.9
    assert len(found) <= len(places)


def test_a_face_inside_a_face_goes() -> None:
    mesh = np.zeros((468, 3), np.float32)
    mesh[IBUG, :2] = np.random.default_rng(0).uniform(0, 100, (68, 2))
    large, small = measured(mesh, 1.0), measured(mesh * np.float32(0.3) + np.array([30, 30, 0], np.float32), 1.0)
    away = measured(mesh * np.float32(0.3) + np.array([300, 30, 0], np.float32), 1.0)
    assert apart([large, small, away]) == [large, away]


def test_tiles_cover_the_picture() -> None:
    seen = np.zeros((300, 700), bool)
    for x1, y1, x2, y2 in tiles(300, 700, 4):
        assert 0 <= x1 < x2 <= 700
        assert 0 <= y1 < y2 <= 300
        seen[y1:y2, x1:x2] = True
    assert seen.all()


def test_every_tenth_press_photo_has_a_face(data_dir) -> None:
    for path in sorted((data_dir / "faces" / "lfw100").glob("*/*.jpg"))[::10]:
        assert find(np.asarray(Image.open(path).convert("RGB"))), path.name
