"""Layers, filters, fields, patches and activation maximisation, on nets whose answers are known by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.explain.field import box, fields
from mien.nn.explain.filters import first_filters
from mien.nn.explain.layers import layers, named, outputs, peak, spread, stations, telling
from mien.nn.explain.maximise import Ascent, maximise
from mien.nn.explain.patches import cut, peaks


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("nothing behind the layer asked for is computed")


def small() -> nn.Sequential:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    return nn.Sequential(block, nn.MaxPool2d(2), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(80, 6)).eval()


def test_layers_are_listed_as_they_finish() -> None:
    net = small()
    found = layers(net, net, torch.rand(1, 3, 8, 8))
    assert [(one.name, one.shape) for one in found] == [
        ("0.0", (4, 8, 8)), ("0.1", (4, 8, 8)), ("0.2", (4, 8, 8)), ("0", (4, 8, 8)), ("1", (4, 4, 4)),
        ("2", (5, 4, 4)), ("3", (5, 4, 4)), ("4", (80,)), ("5", (6,))]  # fmt: skip
    assert [one.name for one in found if one.weighted] == ["0.0", "2", "5"]


def test_a_station_is_what_stands_behind_a_convolution() -> None:
    net, dense = small(), nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 2))
    assert [one.name for one in stations(layers(net, net, torch.rand(1, 3, 8, 8)))] == ["0", "3"]
    assert [one.name for one in stations(layers(dense, dense, torch.rand(1, 3, 2, 2)))] == ["2", "3"]


def test_an_unknown_layer_is_answered_with_the_nearest() -> None:
    net = small()
    found = layers(net, net, torch.rand(1, 3, 8, 8))
    assert named(found, "0.1").kind == "BatchNorm2d"
    with pytest.raises(ValueError, match=r"no layer is called '0\.7'; the nearest: 0\."):
        named(found, "0.7")


def test_spread_keeps_the_first_and_the_last() -> None:
    net = small()
    found = layers(net, net, torch.rand(1, 3, 8, 8))
    assert [one.name for one in spread(found, 3)] == ["0.0", "1", "5"]
    assert spread(found, 99) == found


def test_outputs_stop_behind_the_last_and_are_safe_from_in_place_relus() -> None:
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    convolution.weight.data.fill_(-1)
    net = nn.Sequential(convolution, nn.ReLU(inplace=True), Broken())
    before, behind = outputs(net, [net[0], net[1]], torch.ones(1, 1, 2, 2))
    assert before.eq(-1).all()
    assert behind.eq(0).all()
    assert not convolution._forward_hooks


def test_units_that_stand_out_are_those_with_a_peak_not_those_that_are_on_everywhere() -> None:
    features = torch.zeros(3, 4, 4)
    features[0] = 9
    features[1, 2, 2] = 1
    features[2, 0, 0] = 3
    assert telling(features, 2) == [2, 1]
    assert telling(torch.tensor([0.1, 0.9, 0.5]), 2) == [1, 2]
    assert peak(features[None]).tolist() == [[9, 1, 3]]


def test_filters_are_scaled_by_their_own_largest_weight() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 2))
    net[0].weight.data = torch.stack([torch.full((3, 2, 2), 0.0), torch.full((3, 2, 2), -0.2)])
    net[0].weight.data[1, 2, 1, 1] = 0.4
    name, pictures = first_filters(net, layers(net, net, torch.rand(1, 3, 4, 4)), (3, 4, 4)) or ("", torch.empty(0))
    assert name == "0"
    assert pictures[0].eq(0.5).all()
    torch.testing.assert_close(pictures[1, 2], torch.tensor([[0.25, 0.25], [0.25, 1.0]]))


def test_dense_rows_are_folded_back_into_the_picture_and_other_channels_shown_one_by_one() -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(6, 4))
    found = first_filters(dense, layers(dense, dense, torch.rand(1, 1, 2, 3)), (1, 2, 3))
    assert found is not None
    row = dense[1].weight[2].detach()
    torch.testing.assert_close(found[1][2, 0], (row / row.abs().max() / 2 + 0.5).reshape(2, 3))
    deep = nn.Sequential(nn.Conv2d(2, 5, 3))
    many = first_filters(deep, layers(deep, deep, torch.rand(1, 2, 4, 4)), (2, 4, 4))
    assert many is not None
    assert many[1].shape == (10, 1, 3, 3)


def test_receptive_fields_computed_by_hand() -> None:
    """3x3 (pad 1): pixels -1..1; pooled by 2: -1..2; 3x3 (pad 1) over those, two pixels apart: -3..4."""
    net = small()
    found = fields(net, (3, 8, 8), ["0", "1", "2", "5"])
    assert [found[name].field[0] for name in ("0", "1", "2")] == [3, 4, 8]
    assert box(found["0"], (0, 0)) == (-1, -1, 2, 2)
    assert box(found["1"], (0, 3)) == (-1, 5, 3, 9)
    assert box(found["2"], (0, 0)) == (-3, -3, 5, 5)
    assert box(found["2"], (1, 2)) == (-1, 1, 7, 9)
    assert not found["5"].is_map


def test_a_box_is_exactly_what_a_unit_depends_on() -> None:
    """Gradients of one unit are zero outside its box and, with positive weights, nowhere zero inside."""
    net = nn.Sequential(nn.Conv2d(1, 1, 5, 2, 1), nn.Conv2d(1, 1, 3, 2, 0))
    for layer in net:
        nn.init.ones_(layer.weight)
    x = torch.rand(1, 1, 32, 32, requires_grad=True)
    net(x)[0, 0, 2, 3].backward()
    y1, x1, y2, x2 = box(fields(net, (1, 32, 32), ["1"])["1"], (2, 3))
    expected = torch.zeros(32, 32, dtype=torch.bool)
    expected[y1:y2, x1:x2] = True
    assert x.grad is not None
    assert torch.equal(x.grad[0, 0] != 0, expected)


def edge_net() -> nn.Sequential:
    """Dark on the left, bright on the right; every second place, one pixel of padding."""
    net = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1, bias=False))
    net[0].weight.data = torch.tensor([-1.0, 0.0, 1.0]).expand(1, 1, 3, 3).clone()
    return net


def test_patches_that_excite_an_edge_filter_are_edges() -> None:
    pictures = torch.zeros(6, 1, 12, 12, dtype=torch.uint8)
    pictures[1] = 250  # flat
    pictures[2, :, :, 5:] = 255  # the strongest step, bright from column 5 on
    pictures[3, :, :, 7:] = 90
    pictures[4, :, :6] = 200  # a horizontal edge
    pictures[5, :, :, :5] = 200  # the other way round
    net = edge_net()
    best = peaks(net, net[0], pictures, [0], count=2)[0]
    assert [one.picture for one in best] == [2, 1]  # the flat picture's edge is its padding
    assert best[0].activation == pytest.approx(3)
    assert best[1].at[1] == 0
    patch = cut(pictures[2].float() / 255, box(fields(net, (1, 12, 12), ["0"])["0"], best[0].at))
    assert patch[0, :, 0].eq(0).all()
    assert patch[0, :, 2].eq(1).all()


def test_a_patch_over_the_edge_is_padded() -> None:
    picture = torch.arange(16.0).reshape(1, 4, 4)
    patch = cut(picture, (-1, 2, 2, 6), fill=-5)
    assert patch[0].tolist() == [[-5, -5, -5, -5], [2, 3, -5, -5], [6, 7, -5, -5]]


def test_peaks_of_a_dense_layer_have_no_place() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    net[1].weight.data = torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1.0]])
    pictures = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    pictures[2, 0, 1, 1] = 255
    best = peaks(net, net[1], pictures, [1], count=1)[0][0]
    assert (best.picture, best.at, best.activation) == (2, (), 1.0)


def test_maximisation_finds_what_a_unit_looks_for() -> None:
    """The unit's template is a bright ring; the picture made from noise must look like it."""
    axis = torch.linspace(-1, 1, 24)
    radius = torch.hypot(axis[:, None], axis[None])
    template = torch.exp(-(((radius - 0.6) / 0.15) ** 2))
    template = template - template.mean()
    made = maximise(lambda p: (p * template).sum((1, 2, 3)), 2, (1, 24, 24), Ascent(steps=40))
    assert made.shape == (2, 1, 24, 24)
    assert 0 <= made.min() <= made.max() <= 1
    for one in made:
        assert torch.corrcoef(torch.stack([one.flatten(), template.flatten()]))[0, 1] > 0.8


def test_maximisation_beats_every_random_smooth_picture_and_repeats() -> None:
    net = small()
    random = F.interpolate(torch.rand(200, 3, 5, 5, generator=torch.Generator().manual_seed(0)), (16, 16), mode="bilinear")
    objective = lambda p: net[:3](p)[:, 2].mean((1, 2))
    made = maximise(objective, 1, (3, 16, 16), Ascent(steps=80))
    with torch.no_grad():
        values = objective(random)
        assert objective(made)[0] > values.max() + values.std()
    assert torch.equal(made, maximise(objective, 1, (3, 16, 16), Ascent(steps=80)))


def test_a_unit_that_is_off_at_the_start_is_woken() -> None:
    """relu(mean - 0.6) is zero, and so is its gradient, for the grey noise that ascent starts from."""
    made = maximise(lambda p: F.relu(p.mean((1, 2, 3)) - 0.6), 1, (1, 16, 16), Ascent(steps=60, contrast=3.0))
    assert made.mean() > 0.62
