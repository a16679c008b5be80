"""What is explained: a network, the picture as it sees it, and the one number whose reasons are asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from mien.nn.explain.layers import Run

Read = Callable[[Path, int], Tensor]
"""A data set and how many pictures at most -> (N, C, H, W) uint8, framed as the network expects them."""


@dataclass(frozen=True)
class Text:
    """The same in two languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Subject:
    """A network asked about one picture."""

    name: str
    what: Text
    """One sentence on the network."""
    net: nn.Module
    x: Tensor
    """(1, C, H, W) in 0..1: the picture as the network sees it."""
    run: Run
    """The forward pass."""
    score: Callable[[Tensor], Tensor]
    """(B, C, H, W) -> (B,): the number to explain."""
    asked: Text
    """What that number is."""
    answers: tuple[tuple[str, float], ...]
    """What the network says of the picture: classes with probabilities, or named numbers; best first."""
    read: Read
    classes: tuple[str, ...] = ()
    """Of a classifier."""
    trained: bool = True
    shape_run: Run | None = None
    """`run` without numbers, for the tracer, where `run` brings tensors of its own."""
    drawn: Tensor | None = None
    """(C, H, W) in 0..1: the picture that the network draws, if it draws one."""
    part: str = ""
    """The layers whose units are looked into begin with this: what draws a picture does not look for anything in it."""


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that nothing has: it names the nearest."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.0)
    return ValueError(f"no {kind} is called {name!r}; the nearest: {', '.join(near)}")


def evenly(length: int, most: int) -> list[int]:
    """At most `most` of the places 0 to `length` - 1, evenly spread."""
    return np.unique(np.linspace(0, length - 1, min(most, length)).round().astype(int)).tolist()
