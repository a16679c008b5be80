import numpy as np
import pytest

from mien.faces.align import MEAN, alignment
from mien.faces.mask import face_mask
from mien.tasks.swap.blend import Blend, Tone, paste, recolour, soft_mask, tone


@pytest.fixture
def landmarks() -> np.ndarray:
    """The average face, 100 px wide, in a 200 px picture."""
    return (MEAN * 135 + 32).astype(np.float32)


def test_pasting_back_the_same_window_changes_almost_nothing(landmarks: np.ndarray) -> None:
    y, x = np.mgrid[:200, :200]
    image = np.stack([x, y, (x + y) // 2], -1).astype(np.uint8)
    matrix = alignment(landmarks, 135)
    from mien.data.warp import warp

    result = paste(image, warp(image, matrix, (135, 135)), matrix, landmarks, Blend())
    assert np.abs(result.astype(int) - image).max() <= 2


def test_nothing_outside_the_outline_is_touched(landmarks: np.ndarray) -> None:
    image = np.full((200, 200, 3), 60, np.uint8)
    face = np.full((64, 64, 3), 220, np.uint8)
    result = paste(image, face, alignment(landmarks, 64), landmarks, Blend(forehead=0.25))
    changed = (result != image).any(-1)
    inside = face_mask(landmarks, (200, 200), 0.25) > 0
    assert changed.sum() > 0.3 * inside.sum()
    assert not (changed & ~inside).any()
    assert (result[130:135, 98:103] == 220).all(), "the middle of the face is the drawn one, unmixed"
    assert (image == 60).all(), "the picture handed in stays as it was"


def test_a_face_outside_the_picture_is_no_error(landmarks: np.ndarray) -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    far = landmarks + 500
    assert (paste(image, np.full((64, 64, 3), 9, np.uint8), alignment(far, 64), far, Blend()) == image).all()


def test_the_soft_edge_falls_from_one_to_nothing(landmarks: np.ndarray) -> None:
    mask = soft_mask(landmarks, (200, 200), edge=12, forehead=0.25)
    row = mask[120]
    assert row.max() == 1
    assert row[0] == 0
    rising = row[: row.argmax()]
    assert (np.diff(rising) >= -0.02).all()
    assert 4 <= ((rising > 0.02) & (rising < 0.98)).sum() <= 24


def test_recolour_by_hand() -> None:
    face = np.array([[[100, 100, 100], [120, 100, 100]]], np.uint8)
    have = Tone(np.array([110.0, 100, 100]), np.array([10.0, 1, 1]))
    want = Tone(np.array([50.0, 60, 70]), np.array([12.0, 100, 1]))
    # red: spread grows by 1.2; green: the gain is limited to 1.25, but the deviation is 0; blue: only shifted
    assert recolour(face, have, want).tolist() == [[[38, 60, 70], [62, 60, 70]]]


def test_tone_looks_inside_the_mask_only() -> None:
    face = np.zeros((4, 4, 3), np.uint8)
    face[:2] = 200
    mask = np.zeros((4, 4), np.uint8)
    mask[:2] = 255
    assert tone(face, mask).mean.tolist() == [200, 200, 200]


def test_tones_mix() -> None:
    a, b = Tone(np.zeros(3), np.ones(3)), Tone(np.full(3, 10.0), np.full(3, 3.0))
    mixed = a.mix(b, 0.1)
    np.testing.assert_allclose(mixed.mean, 1.0)
    np.testing.assert_allclose(mixed.spread, 1.2)
