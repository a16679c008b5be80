"""The calculator of receptive fields, parameters and multiplications: published numbers, hand-computed nets, and measured fields."""

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mien.models.catalog import NETWORKS
from mien.models.resnet import resnet
from mien.models.swap import SwapNet
from mien.nn.reach.field import Pattern
from mien.nn.trace import Trace, trace


def traced(name: str) -> Trace:
    with torch.device("meta"):
        net = NETWORKS[name].build()
    return trace(net, NETWORKS[name].shape)


@pytest.mark.parametrize(("name", "field"), [
    ("lenet5", 32), ("lenet5-1998", 32), ("alexnet", 195), ("zfnet", 171), ("vgg16", 212), ("vgg19", 268), ("resnet18", 435),
    ("resnet20", 81),
])  # fmt: skip
def test_published_receptive_fields(name: str, field: int) -> None:
    assert traced(name).field == (field, field)


@pytest.mark.parametrize(("name", "field"), [("resnet50", 483), ("resnet101", 1027), ("resnet152", 1507)])
def test_published_receptive_fields_are_of_the_papers_bottleneck(name: str, field: int) -> None:
    with torch.device("meta"):
        net = resnet(name, v1=True)
    assert trace(net, (3, 224, 224)).field == (field, field)


@pytest.mark.parametrize(("name", "gmacs"), [
    ("vgg16", 15.470), ("swap-original", 1.900), ("resnet18", 1.814), ("resnet50", 4.089), ("alexnet-one", 1.135),
])  # fmt: skip
def test_published_multiplications(name: str, gmacs: float) -> None:
    assert traced(name).macs / 1e9 == pytest.approx(gmacs, abs=6e-4)


def test_lenet_layer_by_layer() -> None:
    """The first layers by hand: C1 6 @ 28 x 28 of 25 inputs each; C3 16 @ 10 x 10 of 150 inputs each; C5 120 of 400."""
    rows = [(row.kind, row.shape, row.parameters, row.macs, row.field, row.stride) for row in traced("lenet5").layers]
    assert [row for row in rows if row[0] != "ReLU"] == [
        ("Conv2d", (6, 28, 28), 156, 6 * 28 * 28 * 25, (5, 5), (1, 1)),
        ("MaxPool2d", (6, 14, 14), 0, 0, (6, 6), (2, 2)),
        ("Conv2d", (16, 10, 10), 2416, 16 * 10 * 10 * 150, (14, 14), (2, 2)),
        ("MaxPool2d", (16, 5, 5), 0, 0, (16, 16), (4, 4)),
        ("Conv2d", (120, 1, 1), 48120, 120 * 400, (32, 32), (4, 4)),
        ("Flatten", (120,), 0, 0, (32, 32), (0, 0)),
        ("Linear", (84,), 10164, 84 * 120, (32, 32), (0, 0)),
        ("Linear", (10,), 850, 840, (32, 32), (0, 0)),
    ]


def test_the_whole_picture_behind_dense_layers_and_global_pooling() -> None:
    vgg = traced("vgg16").layers
    assert (vgg[-1].field, vgg[-1].is_map) == ((224, 224), False)
    assert traced("resnet18").layers[-1].field == (224, 224)
    assert traced("mlp").field == (32, 32)


def test_parameters_of_all_rows_are_those_of_the_network() -> None:
    for name in ("lenet5-1998", "googlenet", "densenet-bc-100-12", "lstm", "swap-compact", "speednet", "dlib-face"):
        result = traced(name)
        assert sum(row.parameters for row in result.layers) == result.parameters
        assert sum(row.macs for row in result.layers) == result.macs


def test_additions_and_concatenations_have_rows() -> None:
    residual = [row for row in traced("resnet18").layers if row.kind == "add"]
    assert [row.shape[0] for row in residual] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [row.field[0] for row in residual] == [27, 43, 67, 99, 147, 211, 307, 435]  # 435 and, stage by stage, as for VGG's 3 x 3
    joined = [row for row in traced("googlenet").layers if row.kind == "cat"]
    assert [row.shape[0] for row in joined] == [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_groups_dilation_and_transposed_convolutions() -> None:
    net = nn.Sequential(nn.Conv2d(8, 16, 3, padding=2, dilation=2, groups=4), nn.ConvTranspose2d(16, 4, 4, 2, 1), nn.PixelShuffle(2))
    dilated, up, shuffled = trace(net, (8, 10, 10)).layers
    assert (dilated.field, dilated.macs) == ((5, 5), 1600 * 2 * 9)  # 16 maps of 10 x 10, two channels a group
    assert (up.field, up.stride, up.macs) == ((6, 6), (0.5, 0.5), 16 * 10 * 10 * 4 * 16)  # two neighbours, each five wide
    assert (shuffled.shape, shuffled.field, shuffled.stride) == ((1, 40, 40), (6, 6), (0.25, 0.25))


def test_windows_of_single_positions() -> None:
    """Three 3 x 3 convolutions, the second with stride 2: position p sees 9 pixels around 2 p, over the edge in the corner."""
    net = nn.Sequential(nn.Conv2d(1, 1, 3, 1, 1), nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, 3, 1, 1))
    last = trace(net, (1, 20, 30)).layers[-1]
    assert last.window((0, 7)) == ((-4, 5), (10, 19))
    assert traced("vgg16").layers[-1].window(()) == ((0, 224), (0, 224))


