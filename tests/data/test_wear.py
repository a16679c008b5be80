from collections import Counter
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from mien.data import wear


def picture(height: int = 80, width: int = 96) -> np.ndarray:
    small = np.random.default_rng(0).integers(40, 216, (10, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@given(seed=st.integers(0, 100_000))
def test_a_chain_keeps_size_and_kind_and_is_the_same_every_time(seed: int):
    image, steps = picture(), wear.chain(np.random.default_rng(seed))
    found = wear.worn(image, steps)
    assert found.shape == image.shape
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, wear.worn(image, steps))
    np.testing.assert_array_equal(found, wear.worn(image, wear.chain(np.random.default_rng(seed))))


def test_every_step_comes_as_often_as_stated_and_in_every_order():
    random, seen, pairs, last = np.random.default_rng(0), Counter(), Counter(), 0
    total = 4000
    for _ in range(total):
        names = [step.func.__name__ for step in wear.chain(random) if isinstance(step, partial)]
        seen.update(set(names[:-1] if names and names[-1] == "jpeg" else names))
        last += bool(names) and names[-1] == "jpeg"
        if "blurred" in names and "rescaled" in names:
            pairs[names.index("blurred") < names.index("rescaled")] += 1
    for share, draw in wear.KINDS[1:]:
        assert seen[draw.__name__[1:]] / total == pytest.approx(share * (1 - wear.UNTOUCHED), abs=0.025)
    assert 0.6 < last / total < 0.8
    assert 0.35 < pairs[True] / pairs.total() < 0.65


def test_places_stay_where_they_are():
    """A white disc's centre after each of a few hundred chains."""
    y, x = np.mgrid[:96, :96]
    image = np.repeat(np.where((x - 40) ** 2 + (y - 55) ** 2 < 200, 230, 30).astype(np.uint8)[..., None], 3, 2)
    random = np.random.default_rng(1)
    for _ in range(150):
        found = wear.worn(image, wear.chain(random)).mean(2)
        inside = found > (found.min() + found.max()) / 2
        assert abs(x[inside].mean() - 40) < 0.35
        assert abs(y[inside].mean() - 55) < 0.35


def test_a_jpeg_has_the_quality_asked_for():
    file = BytesIO()
    Image.fromarray(picture()).save(file, "JPEG", quality=60, subsampling=2)
    np.testing.assert_array_equal(wear.jpeg(picture(), 60), np.asarray(Image.open(file)))


def test_blur_against_scipy():
    grey = picture().astype(float)
    expected = gaussian_filter(grey, (1.2, 1.2, 0), mode="nearest")
    assert np.abs(wear.blurred(picture(), 1.2) - expected)[4:-4, 4:-4].mean() < 1.5


def test_noise_has_the_spread_asked_for():
    image = np.full((200, 200, 3), 128, np.uint8)
    each, grey = (wear.noisy(image, 4, flag, 0).astype(float) for flag in (False, True))
    assert each.std() == pytest.approx(4, rel=0.03)
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])
    assert np.abs(np.corrcoef(each[..., 0].ravel(), each[..., 1].ravel())[0, 1]) < 0.02


def test_colours_follow_the_formula():
    image = picture()
    x = image / 255
    expected = (((x * [1, 0.95, 0.9]) ** 1.1 - 0.5) * 0.9 + 0.5 + 0.02).clip(0, 1) * 255
    np.testing.assert_allclose(wear.recoloured(image, 0.9, 0.02, 1.1, (1, 0.95, 0.9)), expected, atol=0.51)
