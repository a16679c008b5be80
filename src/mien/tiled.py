"""Image-to-image networks on pictures of any size: tile by tile, equal to the whole, memory and time known before the start.

A tile is cut out with a halo of the pixels its result depends on, computed, and what belongs to the halo thrown away. At the edge of
the picture a tile ends where the picture does, so a network's own padding happens exactly where it would without tiles.
"""

from __future__ import annotations

import math
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from mien.nn.reach.call import tensors
from mien.nn.reach.field import At, Pattern
from mien.nn.trace import trace
from mien.progress import Progress, clock
from mien.runtime import Runtime

Network = Callable[[Tensor], Tensor]
"""(B, C, h, w) -> (B, C', scale h, scale w), numbers of any kind in and out."""
LEAST, MOST = 128, 512
"""Pixels of a tile's sides, the halo not counted;"""
SHARE = 16
"""in between, so many times the halo: what is computed twice then costs a quarter at most. Smaller tiles that would fit a cache lose
more than they win: convolutions of 64 channels compute far longer than they wait for memory."""
TIMED = 2
"""Runs of a tile of which the faster one is believed."""
BAND = 256 << 20
"""Bytes that the bands in memory may take, unless a single row of pixels takes more."""


class Enlarger(Protocol):
    """What enlarges pictures, a network or not."""

    @property
    def name(self) -> str:
        """Of the model."""
        ...

    @property
    def scale(self) -> int:
        """Pixels of the result along one of the input: 2, 3, 4."""
        ...

    @property
    def halo(self) -> int:
        """Pixels of the input around its own that a result depends on."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """(B, 3, h, w) RGB in 0..1 -> (B, 3, scale h, scale w)."""
        ...


@dataclass(frozen=True)
class Span:
    """A stretch of the picture along one axis, in pixels of the input: what a tile gives, and what it has to see for that."""

    start: int
    stop: int
    first: int
    last: int
    """One behind the last pixel seen."""


@dataclass(frozen=True)
class Plan:
    """Which tiles a picture is cut into; says itself in one line."""

    height: int
    """Of the input, pixels."""
    width: int
    scale: int
    halo: int
    bands: tuple[Span, ...]
    """Rows: what is read, computed and handed over at once."""
    columns: tuple[Span, ...]
    workers: int = 1
    memory: int = 0
    """Bytes at most while it runs, those included that the caller holds already; 0 where nothing was measured."""
    seconds: float | None = None
    """Predicted from one tile."""

    @property
    def tiles(self) -> int:
        """How many there are."""
        return len(self.bands) * len(self.columns)

    def __str__(self) -> str:
        tall, wide = (max(span.stop - span.start for span in spans) for spans in (self.bands, self.columns))
        kind = f"of {wide} x {tall} pixels with {self.halo} around"
        facts = [f"{self.width} x {self.height} -> {self.width * self.scale} x {self.height * self.scale}",
                 f"{self.tiles} tile{'s' * (self.tiles > 1)} {kind}"]  # fmt: skip
        if self.memory:
            facts.append(f"about {amount(self.memory)} of memory")
        if self.seconds is not None:
            facts.append(f"about {clock(math.ceil(self.seconds))}")
        return ", ".join(facts)


def amount(size: float) -> str:
    """Bytes in words: `1_500_000_000 -> "1.5 GB"`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def spans(length: int, size: int, halo: int, align: int = 1) -> tuple[Span, ...]:
    """`length` pixels in stretches of at most `size`, about equal; what they see begins, and inside the picture ends, at a multiple of
    `align`.
    """
    step = math.ceil(math.ceil(length / math.ceil(length / size)) / align) * align
    pairs = [(start, min(start + step, length)) for start in range(0, length, step)]
    return tuple(Span(start, stop, max(start - halo, 0) // align * align, min(-(-(stop + halo) // align) * align, length))
                 for start, stop in pairs)


def side(halo: int) -> int:
    """Pixels of a tile's sides for this halo."""
    return min(max(SHARE * halo, LEAST), MOST)


def plan(height: int, width: int, *, scale: int = 1, halo: int = 0, tile: int | None = None, align: int = 1, workers: int = 1,
         pixel: int = 16) -> Plan:
    """Cut a picture of height x width into tiles of at most `tile` pixels a side, the halo not counted; unless given, `side(halo)`.

    `align`: tiles begin at multiples of it, for networks with strides. `pixel`: bytes of a pixel of input and output, channels
    together, that says how high a band may be. ValueError for a picture without pixels, or a tile too small.
    """
    if min(height, width) < 1:
        raise ValueError(f"a picture of {width} x {height} pixels, expected at least 1 x 1")
    tile = side(halo) if tile is None else tile
    if tile < 1 or workers < 1:
        raise ValueError(f"tiles of {tile} pixels and {workers} workers, expected at least 1 of each")
    most = BAND // max(2 * pixel * scale**2 * width, 1)  # two bands are held: one being computed, one being written
    rows = max(min(tile, most // align * align), align)
    return Plan(height, width, scale, halo, spans(height, rows, halo, align), spans(width, tile, halo, align), workers)


def measured(planned: Plan, network: Network, runtime: Runtime, sample: Callable[[int, int], Tensor], held: int = 0) -> Plan:
    """`planned` with memory and time, from one tile; `sample(h, w)` gives such an input (B, C, h, w).

    `held`: bytes that the caller holds beside the tiles (a decoded picture, or all of the process). The first run only
    warms up.
    """
    tall, wide = (max(span.last - span.first for span in spans) for spans in (planned.bands, planned.columns))
    x = sample(tall, wide)

    def one() -> tuple[Tensor, int, float]:
        with LiveBytes() as live:
            y = computed(network, x, runtime)
        times = []
        for _ in range(TIMED):
            began = time.perf_counter()
            float(computed(network, x, runtime).flatten()[-1])  # reading a number waits for the device
            times.append(time.perf_counter() - began)
        return y, live.most, min(times)

    with _shared(runtime, planned.workers) as pool:
        y, most, seconds = pool.submit(one).result() if pool else one()
    area = sum(b.last - b.first for b in planned.bands) * sum(c.last - c.first for c in planned.columns)
    pixels = planned.width * max(b.last - b.first for b in planned.bands)
    ins, outs = (t.nbytes / (tall * wide) for t in (x, y))
    memory = planned.workers * (most + x.nbytes) + pixels * (ins + 2 * outs) + held
    return replace(planned, memory=round(memory), seconds=seconds * area / (tall * wide) / planned.workers)


def run(network: Network, planned: Plan, runtime: Runtime, read: Callable[[int, int], Tensor], write: Callable[[int, Tensor], None], *,
        first: int = 0, label: str = "") -> None:
    """Compute a picture band by band: `read(top, bottom)` gives rows (B, C, n, W) of the input, `write(top, rows)` takes rows
    (B, C', scale n, scale W) of the result, in order, `top` in pixels of the result.

    `first`: the band to begin with, where those before it are done. `label`: what the progress is called; none is shown without.
    While a band is written the workers compute the next. Stopped by an exception (Ctrl-C is one), no tile is left running.
    ValueError where the network does not enlarge as the plan says.
    """
    bar = Progress(label, planned.tiles, "tiles") if label else None
    if bar is not None:
        bar.__enter__()
        bar.done = first * len(planned.columns)
    count = (lambda: bar.advance()) if bar is not None else (lambda: None)
    try:
        with torch.inference_mode(), _shared(runtime, planned.workers) as pool:
            before: tuple[Span, Band] | None = None
            for band in planned.bands[first:]:
                now = Band(network, planned, runtime, band, read(band.first, band.last), pool, count)
                if before is not None:
                    write(before[0].start * planned.scale, before[1].result())
                before = band, now
            if before is not None:
                write(before[0].start * planned.scale, before[1].result())
    finally:
        if bar is not None:
            bar.__exit__(None, None, None)


def apply(network: Network, x: Tensor, planned: Plan, runtime: Runtime) -> Tensor:
    """(B, C, H, W) -> (B, C', scale H, scale W) in memory, tile by tile."""
    rows: list[Tensor] = []
    run(network, planned, runtime, lambda top, bottom: x[..., top:bottom, :], lambda _, band: rows.append(band))
    return rows[0] if len(rows) == 1 else torch.cat(rows, -2)


class Band:
    """A row of tiles on its way."""

    def __init__(self, network: Network, planned: Plan, runtime: Runtime, band: Span, rows: Tensor, pool: ThreadPoolExecutor | None,
                 count: Callable[[], None]) -> None:
        self.planned, self.band, self.rows, self.count = planned, band, rows, count
        self.tile = lambda span: computed(network, rows[..., span.first : span.last], runtime)
        self.waiting: Sequence[Future[Tensor]] = [pool.submit(self.tile, span) for span in planned.columns] if pool else []

    def result(self) -> Tensor:
        """All of its pixels (B, C', scale n, scale W)."""
        s, band, out = self.planned.scale, self.band, None
        for place, span in enumerate(self.planned.columns):
            y = self.waiting[place].result() if self.waiting else self.tile(span)
            expected = s * (band.last - band.first), s * (span.last - span.first)
            if tuple(y.shape[-2:]) != expected:
                raise ValueError(f"the network makes {tuple(y.shape[-2:])} of a tile {self.rows.shape[-2], span.last - span.first}, "
                                 f"expected {expected}: {s} times the size")  # fmt: skip
            if out is None:
                out = y.new_empty((*y.shape[:2], s * (band.stop - band.start), s * self.planned.width), device="cpu")
            top, left = s * (band.start - band.first), s * (span.start - span.first)
            out[..., s * span.start : s * span.stop] = y[..., top : top + out.shape[-2], left : left + s * (span.stop - span.start)]
            self.count()
        assert out is not None
        return out


def computed(network: Network, x: Tensor, runtime: Runtime) -> Tensor:
    """One tile, in the device's layout and precision."""
    layout = torch.channels_last if runtime.channels_last else torch.contiguous_format
    with torch.inference_mode(), runtime.autocast():  # both are a thread's own
        return network(x.to(runtime.device).contiguous(memory_format=layout))


@contextmanager
def _shared(runtime: Runtime, workers: int) -> Iterator[ThreadPoolExecutor | None]:
    """As many threads as workers, torch's own shared out among them; None for one worker, which needs no other thread."""
    if workers == 1:
        yield None
        return
    before = torch.get_num_threads()
    share = max(runtime.threads // workers, 1)
    pool = ThreadPoolExecutor(workers, "tile", initializer=lambda: torch.set_num_threads(share))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that operations inside make and that are alive: `most` at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._users: Counter[int] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for x in tensors([out]):
            storage = x.untyped_storage()
            place, size = storage.data_ptr(), storage.nbytes()
            if not self._users[place]:
                self.now += size
                self.most = max(self.most, self.now)
            self._users[place] += 1
            weakref.finalize(x, self._gone, place, size)
        return out

    def _gone(self, place: int, size: int) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            self.now -= size


def halo(net: nn.Module, shape: tuple[int, int, int] = (3, 48, 48), scale: int = 1,
         run: Callable[[Tensor], object] | None = None) -> int:
    """Pixels of its input around its own that a result of `net` depends on, from its computed receptive field.

    `shape`: of an input it takes; `run`: a function that calls it, as `mien.nn.trace.trace` takes one. ValueError where the last layer
    does not give `scale` times the input's size, or depends on the whole picture, however large (a mean over it, attention).
    """
    last = trace(net, shape, run).layers[-1]
    sides = tuple(scale * side for side in shape[1:])
    if last.shape[-2:] != sides:
        raise ValueError(f"the network gives {last.shape[-2:]} for an input of {shape[1:]}, expected {sides}")
    reach = 0
    for place in last.reach.places:
        if not isinstance(place, At) or place.pattern.stride * scale != 1:
            raise ValueError(f"a result of the network's last layer ({last.name}) depends on the whole picture: it cannot be tiled")
        reach = max(reach, _around(place.pattern, scale))
    return reach


def _around(pattern: Pattern, scale: int) -> int:
    """Pixels to either side, whichever is more, over one period of the result's positions."""
    seen = [(p // scale, *pattern.window(p)) for p in range(math.lcm(len(pattern.lows), scale))]
    return int(max(0, *(own - low for own, low, _ in seen), *(high - own for own, _, high in seen)))
