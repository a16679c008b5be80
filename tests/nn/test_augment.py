"""Training pairs: repeatable, within range, and moved only where they should be."""

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from mien.nn.augment import Jitter, bend, centre, places, recolour, training_pair

STILL = Jitter(rotation=0, zoom=0, shift=0, flip=0, warp=0, colour=0, tint=0)
COVER = 1.25


def crops(batch: int = 3, size: int = 80) -> Tensor:
    """(B, 4, H, W) uint8 noise."""
    return torch.randint(0, 256, (batch, 4, size, size), dtype=torch.uint8, generator=Generator().manual_seed(7))


def smooth(batch: int = 3, size: int = 80) -> Tensor:
    """(B, 4, H, W) uint8, slowly changing, so that resampling loses next to nothing."""
    coarse = torch.rand(batch, 4, 4, 4, generator=Generator().manual_seed(7)) * 255
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 255).byte()


def pair(pictures: Tensor, jitter: Jitter, seed: int = 0, size: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    return training_pair(pictures, size, COVER, jitter, Generator().manual_seed(seed))


def test_same_seed_same_pair() -> None:
    jitter = Jitter(tint=0.1)
    for first, second in zip(pair(crops(), jitter, 3), pair(crops(), jitter, 3), strict=True):
        assert torch.equal(first, second)


def test_another_seed_another_pair() -> None:
    for first, second in zip(pair(crops(), Jitter(), 3), pair(crops(), Jitter(), 4), strict=True):
        assert not torch.allclose(first, second, atol=0.01)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    pair(crops(), Jitter(tint=0.1))
    assert torch.equal(before, torch.get_rng_state())


def test_without_jitter_the_pair_is_the_centre() -> None:
    warped, target, weight = pair(crops(), STILL)
    middle = centre(crops(), 64, COVER)
    for ours, theirs in ((warped, middle[:, :3]), (target, middle[:, :3]), (weight, middle[:, 3:])):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_centre_cuts_the_middle_window() -> None:
    # 80 pixels cover 1.25 windows of 64, so every sample falls on the middle of a pixel: nothing is interpolated
    torch.testing.assert_close(centre(crops(), 64, COVER), crops()[:, :, 8:72, 8:72] / 255, rtol=0, atol=1e-4)


def test_the_target_is_not_bent() -> None:
    turned = replace(STILL, rotation=10, zoom=0.05)
    calm, bent = pair(smooth(), turned), pair(smooth(), replace(turned, warp=0.1))
    torch.testing.assert_close(bent[1], calm[1])
    torch.testing.assert_close(bent[2], calm[2])
    assert float((bent[0] - calm[0]).abs().mean()) > 0.01
    assert float((calm[0] - calm[1]).abs().max()) < 1e-6


def test_flip_probability_one_mirrors_everything() -> None:
    for mirrored, plain in zip(pair(crops(), replace(STILL, flip=1.0)), pair(crops(), STILL), strict=True):
        torch.testing.assert_close(mirrored, plain.flip(3), rtol=0, atol=1e-4)


def test_flip_happens_as_often_as_asked() -> None:
    where = places(2000, 2, COVER, replace(STILL, flip=0.4), Generator().manual_seed(0))
    mirrored = where[:, 0, 0, 0] > where[:, 0, 1, 0]
    assert float(mirrored.float().mean()) == pytest.approx(0.4, abs=0.04)  # 3.6 standard deviations


@pytest.mark.parametrize("jitter", [Jitter(), Jitter(colour=0.5, tint=0.5, warp=0.2, rotation=40, zoom=0.3, shift=0.3)])
def test_values_stay_within_0_and_1(jitter: Jitter) -> None:
    black_and_white = torch.where(crops() > 127, 255, 0).byte()
    for values in pair(black_and_white, jitter):
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1


def test_shapes() -> None:
    warped, target, weight = pair(crops(2), Jitter(), size=48)
    assert (warped.shape, target.shape, weight.shape) == ((2, 3, 48, 48), (2, 3, 48, 48), (2, 1, 48, 48))


def test_the_weight_moves_with_the_target_and_keeps_its_values() -> None:
    pictures = smooth()
    pictures[:, 3] = pictures[:, 0]  # a weight equal to the red channel stays equal where geometry alone is at work
    _, target, weight = pair(pictures, replace(Jitter(), colour=0))
    assert torch.equal(weight[:, 0], target[:, 0])
    _, recoloured, same = pair(pictures, replace(Jitter(), colour=0.2))
    assert torch.equal(same, weight)
    assert not torch.allclose(recoloured[:, 0], weight[:, 0], atol=0.01)


def test_rotation_turns_the_grid_by_the_angle() -> None:
    where = places(200, 2, 1.0, replace(STILL, rotation=10), Generator().manual_seed(0))
    edge = where[:, 0, 1] - where[:, 0, 0]
    angles = torch.rad2deg(torch.atan2(edge[:, 1], edge[:, 0]))
    assert 9 < float(angles.abs().max()) <= 10.001
    torch.testing.assert_close(edge.norm(dim=1), torch.ones(200))  # two samples, half the width of -1..1 apart


def test_shift_and_zoom_are_shares_of_the_window() -> None:
    shifted = places(500, 2, COVER, replace(STILL, shift=0.05), Generator().manual_seed(0)).mean((1, 2))
    most = 0.05 * 2 / COVER  # a window is 2 / cover wide in the grid's units
    assert 0.9 * most < float(shifted.abs().max()) <= most + 1e-6
    zoomed = places(500, 2, COVER, replace(STILL, zoom=0.05), Generator().manual_seed(0))
    widths = (zoomed[:, 0, 1, 0] - zoomed[:, 0, 0, 0]) * COVER
    assert 0.95 <= float(widths.min()) < 0.96
    assert 1.04 < float(widths.max()) <= 1.05 + 1e-6


def test_the_bend_has_the_wanted_spread() -> None:
    corners = bend(4000, 9, 1.0, 0.03, Generator().manual_seed(0))[:, 0, 0]  # a corner is a point of the 5 x 5 grid
    assert float(corners.std()) == pytest.approx(2 * 0.03, rel=0.05)


def test_pictures_are_recoloured_alike() -> None:
    first = smooth()[:, :3] / 255
    ours, theirs = recolour(first, 0.1, Generator().manual_seed(0), [first.clone()])
    assert torch.equal(ours, theirs)
    assert float((ours - first).abs().mean()) > 0.01


def test_tint_changes_only_what_the_encoder_sees() -> None:
    warped, target, _ = pair(smooth(), replace(STILL, tint=0.2))
    torch.testing.assert_close(target, centre(smooth(), 64, COVER)[:, :3], rtol=0, atol=1e-6)
    assert float((warped - target).abs().mean()) > 0.01
