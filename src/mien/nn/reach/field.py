"""Which pixels of the input a position of a feature map depends on, exactly, along one axis.

A map is a lattice that goes on for ever in both directions, padding included, so that fields larger than the picture come out as the
papers print them. Its windows repeat: a convolution's at every position, those behind a pixel shuffle only at every second one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

Taps = Callable[[int], Iterable[int]]
"""An output position -> the input positions it looks at."""


@dataclass(frozen=True)
class Pattern:
    """Position p sees the pixels of `window(p)`."""

    lows: tuple[float, ...] = (0,)
    """First pixel seen from positions 0, 1...; one period of them. Infinity where nothing is seen."""
    highs: tuple[float, ...] = (0,)
    """Last pixels."""
    advance: int = 1
    """Pixels by which the windows move on in one period."""

    @property
    def size(self) -> int:
        """Pixels in the largest window: the receptive field."""
        return int(max(high - low + 1 for low, high in zip(self.lows, self.highs, strict=True)))

    @property
    def stride(self) -> Fraction:
        """Pixels from one position to the next."""
        return Fraction(self.advance, len(self.lows))

    def window(self, p: int) -> tuple[float, float]:
        """First and last pixel seen from position p, which may be negative."""
        rounds, phase = divmod(p, len(self.lows))
        return self.lows[phase] + rounds * self.advance, self.highs[phase] + rounds * self.advance

    def through(self, taps: Taps, step: Fraction | int = 1) -> Pattern:
        """Behind a layer whose output q looks at positions taps(q), where taps(q + n) = taps(q) + n * step for whole n * step."""
        step, period = Fraction(step), len(self.lows)
        rounds = period // math.gcd(period, abs(step.numerator))
        ends = []
        for q in range(step.denominator * rounds):
            seen = [self.window(p) for p in taps(q)]
            ends.append((min((low for low, _ in seen), default=math.inf), max((high for _, high in seen), default=-math.inf)))
        lows, highs = zip(*ends, strict=True)
        return Pattern(lows, highs, step.numerator * rounds * self.advance // period)

    def join(self, other: Pattern) -> Pattern | None:
        """What a sum of two maps sees; None where the two do not move alike."""
        if self.stride != other.stride:
            return None
        period = math.lcm(len(self.lows), len(other.lows))
        pairs = [(self.window(p), other.window(p)) for p in range(period)]
        lows, highs = tuple(min(a[0], b[0]) for a, b in pairs), tuple(max(a[1], b[1]) for a, b in pairs)
        return Pattern(lows, highs, int(period * self.stride))


@dataclass(frozen=True)
class At:
    """The window depends on where one is along dimension `dim` of a tensor."""

    dim: int
    pattern: Pattern


@dataclass(frozen=True)
class Span:
    """The same pixels, `low` to `high`, wherever one is."""

    low: float
    high: float


Place = At | Span


@dataclass(frozen=True)
class Field:
    """What a tensor depends on: one place for every axis of the picture, and the picture's size along it."""

    places: tuple[Place, ...]
    picture: tuple[int, ...]

    def spanned(self, lengths: tuple[int, ...], dims: Iterable[int] | None = None) -> Field:
        """All positions along `dims` (None: all) mixed; `lengths` is the tensor's shape."""
        chosen = set(range(len(lengths)) if dims is None else dims)
        return self.mapped(lambda at, size: _span(at, lengths[at.dim], size) if at.dim in chosen else at)

    def mapped(self, change: Callable[[At, int], Place]) -> Field:
        """Every place that depends on the position replaced by change(place, picture's size there)."""
        pairs = zip(self.places, self.picture, strict=True)
        return Field(tuple(change(place, size) if isinstance(place, At) else place for place, size in pairs), self.picture)

    def through(self, dim: int, taps: Taps, step: Fraction | int = 1) -> Field:
        """Behind a layer that looks along `dim` (see `Pattern.through`)."""
        return self.mapped(lambda at, _: At(dim, at.pattern.through(taps, step)) if at.dim == dim else at)

    def renamed(self, dims: Callable[[int], int]) -> Field:
        """Dimension d of the tensor has become dims(d)."""
        return self.mapped(lambda at, _: At(dims(at.dim), at.pattern))

    def join(self, other: Field) -> Field:
        """What something made of both depends on."""
        assert self.picture == other.picture
        return Field(tuple(map(_joined, self.places, other.places, self.picture)), self.picture)


def _span(at: At, length: int, size: int) -> Span:
    """The pixels of the picture seen from all positions together; of a single position all its window, edge or not."""
    ends = [at.pattern.window(p) for p in range(length)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return Span(low, high) if length == 1 else Span(max(low, 0), min(high, size - 1))


def _joined(a: Place, b: Place, size: int) -> Place:
    if isinstance(a, At) and isinstance(b, At) and a.dim == b.dim:
        both = a.pattern.join(b.pattern)
        return At(a.dim, both) if both else Span(0, size - 1)
    if isinstance(a, Span) and isinstance(b, Span):
        return Span(min(a.low, b.low), max(a.high, b.high))
    return Span(0, size - 1)
