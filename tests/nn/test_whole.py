"""Statistics of a whole picture: over tiles, kept, smoothed over time."""

import pytest
import torch

from mien.nn.whole import Enough, Gathered, Kept, Statistics, Steady, asked, places


def moments(*numbers: float) -> tuple[torch.Tensor, torch.Tensor]:
    mean, spread = (torch.tensor([one]).view(1, 1, 1, 1) for one in numbers)
    return mean, spread


def test_tiles_that_overlap_give_the_numbers_of_the_whole():
    torch.manual_seed(0)
    maps = torch.randn(1, 3, 8, 12) * 5 + torch.tensor([1e4, 0, -3]).view(1, 3, 1, 1)  # a mean far from 0 must not cost the deviation
    gathered = Gathered()
    for top, bottom, first, last in ((0, 4, 0, 6), (4, 8, 2, 8)):  # pixels: twice as many as places, and two beyond the tile's own
        gathered.tile = 2 * (last - first), 24, slice(2 * (top - first), 2 * (bottom - first)), slice(0, 24)
        with pytest.raises(Enough):
            gathered(maps[..., first:last, :])
    mean, spread = gathered.moments
    torch.testing.assert_close(mean[0, :, 0, 0], maps.mean((0, 2, 3)))
    torch.testing.assert_close(spread[0, :, 0, 0], maps.double().std((0, 2, 3), correction=0).float(), rtol=1e-4, atol=0)


def test_the_last_tile_counts_what_its_maps_have_beyond_the_picture():
    gathered = Gathered()
    gathered.tile = 21, 16, slice(8, 21), slice(0, 16)  # 21 rows, filled up to 24: three places of eight pixels
    with pytest.raises(Enough):
        gathered(torch.arange(6.0).view(1, 1, 3, 2))
    assert gathered.count == 4
    assert float(gathered.moments[0]) == (2 + 3 + 4 + 5) / 4


def test_places_are_asked_and_left_as_they_were():
    net = torch.nn.Sequential(Statistics(), torch.nn.Sequential(Statistics()))
    with asked(net, [Kept(moments(1, 2)), Kept(moments(3, 4))]):
        assert [float(part(torch.zeros(1, 1, 2, 2))[0]) for part in places(net)] == [1, 3]
    assert [float(part(torch.ones(1, 1, 2, 2))[0]) for part in places(net)] == [1, 1]


def test_steady_moments_follow_slowly():
    steady = Steady(0.75)
    frames = torch.tensor([0.0, 8.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    assert steady(frames)[0].flatten().tolist() == [0, 2]  # the first as it is, then a quarter of the way
    assert steady(frames[1:])[0].flatten().tolist() == [3.5]
