"""Tiles: equal to the whole picture, whatever its size; the halo; the plan; stopping."""

import threading
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mien.runtime import Runtime
from mien.tiled import Plan, Span, apply, halo, measured, plan, run, running, spans
from mien.tiled.cutting import BAND

CPU = Runtime(torch.device("cpu"), "fp32", True, 1, "for a test")


class Residual(nn.Module):
    """VDSR's shape: a stack of 3 x 3 convolutions and what it adds to."""

    def __init__(self, layers: int = 4) -> None:
        super().__init__()
        widths = [3, *[8] * (layers - 1), 3]
        self.body = nn.Sequential(*[part for a, b in pairwise(widths) for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())][:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def shuffled() -> nn.Module:
    """Twice the size through a pixel shuffle."""
    return nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2))


def hourglass() -> nn.Module:
    """Down by 4 and up again, as networks for style transfer do."""
    down = nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, 2, 1), nn.ReLU()
    return nn.Sequential(*down, nn.Upsample(scale_factor=4), nn.Conv2d(6, 3, 3, padding=1))


torch.manual_seed(0)
NETS = {"residual": (Residual(), 1, 4, 1), "shuffled": (shuffled(), 2, 3, 1), "hourglass": (hourglass(), 1, None, 4)}
"""Network, scale, halo counted by hand, align."""
NETS = {name: (net.eval().requires_grad_(False), *rest) for name, (net, *rest) in NETS.items()}


