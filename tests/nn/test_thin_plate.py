"""Thin-plate splines: points land where they are sent, and what is affine stays exactly affine."""

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mien.nn.thin_plate import places, spline


def some(seed: int, count: int = 12) -> torch.Tensor:
    return torch.rand(2, count, 2, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 10_000))
def test_points_land_near_where_they_are_sent(seed: int) -> None:
    source = some(seed)
    target = source + 0.02 * torch.randn(source.shape, generator=torch.Generator().manual_seed(seed + 1))
    landed = target + spline(target, source, target)
    assert (landed - source).norm() < 0.6 * (target - source).norm()  # the ridge lets neighbours give way to each other


@given(st.floats(-0.5, 0.5), st.floats(0.6, 1.5), st.floats(-0.3, 0.3))
def test_an_affine_map_is_met_exactly_everywhere(shear: float, scale: float, shift: float) -> None:
    matrix = torch.tensor([[scale, shear], [0.0, 1.0]])
    target, at = some(0), some(1, 50)
    moved = at + spline(at, target @ matrix.T + shift, target)
    assert torch.allclose(moved, at @ matrix.T + shift, atol=2e-3)


def test_no_move_shows_the_picture_as_it_is() -> None:
    picture = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    points = some(3)
    assert torch.allclose(F.grid_sample(picture, places(points, points, 40), align_corners=False), picture, atol=2e-3)


def test_points_that_coincide_do_no_harm() -> None:
    points = torch.cat([some(4), some(4)], 1)
    assert places(points, points, 8).isfinite().all()
