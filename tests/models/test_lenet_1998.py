"""LeNet-5 as in the paper: its own counts, its connection table, its functions."""

import pytest
import torch
from torch import nn

from mien.models.lenet import CONNECTIONS, PartialConv, RadialBasis, ScaledTanh, Subsampling, lenet5_1998


def counts(net: nn.Sequential) -> list[int]:
    return [n for layer in net if (n := sum(p.numel() for p in layer.parameters()))]


def test_trained_parameters_layer_by_layer() -> None:
    assert counts(lenet5_1998()) == [156, 12, 1516, 32, 48120, 10164]
    assert counts(lenet5_1998(output="linear")) == [156, 12, 1516, 32, 48120, 10164, 850]


def test_the_connections_of_the_paper() -> None:
    """Section II.B: 122,304, 5,880, 151,600, 2,000, 48,120 connections; with F6 and the output 340,908."""
    c3 = 100 * (25 * sum(map(len, CONNECTIONS)) + 16)
    by_layer = [28 * 28 * 6 * 26, 14 * 14 * 6 * 5, c3, 5 * 5 * 16 * 5, 120 * 401, 84 * 121, 84 * 10]
    assert by_layer[:5] == [122_304, 5_880, 151_600, 2_000, 48_120]
    assert sum(by_layer) == 340_908


def test_the_table_treats_all_maps_alike() -> None:
    """Section II.B: six maps see three neighbours, six see four, three see four that are not all neighbours, one sees all."""
    assert [len(seen) for seen in CONNECTIONS] == [3] * 6 + [4] * 9 + [6]
    assert [sum(i in seen for seen in CONNECTIONS) for i in range(6)] == [10] * 6
    assert len(set(CONNECTIONS)) == 16

    def neighbours(seen: tuple[int, ...]) -> bool:
        return any(set(seen) == {(first + i) % 6 for i in range(len(seen))} for first in range(6))
    assert [neighbours(seen) for seen in CONNECTIONS] == [True] * 12 + [False] * 3 + [True]


def test_a_map_is_the_sum_over_those_it_sees() -> None:
    torch.manual_seed(0)
    layer, x = PartialConv(6, CONNECTIONS), torch.randn(2, 6, 14, 14)
    out, k = layer(x), 0
    assert out.shape == (2, 16, 10, 10)
    for o, seen in enumerate(CONNECTIONS):
        expected = layer.bias[o]
        for i in seen:
            expected = expected + nn.functional.conv2d(x[:, i : i + 1], layer.weight[k][None, None])[:, 0]
            k += 1
        torch.testing.assert_close(out[:, o], expected)


def test_weights_start_within_the_papers_bounds() -> None:
    net = lenet5_1998()
    for place, fan_in in ((0, 25), (8, 400), (11, 120)):
        largest = float(net[place].weight.detach().abs().max())
        assert 0.95 * 2.4 / fan_in < largest <= 2.4 / fan_in
    assert float(net[4].weight[-1].detach().abs().max()) <= 2.4 / 150  # the map that sees all six


def test_functions_by_hand() -> None:
    out = ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0, 100.0])).tolist()
    assert out == pytest.approx([-1, 0, 1, 1.7159], abs=1e-4)
    pool = Subsampling(1)
    with torch.no_grad():
        pool.weight.fill_(2)
        pool.bias.fill_(-1)
    assert pool(torch.tensor([[[[1.0, 5, 4, 3], [2, 6, 4, 0]]]])).tolist() == [[[[6, 4.5]]]]  # means 3.5 and 2.75


def test_the_output_is_a_distance_to_fixed_codes() -> None:
    layer = RadialBasis(84, 10)
    assert set(layer.codes.unique().tolist()) == {-1, 1}
    assert torch.equal(layer.codes, RadialBasis(84, 10).codes)
    out = layer(layer.codes[3:4])[0]
    assert int(out.argmax()) == 3
    assert float(out[3]) == 0
    differing = (layer.codes[3] != layer.codes[7]).sum()
    assert float(out[7]) == -4 * float(differing)
    assert float(torch.cdist(layer.codes, layer.codes, 0).fill_diagonal_(84).min()) > 25  # no two digits look alike


def test_an_unknown_output_is_said() -> None:
    with pytest.raises(ValueError, match="rbf or linear, not 'softmax'"):
        lenet5_1998(output="softmax")