def test_one_and_three_dimensions() -> None:
    assert [row.field for row in traced("signal").layers if row.kind == "Conv1d"] == [(5,), (14,), (32,)]
    first = traced("volume").layers[0]
    assert (first.shape, first.field, first.macs) == ((5, 10, 10, 10), (5, 5, 5), 5 * 1000 * 125)
    wide = nn.Sequential(nn.Conv2d(1, 1, (3, 7), padding=(1, 3)), nn.MaxPool2d((1, 2)))
    assert trace(wide, (1, 8, 8)).field == (3, 8)


class Attention(nn.Module):
    """Every position looks at every other."""

    def __init__(self) -> None:
        super().__init__()
        self.key, self.value = nn.Conv1d(4, 4, 1), nn.Conv1d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.value(x) @ (x.transpose(1, 2) @ self.key(x)).softmax(-1)


def test_what_mixes_all_positions_sees_the_whole_picture() -> None:
    result = trace(Attention(), (4, 9))
    assert (result.layers[-1].field, result.layers[-1].is_map) == ((9,), False)
    assert result.macs == 2 * 9 * 16 + 2 * 9 * 9 * 4
    norm = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.InstanceNorm2d(4))
    assert trace(norm, (4, 12, 12)).layers[-1].field == (12, 12)


@pytest.mark.parametrize(("module", "field"), [
    (nn.PReLU(2), 3), (nn.Hardswish(), 3), (nn.LogSigmoid(), 3), (nn.GLU(1), 3), (nn.SiLU(inplace=True), 3), (nn.Softmax(1), 3),
    (nn.ReflectionPad2d(4), 3), (nn.PixelUnshuffle(2), 4), (nn.Upsample(scale_factor=3), 3), (nn.LPPool2d(2, 2), 4),
    (nn.Upsample(scale_factor=2, mode="bicubic"), 6), (nn.AdaptiveMaxPool2d(8), 4 + 2), (nn.AdaptiveAvgPool2d(7), 6 + 2),
    (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), 5),
    (nn.Softmax2d(), 3), (nn.GroupNorm(1, 2), 32), (nn.LayerNorm([32, 32]), 32), (nn.AdaptiveAvgPool2d(1), 32),
])  # fmt: skip
def test_behind_a_convolution_of_three(module: nn.Module, field: int) -> None:
    """32 places in 8 windows of 4, in 7 windows of up to 6; each window's edges see a pixel further."""
    assert trace(nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), module), (3, 32, 32)).layers[-1].field == (field, field)


def test_axes_are_counted_apart() -> None:
    assert trace(nn.Sequential(nn.Conv2d(3, 2, (3, 5)), nn.Softmax(2)), (3, 32, 40)).layers[-1].field == (32, 5)


def test_torchs_own_recurrent_and_attention_layers() -> None:
    """An LSTM's eight matrices meet each of nine moments; a transformer's attention sees all moments."""
    class Sequence(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            out = self.inner(x.transpose(1, 2))
            return out[0] if isinstance(out, tuple) else out
    lstm = trace(Sequence(nn.LSTM(4, 6, batch_first=True)), (4, 9))
    assert (lstm.macs, lstm.parameters, lstm.layers[-1].field) == (9 * 4 * 6 * (4 + 6), 288, (9,))
    attention = trace(Sequence(nn.TransformerEncoderLayer(4, 2, 16, batch_first=True)), (4, 9))
    assert attention.layers[-1].field == (9,)
    assert attention.macs == 9 * (4 * 4 * 4 + 2 * 4 * 16) + 2 * 9 * 9 * 4


def test_a_recurrent_network_sees_one_row_more_at_every_step() -> None:
    with torch.device("meta"):
        net = NETWORKS["gru"].build()
    assert trace(net[:2], (1, 28, 28)).layers[-1].field == (28, 28)
    assert trace(net[:2], (1, 5, 28), lambda x: net[1].cell(net[0](x)[:, 3], (torch.zeros(1, 128),))).layers[-1].field == (1, 28)


def test_the_network_stays_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    net[2].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    trace(net, (3, 8, 8))
    assert net.training
    assert not net[2].training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert net(torch.randn(2, 3, 8, 8)).shape == (2, 4, 6, 6)


def test_a_function_around_the_network() -> None:
    net = SwapNet("ab", "tiny")
    result = trace(net, (3, 32, 32), lambda x: net(x, "b"))
    assert {row.name.split(".")[1] for row in result.layers if row.name.startswith("decoders")} == {"b"}
    assert result.parameters == sum(p.numel() for p in net.parameters())


def test_a_shape_that_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match=r"does not run on an input of shape \(1, 8, 8\)"):
        trace(nn.Conv2d(3, 4, 3), (1, 8, 8))


