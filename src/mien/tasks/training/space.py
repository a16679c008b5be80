"""What a search may try: ranges and choices, as text and as numbers; drawing from them, and narrowing them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

Value = float | int | str
Settings = dict[str, Value]
FLAGS = ("log", "whole")
DIGITS = 4
"""Of a number that is drawn: more say nothing and are hard to read."""
LEAST = 0.02
"""Of the whole range: no narrower margin is left on either side of the good settings."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    """Every factor is as likely as every other: 0.001 to 0.01 as likely as 0.01 to 0.1."""
    whole: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a range that holds nothing."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range goes from a lower to a higher number, not from {self.low:g} to {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a range with log starts above 0, not at {self.low:g}")
        if self.whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ValueError(f"a whole range goes from one whole number to another, not from {self.low:g} to {self.high:g}")

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`, on the scale that is drawn from."""
        low, high, at = (math.log(x) for x in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return (at - low) / (high - low)

    def at(self, place: float) -> float | int:
        """The inverse of `place`, clipped to the range, rounded to `DIGITS` or to a whole number."""
        exact = self.low * (self.high / self.low) ** place if self.log else self.low + (self.high - self.low) * place
        inside = min(max(round(exact) if self.whole else float(f"{exact:.{DIGITS}g}"), self.low), self.high)
        return int(inside) if self.whole else inside

    def draw(self, random: np.random.Generator) -> float | int:
        """A value; of whole numbers, the ends are as likely as the others."""
        place = float(random.random())
        if not self.whole:
            return self.at(place)
        wide = Range(self.low - 0.5, self.high + 0.5, self.log)
        low, high = self.place(wide.low), self.place(wide.high)
        return self.at(low + (high - low) * place)


@dataclass(frozen=True)
class Choice:
    """One of several values, all as likely."""

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        """Raises ValueError for none, or two alike."""
        if not self.options or len(set(self.options)) < len(self.options):
            raise ValueError(f"a choice is between different values, not {' | '.join(map(str, self.options)) or 'nothing'}")

    def draw(self, random: np.random.Generator) -> Value:
        """One of them."""
        return self.options[int(random.integers(len(self.options)))]


Space = Mapping[str, Range | Choice]


def parse_space(texts: Iterable[str]) -> dict[str, Range | Choice]:
    """`lr=1e-4..1e-1:log`, `width=64..512:whole:log`, `optimiser=sgd|adam` -> what to try; ValueError says what was expected."""
    space: dict[str, Range | Choice] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name or not values:
            raise ValueError(f"{text!r} is no range: expected name=low..high, name=low..high:log, or name=this|that")
        if name in space:
            raise ValueError(f"{name} is given twice: {text!r}")
        if ".." not in values and "|" not in values:
            raise ValueError(f"{text!r} leaves no choice: expected name=low..high or name=this|that (--set is for one value)")
        try:
            space[name] = _range(values) if ".." in values else Choice(tuple(_value(one) for one in values.split("|")))
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
    if not space:
        raise ValueError("nothing is to be searched: expected a range such as lr=1e-4..1e-1:log")
    return space


def _range(text: str) -> Range:
    numbers, *flags = (part.strip() for part in text.split(":"))
    for flag in flags:
        if flag not in FLAGS:
            near = difflib.get_close_matches(flag, FLAGS, 1, 0.0)
            raise ValueError(f"a range can be {' or '.join(FLAGS)}, not {flag!r}; the nearest is {near[0]}")
    low, _, high = numbers.partition("..")
    try:
        return Range(float(low), float(high), "log" in flags, "whole" in flags)
    except ValueError as error:
        raise ValueError(f"{numbers} is not low..high" if "convert" in str(error) else str(error)) from None


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


def draw(space: Space, random: np.random.Generator) -> Settings:
    """One value for each name, each on its own."""
    return {name: one.draw(random) for name, one in space.items()}


def narrowed(space: Space, best: Sequence[Settings]) -> dict[str, Range | Choice]:
    """The part of `space` in which the good settings lie.

    Where n of them are spread over a stretch, the good stretch is taken to reach 1/(n - 1) of that further at both ends: the
    unbiased estimate for a uniform distribution. Of a choice, what none of them has is left out.
    """
    small: dict[str, Range | Choice] = {}
    for name, one in space.items():
        values = [settings[name] for settings in best]
        if isinstance(one, Choice):
            small[name] = Choice(tuple(option for option in one.options if option in values))
            continue
        places = [one.place(float(value)) for value in values]
        margin = max((max(places) - min(places)) / max(len(places) - 1, 1), LEAST)
        low, high = one.at(max(min(places) - margin, 0)), one.at(min(max(places) + margin, 1))
        step = int(one.whole and low == high)
        small[name] = replace(one, low=max(low - step, one.low), high=min(high + step, one.high))
    return small