@pytest.mark.parametrize("name", ["residual", "shuffled"])
@given(height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(1, 48))
def test_tiles_give_the_whole(name: str, height: int, width: int, tile: int):
    net, scale, around, _ = NETS[name]
    x = torch.rand(1, 3, height, width)
    out = apply(net, x, plan(height, width, scale=scale, halo=around, tile=max(tile, (height * width) // 40)), CPU)
    torch.testing.assert_close(out, net(x), atol=1e-5, rtol=0)


@given(height=st.integers(1, 12), width=st.integers(1, 12), tile=st.integers(1, 20))
def test_tiles_of_a_network_with_strides_begin_where_it_steps(height: int, width: int, tile: int):
    net, _, _, align = NETS["hourglass"]
    x = torch.rand(1, 3, 4 * height, 4 * width)
    out = apply(net, x, plan(4 * height, 4 * width, halo=halo(net), tile=tile, align=align), CPU)
    torch.testing.assert_close(out, net(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NETS)
def test_a_smaller_halo_shows(name: str):
    """So the comparisons above would see it."""
    net, scale, _, align = NETS[name]
    around = halo(net, scale=scale)
    x = torch.rand(1, 3, 64, 64)
    short = apply(net, x, plan(64, 64, scale=scale, halo=around - align, tile=24, align=align), CPU)
    assert (short - net(x)).abs().max() > 1e-5


@pytest.mark.parametrize("name", ["residual", "shuffled"])
def test_the_halo_is_the_one_counted_by_hand(name: str):
    net, scale, around, _ = NETS[name]
    assert halo(net, scale=scale) == around


def test_the_halo_of_a_network_with_strides():
    """By hand: pixel 0 looks at the enlarged map from -1 on, whose -1 is position -1 of the map of stride 4, which sees -4-3..-4+3."""
    assert halo(NETS["hourglass"][0]) == 7


def test_a_network_that_sees_the_whole_picture_has_no_halo():
    class Gate(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.mean((2, 3), keepdim=True)

    with pytest.raises(ValueError, match="depends on the whole picture"):
        halo(Gate())
    with pytest.raises(ValueError, match=r"gives \(24, 24\) for an input of \(48, 48\)"):
        halo(nn.Conv2d(3, 3, 2, 2))


@given(length=st.integers(1, 500), size=st.integers(1, 300), around=st.integers(0, 30), align=st.integers(1, 8))
def test_spans_cover_everything_once(length: int, size: int, around: int, align: int):
    found = spans(length, size, around, align)
    assert [span.start for span in found] == [0, *(span.stop for span in found[:-1])]
    assert found[-1].stop == length
    for span in found:
        assert span.stop - span.start <= -(-size // align) * align
        assert span.first == 0 or (span.first % align == 0 and span.first <= span.start - around)
        assert span.last == length or (span.last % align == 0 and span.last >= span.stop + around)


def test_a_span_ends_where_the_picture_does():
    assert spans(10, 4, 3) == (Span(0, 4, 0, 7), Span(4, 8, 1, 10), Span(8, 10, 5, 10))


def test_several_workers_give_the_same_and_leave_torch_as_it_was():
    net, scale, around, _ = NETS["shuffled"]
    x, seen = torch.rand(1, 3, 50, 70), set()

    def network(x: Tensor) -> Tensor:
        seen.add(threading.current_thread().name)
        return net(x)

    threads = torch.get_num_threads()
    out = apply(network, x, plan(50, 70, scale=scale, halo=around, tile=10, workers=3), CPU)
    torch.testing.assert_close(out, net(x), atol=1e-5, rtol=0)
    assert "MainThread" not in seen
    assert torch.get_num_threads() == threads


def test_bands_are_read_and_written_in_order_and_go_on_where_they_stopped():
    net, scale, around, _ = NETS["shuffled"]
    x, asked, given_back = torch.rand(1, 3, 100, 30), [], {}
    planned = plan(100, 30, scale=scale, halo=around, tile=25)

    def read(top: int, bottom: int) -> Tensor:
        asked.append((top, bottom))
        return x[:, :, top:bottom]

    run(net, planned, CPU, read, given_back.__setitem__, first=2)
    assert asked == [(47, 78), (72, 100)]
    assert list(given_back) == [100, 150]
    torch.testing.assert_close(torch.cat([*given_back.values()], 2), net(x)[:, :, 100:], atol=1e-5, rtol=0)


def test_numbers_of_any_kind_pass():
    def inverse(x: Tensor) -> Tensor:
        return (65535 - x.int()).to(torch.uint16)

    x = torch.arange(12 * 10, dtype=torch.int32).reshape(1, 1, 12, 10).to(torch.uint16)
    out = apply(inverse, x, plan(12, 10, tile=5), CPU)
    assert out.dtype == torch.uint16
    assert out.int().equal(65535 - x.int())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_leaves_nothing_running(workers: int, capsys: pytest.CaptureFixture[str]):
    calls = []

    def stops(x: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return x

    before, planned = threading.active_count(), plan(90, 90, tile=10, workers=workers)
    with pytest.raises(KeyboardInterrupt):
        run(stops, planned, CPU, lambda a, b: torch.rand(1, 3, b - a, 90), lambda *_: None, label="enlarge")
    assert threading.active_count() == before
    assert "enlarge" in capsys.readouterr().err


def test_a_network_of_another_scale_is_refused():
    with pytest.raises(ValueError, match=r"makes \(10, 10\) of a tile \(10, 10\), expected \(20, 20\): 2 times the size"):
        apply(lambda x: x, torch.rand(1, 3, 10, 10), plan(10, 10, scale=2), CPU)


def test_bf16_is_used_where_it_is_asked_for():
    kinds = []

    def network(x: Tensor) -> Tensor:
        y = NETS["residual"][0].body(x)
        kinds.append((y.dtype, x.is_contiguous(memory_format=torch.channels_last)))
        return y

    rough = Runtime(torch.device("cpu"), "bf16", True, 1, "for a test")
    for workers in (1, 2):
        apply(network, torch.rand(1, 3, 9, 9), plan(9, 9, tile=5, workers=workers), rough)
    assert set(kinds) == {(torch.bfloat16, True)}


def test_the_plan_says_itself_before_it_starts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "resident", lambda: 0)
    net, scale, around, _ = NETS["shuffled"]
    planned = plan(100, 300, scale=scale, halo=around, tile=64)
    told = measured(planned, net, CPU, lambda h, w: torch.rand(1, 3, h, w), held=123_000_000)
    assert str(planned) == "300 x 100 -> 600 x 200, 10 tiles of 60 x 50 pixels with 3 around"
    assert str(told).startswith(f"{planned}, about 12")
    assert told.seconds is not None
    assert told.seconds > 0
    tile = (60 + 6) * (50 + 3) * 4  # float32; alive at once: 3 channels that came, 12 before and 12 after the shuffle
    bands = (300 * 53 * 3 + 2 * 600 * 106 * 3) * 4
    assert 123_000_000 + bands + 27 * tile <= told.memory <= 123_000_000 + bands + 40 * tile
    held = iter((200_000_000, 250_000_000))
    monkeypatch.setattr(running, "resident", lambda: next(held))
    more = measured(planned, net, CPU, lambda h, w: torch.rand(1, 3, h, w), held=123_000_000).memory - told.memory
    assert 50_000_000 - 40 * tile <= more <= 50_000_000, "beside tensors, libraries take memory as they run for the first time"


def test_wide_pictures_get_lower_bands():
    low = plan(1000, 200_000, scale=4, tile=128)
    assert len(low.columns) == 1563
    assert max(span.stop - span.start for span in low.bands) * 200_000 * 16 * 2 * 16 <= BAND


@pytest.mark.parametrize(("height", "width", "tile", "words"), [(0, 5, 128, "5 x 0 pixels"), (5, 5, 0, "tiles of 0 pixels")])
def test_what_cannot_be_planned_is_refused(height: int, width: int, tile: int, words: str):
    with pytest.raises(ValueError, match=words):
        plan(height, width, tile=tile)


def test_a_plan_is_a_value():
    assert plan(7, 7) == Plan(7, 7, 1, 0, (Span(0, 7, 0, 7),), (Span(0, 7, 0, 7),))
