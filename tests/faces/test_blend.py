import numpy as np
import pytest

from mien.faces.align import MEAN, alignment
from mien.faces.blend import Blend, Tone, paste, recolour, skin_weight, soft_mask, tone
from mien.faces.mask import face_mask


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


def skin(landmarks: np.ndarray, **patches: tuple[int, int, int]) -> tuple[np.ndarray, dict[str, tuple[int, int]]]:
    """A picture of one colour with 20-px squares at the right temple, the jaw and the chin; and where their centres are."""
    face = np.full((200, 200, 3), (200, 150, 120), np.uint8)
    temple, jaw, chin = (landmarks[16] + landmarks[26]) / 2, landmarks[13] - (6, 0), landmarks[[8, 57]].mean(0)
    places = {"temple": temple, "jaw": jaw, "chin": chin, "eye": landmarks[36:42].mean(0)}
    centres = {name: (int(y), int(x)) for name, (x, y) in places.items()}
    for name, colour in patches.items():
        y, x = centres[name]
        face[y - 10 : y + 10, x - 10 : x + 10] = colour
    return face, centres


def test_hair_drawn_at_the_temple_gives_way_to_skin(landmarks: np.ndarray) -> None:
    grey = (70, 70, 70)
    drawn, at = skin(landmarks, temple=grey, jaw=grey, chin=grey, eye=grey)
    weight = skin_weight(drawn, skin(landmarks)[0], landmarks)
    assert max(weight[at["temple"]], weight[at["jaw"]]) < 40
    assert weight[at["chin"]] > 200, "a beard is the person's"
    assert weight[at["eye"]] > 240
    assert weight[100, 100] == 255


def test_skin_drawn_over_hair_counts_in_full(landmarks: np.ndarray) -> None:
    there, _ = skin(landmarks, temple=(70, 70, 70), chin=(70, 70, 70))
    assert (skin_weight(skin(landmarks)[0], there, landmarks) == 255).all()


def test_another_tone_of_skin_is_no_stranger(landmarks: np.ndarray) -> None:
    drawn, _ = skin(landmarks)
    assert (skin_weight(drawn // 2, drawn, landmarks) == 255).all()


def test_a_weight_of_nothing_leaves_the_picture(landmarks: np.ndarray) -> None:
    image, face = np.full((200, 200, 3), 60, np.uint8), np.full((64, 64, 3), 220, np.uint8)
    weight = np.zeros((64, 64), np.uint8)
    assert (paste(image, face, alignment(landmarks, 64), landmarks, Blend(), weight) == image).all()


def test_a_face_outside_its_window_is_drawn_whole(landmarks: np.ndarray) -> None:
    face = skin(landmarks)[0]
    assert (skin_weight(face, face[::-1], landmarks + 500) == 255).all()
