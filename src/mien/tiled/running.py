"""Tiles computed: band by band, by several workers, with their memory and time measured on one of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mien.progress import Progress
from mien.runtime import Runtime, resident
from mien.tiled.cutting import Plan, Span
from mien.tiled.live import LiveBytes

Network = Callable[[Tensor], Tensor]
"""(B, C, h, w) -> (B, C', scale h, scale w), numbers of any kind in and out."""
TIMED = 2, 16
"""A tile is timed at least and at most so often, a hundredth of all in between; the fastest run is believed: on a busy machine others
mislead."""
PROBE, STEP = 48, 16
"""The tile that is measured has at most this part of all that is to be computed, or the fewest pixels a side that make sense."""


def measured(planned: Plan, network: Network, runtime: Runtime, sample: Callable[[int, int], Tensor], held: int = 0) -> Plan:
    """`planned` with memory and time, from one tile, a smaller one for a small picture; `sample(h, w)` gives an input (B, C, h, w).

    `held`: bytes that the caller holds beside the tiles (a decoded picture, or all of the process). The first run only
    warms up; what it makes the process hold beside tensors (libraries, their scratch memory) counts.
    """
    tall, wide = (max(span.last - span.first for span in spans) for spans in (planned.bands, planned.columns))
    area = sum(b.last - b.first for b in planned.bands) * sum(c.last - c.first for c in planned.columns)
    most = math.ceil(math.sqrt(area / PROBE) / STEP) * STEP
    height, width = min(tall, most), min(wide, most)
    x = sample(height, width)

    def one() -> tuple[Tensor, int, float]:
        with LiveBytes() as live:
            y = computed(network, x, runtime)
        times = []
        for _ in range(min(max(area // (100 * height * width), TIMED[0]), TIMED[1])):
            began = time.perf_counter()
            float(computed(network, x, runtime).flatten()[-1])  # reading a number waits for the device
            times.append(time.perf_counter() - began)
        return y, live.most, min(times)

    before = resident()
    with _shared(runtime, planned.workers) as pool:
        y, live, seconds = pool.submit(one).result() if pool else one()
    beside = max((resident() or 0) - before - live, 0) if before is not None else 0
    pixels = planned.width * max(b.last - b.first for b in planned.bands)
    ins, outs, alive = (size / (height * width) for size in (x.nbytes, y.nbytes, live + x.nbytes))
    memory = planned.workers * tall * wide * alive + pixels * (ins + 2 * outs) + held + beside
    return replace(planned, memory=round(memory), seconds=seconds * area / (height * width) / planned.workers)


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


def batch(rows: np.ndarray) -> Tensor:
    """(n, W, C) -> (1, C, n, W), the same memory."""
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy()).permute(2, 0, 1)[None]


def pixels(part: Tensor) -> np.ndarray:
    """(1, C, n, W) -> (n, W, C)."""
    return part[0].permute(1, 2, 0).contiguous().numpy()


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
