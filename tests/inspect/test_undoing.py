"""A whole photo put back from the field of one crop."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mien.nn.flow import sample
from mien.tasks.inspect.undoing import enlarged, faded, gain, undo


def photo(height: int = 150, width: int = 170) -> np.ndarray:
    """Soft blobs: nothing finer than what sampling keeps."""
    coarse = torch.rand(1, 3, height // 8, width // 8, generator=torch.Generator().manual_seed(0))
    fine = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    return (fine * 255).byte().permute(1, 2, 0).numpy()


def swelling(side: int, size: float) -> np.ndarray:
    """(2, side, side): the middle grown, at most `size` pixels."""
    place = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(place, place)
    field = np.stack([-x, -y]) * np.exp(-6 * (x * x + y * y))
    return field / np.abs(field).max() * size


def bent(image: np.ndarray, crop: tuple[int, int, int], field: np.ndarray) -> np.ndarray:
    """The photo with the field (2, side, side) applied where the crop lies."""
    x0, y0, side = crop
    whole = np.zeros((2, image.shape[0] + 2 * side, image.shape[1] + 2 * side), np.float32)
    whole[:, y0 + side:y0 + 2 * side, x0 + side:x0 + 2 * side] = field
    whole = torch.from_numpy(whole[:, side:-side, side:-side].copy())[None]
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return sample(x, whole, "bicubic").round().clamp(0, 255).byte()[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("crop", [(30, 20, 100), (-20, -10, 100), (110, 90, 100)])
@pytest.mark.parametrize("size", [100, 200])
def test_a_known_field_is_undone_inside_and_nothing_changes_outside(crop: tuple[int, int, int], size: int) -> None:
    """Also where the crop reaches beyond the photo, and where the network saw it at twice the size."""
    original, (x0, y0, side) = photo(), crop
    fake = bent(original, crop, swelling(side, 3))
    restored = undo(fake, crop, swelling(size, 3 * size / side))
    assert gain(original, fake, restored) > 8
    outside = np.ones(original.shape[:2], bool)
    outside[max(y0, 0):y0 + side, max(x0, 0):x0 + side] = False
    assert np.array_equal(restored[outside], fake[outside])
    assert restored.dtype == np.uint8


def test_an_untouched_face_stays_as_it_is() -> None:
    original = photo()
    assert np.array_equal(undo(original, (30, 20, 100), np.zeros((2, 400, 400), np.float32)), original)
    wrong = undo(original, (30, 20, 100), swelling(400, 12), np.zeros((400, 400), np.float32))
    assert np.array_equal(wrong, original), "what is not reliable is not undone"
    assert gain(original, original, original) == 0


def test_the_field_shrinks_with_the_crop_and_fades_at_its_edge() -> None:
    field = np.zeros((2, 40, 40), np.float32)
    field[0] = 8
    small = enlarged(field, 10)
    assert small.shape == (1, 2, 10, 10)
    torch.testing.assert_close(small[0, 0], torch.full((10, 10), 2.0))
    fade = faded(100)
    assert float(fade[50, 50]) == 1
    assert float(fade[0].max()) < 0.02
    assert torch.equal(fade, fade.flip(0))


def test_gain_by_hand() -> None:
    """Errors of 20 become errors of 2: a hundredth of the squares, 20 dB."""
    original = np.full((4, 4, 3), 100, np.uint8)
    assert gain(original, original + 20, original + 2) == pytest.approx(20, abs=1e-3)
    assert gain(original, original + 2, original + 20) == pytest.approx(-20, abs=1e-3)
    with pytest.raises(ValueError, match="three of one size"):
        gain(original, original, original[:2])
