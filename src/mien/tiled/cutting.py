"""How a picture is cut into bands and tiles, and what that takes, in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.progress import clock

LEAST, MOST = 128, 512
"""Pixels of a tile's sides, the halo not counted;"""
SHARE = 32
"""in between, so many times the halo: what is computed twice then costs an eighth at most. Smaller tiles that would fit a cache lose
more than they win: convolutions of 64 channels compute far longer than they wait for memory."""
BAND = 256 << 20
"""Bytes that the bands in memory may take, unless a single row of pixels takes more."""


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
