"""Small faces enlarged by a network: nearer to the sharp face than interpolation, in the same place."""

import numpy as np
import pytest
from PIL import Image
from portraits import grace, needs_networks

from mien.data.resize import resize_pixels
from mien.faces.align import align
from mien.faces.enhance import Enhancer
from mien.faces.extract import extract
from mien.faces.find import find


@pytest.fixture(scope="module")
def enhancer() -> Enhancer:
    return Enhancer()


@needs_networks
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_small_face_comes_nearer_to_the_sharp_one(enhancer: Enhancer, scale: int) -> None:
    large = np.ascontiguousarray(grace()[:288, :252])
    points = find(large)[0].landmarks
    small = resize_pixels(large, 1 / scale)
    size = 120
    wanted, _ = align(large, points, size)
    plain, plain_matrix = align(small, points / scale, size)
    made, matrix = enhancer.align(small, points / scale, size)
    assert made.shape == (size, size, 3)
    np.testing.assert_array_equal(matrix, plain_matrix)
    errors = [np.square(one.astype(float) - wanted)[8:-8, 8:-8].mean() for one in (made, plain)]
    assert errors[0] < 0.9 * errors[1]


@needs_networks
def test_a_large_face_is_left_to_interpolation(enhancer: Enhancer) -> None:
    points = find(grace())[0].landmarks
    np.testing.assert_array_equal(enhancer.align(grace(), points, 64)[0], align(grace(), points, 64)[0])


def test_a_face_beside_the_picture_is_no_error(enhancer: Enhancer) -> None:
    points = np.random.default_rng(0).uniform(0, 20, (68, 2)).astype(np.float32) + 500
    assert enhancer.align(np.zeros((40, 40, 3), np.uint8), points, 128)[0].shape == (128, 128, 3)


def test_there_must_be_such_a_model() -> None:
    with pytest.raises(ValueError, match="no model 'nothing'"):
        Enhancer("nothing")


@needs_networks
def test_a_face_set_of_enlarged_faces(tmp_path) -> None:
    Image.fromarray(grace()).resize((85, 100)).save(tmp_path / "small.png")
    plain = extract([tmp_path / "small.png"], tmp_path / "plain", size=128)
    made = extract([tmp_path / "small.png"], tmp_path / "made", size=128, enhance=True)
    assert len(made) == len(plain) == 1
    assert (made.crop(0) != plain.crop(0)).any()
    assert made.column("sharpness")[0] > plain.column("sharpness")[0]
