"""Alignment against dlib's own and against the definition; vectors of real people."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.faces import describe as room
from mien.faces.describe import SAME_PERSON, Describer, chips, describe, distance, placement
from mien.weights import find

needs_weights = pytest.mark.skipif(find("dlib-face") is None, reason="no dlib weights here (mien models --fetch)")


def shape(width: float, angle: float, centre: complex) -> np.ndarray:
    """(1, 68, 2): the mean face, `width` pixels wide, turned by `angle` radians about `centre`; other points zero."""
    mean = np.array(room.MEAN_X) + 1j * np.array(room.MEAN_Y)
    at = width * np.exp(1j * angle) * (mean - 0.5 - 0.5j) + centre
    points = np.zeros((1, 68, 2), np.float32)
    points[0, room.POINTS] = np.stack([np.real(at), np.imag(at)], -1)
    return points


def picture(side: int = 400) -> np.ndarray:
    """Smooth, with a different gradient everywhere."""
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(9 * x + 5 * y), np.cos(7 * y - 4 * x), np.sin(13 * x * y)]
    return np.round(127.5 + 127.5 * np.stack(waves, -1)).astype(np.uint8)


@settings(deadline=None, max_examples=25)
@given(st.floats(40, 500), st.floats(-3, 3), st.complex_numbers(max_magnitude=1000))
def test_placement_is_the_similarity_of_the_mean_face(width: float, angle: float, centre: complex) -> None:
    at, step = placement(shape(width, angle, centre))
    # the chip shows 1.5 mean faces (padding 0.25 on both sides): 149 steps span all but one picture pixel of that
    assert abs(at[0] - centre) < 1e-3 * width
    assert abs(step[0] - np.exp(1j * angle) * (1.5 * width - 1) / 149) < 1e-4 * width


@pytest.mark.parametrize(("width", "angle"), [(60, 0.3), (100, -0.2), (190, 0.1), (130, 1.4)])
def test_chips_equal_dlibs(width: float, angle: float) -> None:
    dlib = pytest.importorskip("dlib")
    image, points = picture(), np.rint(shape(width, angle, 210 + 195j))
    parts = dlib.points([dlib.point(int(x), int(y)) for x, y in points[0]])
    theirs = dlib.get_face_chip(image, dlib.full_object_detection(dlib.rectangle(0, 0, 9, 9), parts), 150, 0.25)
    ours = chips(image, points)[0].permute(1, 2, 0).numpy() * 255
    # dlib cuts off what is behind the point, so it lies 0..1 below
    assert np.abs(ours - theirs - 0.5).mean() < 0.35
    assert np.abs(ours - theirs).max() < 1.01


def test_shrinking_keeps_no_pattern_finer_than_the_chip() -> None:
    """A checkerboard of single pixels, 8 of them a chip pixel, is grey; sampling without shrinking would keep it."""
    board = np.repeat((np.indices((1600, 1600)).sum(0) % 2 * 255).astype(np.uint8)[..., None], 3, -1)
    chip = chips(board, shape(800, 0.2, 800 + 800j))[0]
    assert (chip[:, 30:120, 30:120] - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("shrink", [1, 2, 5])
def test_shrinking_keeps_the_place(shrink: int) -> None:
    """On a linear ramp every chip pixel has the value of its own position, whatever the scale."""
    side = 400 * shrink
    ramp = np.arange(side) / side * 255
    image = np.repeat(np.rint(np.broadcast_to(ramp, (side, side))).astype(np.uint8)[..., None], 3, -1)
    points = shape(120 * shrink, 0.0, 200 * shrink * (1 + 1j))
    at, step = placement(points)
    expected = np.real(at[0] + step[0] * (np.arange(150) - 74.5)) / side
    assert np.abs(chips(image, points)[0, 0, 75].numpy() - expected).max() < 1 / 255


def test_outside_the_picture_is_black() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    assert chips(image, shape(60, 0.0, 1000 + 1000j)).abs().max() == 0
    half = chips(image, shape(60, 0.0, 50j))[0]
    assert half[:, :, :70].max() == 0
    assert half[:, 75, 80:].min() > 0.999


def test_bad_input_is_named() -> None:
    image, points = picture(), shape(100, 0, 200 + 200j)
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8 RGB"):
        chips(image[..., 0], points)
    with pytest.raises(ValueError, match=r"expected \(N, 68, 2\)"):
        chips(image, points[0])
    with pytest.raises(ValueError, match="landmarks hold no face"):
        chips(image, np.full((1, 68, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="landmarks hold no face"):
        chips(image, np.ones((1, 68, 2), np.float32))


def test_no_faces_give_no_chips() -> None:
    assert chips(picture(), np.zeros((0, 68, 2), np.float32)).shape == (0, 3, 150, 150)


def test_distance() -> None:
    a, b = np.zeros((2, 128), np.float32), np.ones((1, 128), np.float32)
    assert np.allclose(distance(a, b), np.sqrt(128))


@needs_weights
def test_batches_pictures_and_faces_agree() -> None:
    image = picture()
    points = np.concatenate([shape(90 + 10 * i, 0.1 * i, 200 + 200j) for i in range(5)])
    small = Describer(batch=2)
    together = small(image, points)
    assert together.shape == (5, 128)
    assert together.dtype == np.float32
    assert np.allclose(small([image] * 5, points), together, atol=1e-5)
    assert np.allclose(describe(image, points[3:4]), together[3:4], atol=1e-5)
    assert small(image, points[:0]).shape == (0, 128)
    with pytest.raises(ValueError, match="expected one face a picture"):
        small([image], points)
    with pytest.raises(ValueError, match="expected \\(N, 3, 150, 150\\)"):
        small.vectors(torch.zeros(1, 3, 64, 64))


@needs_weights
def test_one_person_is_nearer_than_two(data_dir) -> None:
    """Ten people of LFW, four photos each: pairs judged right at dlib's threshold."""
    if find("face-mesh") is None or find("blazeface-full") is None or find("blazeface-short") is None:
        pytest.skip("the face finder's weights are not here (mien models --fetch)")
    from mien.faces.find import find as find_faces

    people, images, points = [], [], []
    folders = sorted((data_dir / "faces" / "lfw100").iterdir())
    for path in (path for folder in folders for path in sorted(folder.iterdir())[:4]):
        image = np.asarray(Image.open(path).convert("RGB"))
        faces = find_faces(image, thorough=False)
        if faces:
            people.append(path.parent.name)
            images.append(image)
            points.append(faces[0].landmarks)
    assert len(people) >= 36
    vectors, names = Describer()(images, np.stack(points)), np.array(people)
    first, second = np.triu_indices(len(names), 1)
    apart, same = distance(vectors[first], vectors[second]), names[first] == names[second]
    assert np.median(apart[same]) < 0.5 < SAME_PERSON < 0.7 < np.median(apart[~same])
    assert ((apart < SAME_PERSON) == same).mean() > 0.97
