import numpy as np

from mien.faces.align import MEAN
from mien.tasks.swap.steady import Steady

FACE = MEAN * 100


def test_no_strength_no_change() -> None:
    steady = Steady(25, strength=0)
    for shift in (0, 3, 1):
        np.testing.assert_allclose(steady(FACE + shift), FACE + shift, rtol=1e-6)


def test_jitter_at_rest_shrinks_to_less_than_half() -> None:
    rng = np.random.default_rng(0)
    noisy = FACE + rng.normal(0, 0.4, (200, *FACE.shape))
    steady = Steady(25)
    out = np.stack([steady(points) for points in noisy])[20:]
    assert np.diff(out, axis=0).std() < 0.5 * np.diff(noisy[20:], axis=0).std()


def test_a_moving_face_is_followed_closely() -> None:
    steady = Steady(25)
    for frame in range(50):
        true = FACE + np.array([4.0 * frame, 0])  # a face's width a second
        out = steady(true)
    assert np.abs(out - true).max() < 3.0
