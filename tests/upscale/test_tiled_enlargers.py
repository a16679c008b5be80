"""The enlargers' networks, tile by tile: equal to the whole picture with the halo they name."""

import pytest
import torch
from enlargers import CPU

from mien.models.enlarger import BUILDERS, COLOURED, Enlarger
from mien.tiled import apply, halo, plan


@pytest.mark.parametrize(("network", "scale"), [("srcnn", 2), ("srcnn", 3), ("vdsr", 3), ("mien-upscale", 2), ("mien-upscale", 4),
                                               ("srresnet", 4)])
def test_tiles_of_an_enlarger_give_the_whole(network: str, scale: int):
    torch.manual_seed(0)
    enlarger = Enlarger(network, BUILDERS[network]().eval().requires_grad_(False), scale, network in COLOURED)
    x = torch.rand(1, 3, 37, 61)
    whole = enlarger(x)
    tiles = {around: apply(enlarger, x, plan(37, 61, scale=scale, halo=around, tile=24), CPU) for around in (enlarger.halo, 0)}
    torch.testing.assert_close(tiles[enlarger.halo], whole, atol=1e-5, rtol=0)
    assert (tiles[0] - whole).abs().max() > 1e-3


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_computed_halo_is_the_one_the_enlarger_names(scale: int):
    net = BUILDERS["mien-upscale"]()
    assert halo(net, (1, 48, 48), scale, lambda x: net(x, scale)) <= Enlarger("", net, scale).halo
