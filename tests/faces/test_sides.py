"""A turned photo's far side comes from its mirror image, in the photo's light."""

import numpy as np
import torch
from torch import Tensor

from mien.faces.align import window
from mien.faces.bending import bent, mirrored_points, window_points
from mien.faces.sides import COARSE, bent_both, density, shares

MEAN = torch.from_numpy(window_points(window(1), np.eye(3)[:2], 1))[None]
FRONT = (MEAN + mirrored_points(MEAN)) / 2
"""(1, 77, 2) of a face from the front, its two sides alike."""
SIDE = 128


def turned(strength: float = 0.8) -> Tensor:
    """The same with its left half squashed towards the middle, as that of a head turned away."""
    x = FRONT[..., 0]
    return torch.stack([torch.where(x < 0.5, 0.5 + (x - 0.5) * (1 - strength), x), FRONT[..., 1]], -1)


def stripes() -> Tensor:
    """(1, 3, SIDE, SIDE) fine vertical stripes, everywhere alike."""
    return (torch.arange(SIDE) % 4 < 2).float().expand(1, 3, SIDE, SIDE).contiguous()


def detail(x: Tensor) -> float:
    """Mean step from column to column in the middle of the left half of the face."""
    return float((x[..., 50:80, 36:58].diff(dim=-1)).abs().mean())


def test_a_photo_at_its_own_points_is_as_dense_as_the_result() -> None:
    assert torch.allclose(density(FRONT, FRONT), torch.ones(1, 1, COARSE, COARSE), atol=0.02)


def test_a_photo_from_the_front_is_left_alone() -> None:
    photo = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(bent_both(photo, FRONT, FRONT, SIDE), bent(photo, FRONT, FRONT, SIDE, sharp=True))


def test_the_squashed_side_is_the_mirror_images() -> None:
    share = shares(turned(), FRONT)[0, 0]
    middle = slice(COARSE // 3, 2 * COARSE // 3)
    assert share[middle, COARSE * 3 // 10:COARSE * 4 // 10].min() > 0.7
    assert share[middle, COARSE * 6 // 10:COARSE * 7 // 10].max() < 0.05


def test_its_detail_is_there_in_the_light_of_what_the_photo_shows_well() -> None:
    photo, points = stripes(), turned()
    photo[..., :SIDE // 2] *= 0.5  # a shadow on the side that is hardly to be seen
    smeared, whole = bent(photo, points, FRONT, SIDE, sharp=True), bent_both(photo, points, FRONT, SIDE)
    assert detail(whole) > 2 * detail(smeared)
    lights = [x[..., 50:80, 40:56].mean((1, 2)).unfold(-1, 8, 4).mean(-1).min() for x in (smeared, whole)]
    shown = whole[..., 50:80, 78:92].mean()
    assert lights[0] < 0.5 * shown < 0.8 * shown < lights[1]