def test_patterns_by_hand() -> None:
    shuffled = Pattern().through(lambda q: [q // 2], Fraction(1, 2))
    assert (shuffled.stride, shuffled.window(5), shuffled.window(-1)) == (Fraction(1, 2), (2, 2), (-1, -1))
    three = shuffled.through(lambda q: range(q - 1, q + 2))
    assert (three.window(0), three.window(1), three.size) == ((-1, 0), (0, 1), 2)
    assert Pattern().join(shuffled) is None


# Measured fields: a NaN in the input reaches exactly the outputs that depend on it, through maxima and zero weights too.

LENGTH = 600


class Branches(nn.Module):
    """Two ways whose results are added or put side by side."""

    def __init__(self, one: nn.Module, two: nn.Module, side_by_side: bool) -> None:
        super().__init__()
        self.one, self.two, self.side_by_side = one, two, side_by_side

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.one(x), self.two(x)
        return torch.cat([a, b], 1).mean(1, keepdim=True) if self.side_by_side else a + b


class Every(nn.Module):
    """x[..., start::step]."""

    def __init__(self, start: int, step: int) -> None:
        super().__init__()
        self.start, self.step = start, step

    def forward(self, x: Tensor) -> Tensor:
        return x[..., self.start :: self.step]


class Shuffle(nn.Module):
    """Pixel shuffle along a line: two channels become two positions."""

    def __init__(self) -> None:
        super().__init__()
        self.two = nn.Conv1d(1, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(self.two(x)[:, :, None].expand(-1, -1, 2, -1), 2)[:, :, 0]


odd = st.sampled_from([1, 3, 5])
same_size = st.builds(lambda k, d: nn.Conv1d(1, 1, k, padding=k // 2 * d, dilation=d), odd, st.integers(1, 3))
layer = st.one_of(
    st.builds(lambda k, s, p, d: nn.Conv1d(1, 1, k, s, p, d),
              st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
    st.builds(lambda k, s: nn.MaxPool1d(k, s, k // 2), st.integers(2, 4), st.integers(1, 3)),
    st.builds(lambda k, s: nn.AvgPool1d(k, s), st.integers(1, 4), st.integers(1, 3)),
    st.builds(lambda k, s: nn.ConvTranspose1d(1, 1, k + s, s, k // 2), st.integers(0, 2), st.integers(1, 3)),
    st.builds(Every, st.integers(0, 2), st.integers(1, 2)),
    st.builds(Branches, same_size, same_size, st.booleans()),
    st.builds(lambda mode: nn.Upsample(scale_factor=2, mode=mode), st.sampled_from(["nearest", "linear"])),
    st.builds(nn.ConstantPad1d, st.tuples(st.integers(0, 3), st.integers(0, 3)), st.just(0.0)),
    st.builds(Shuffle), st.builds(nn.ReLU),
)


@torch.no_grad()
def touched(net: nn.Module, first: int, stop: int, p: int) -> list[int]:
    """Those of the input's places first..stop-1 that make output p NaN when they are."""
    places = torch.arange(max(first, 0), min(stop, LENGTH))
    x = torch.rand(len(places), 1, LENGTH)
    x[torch.arange(len(places)), :, places] = math.nan
    return places[net.eval()(x)[:, 0, p].isnan()].tolist()


@settings(max_examples=60)
@given(st.lists(layer, min_size=1, max_size=3), st.integers(-2, 2))
def test_the_computed_window_is_the_one_measured(layers: list[nn.Module], off_centre: int) -> None:
    net = nn.Sequential(*layers)
    last = trace(net, (1, LENGTH)).layers[-1]
    p = last.shape[-1] // 2 + off_centre
    (start, stop), = last.window((p,))
    seen = touched(net, start - 20, stop + 20, p)
    assert (seen[0], seen[-1] + 1) == (start, stop)
    assert stop - start <= last.field[0]


@pytest.mark.parametrize("build", [
    lambda: nn.Sequential(nn.Conv2d(1, 4, 5, 2, 2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3, padding=1, groups=2)),
    lambda: nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.PixelShuffle(2), nn.Conv2d(2, 3, 3, padding=1), nn.Sigmoid()),
    lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=2, dilation=2), nn.ConvTranspose2d(2, 2, 4, 2, 1), nn.Conv2d(2, 1, 3, 3)),
])  # fmt: skip
def test_the_field_is_where_the_gradient_is_not_zero(build: Callable[[], nn.Module]) -> None:
    net = build()
    for p in net.parameters():
        nn.init.uniform_(p, 0.01, 0.02)
    x = torch.rand(1, 1, 48, 48, requires_grad=True)
    out = net(x)
    last = trace(net, (1, 48, 48)).layers[-1]
    for at in ((out.shape[2] // 2, out.shape[3] // 2), (out.shape[2] // 2 + 1, out.shape[3] // 2)):
        grad, = torch.autograd.grad(out[0, :, at[0], at[1]].sum(), x, retain_graph=True)
        rows, columns = grad[0, 0].nonzero().unbind(1)
        assert ((int(rows.min()), int(rows.max()) + 1), (int(columns.min()), int(columns.max()) + 1)) == last.window(at)
