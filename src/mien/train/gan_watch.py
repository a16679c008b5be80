"""How a game is seen to go wrong: samples that become alike (mode collapse), and a judge that has nothing left to learn."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor

LEAST = 0.3
"""Share of the real pictures' spread below which samples are too much alike: a network that draws all of them has about 1."""
TIMES = 3
"""Looks in a row at samples that are too much alike."""
WON = 0.01
"""A judge's loss, where it cannot be negative, that is next to nothing."""
LONG = 500
"""Judge's steps in a row that are called long."""
FIRST = 500
"""Steps before which nothing is said: networks begin with pictures that are all alike."""

REGARDLESS = " (--set watch=no goes on regardless)"


def spread(x: Tensor, labels: Tensor | None = None) -> float:
    """(B, C, H, W) -> mean distance of two different pictures, in units of the values (root mean square over pixels).

    labels (B,): only of pairs of one label, where there are some: pictures may differ by their labels alone.
    """
    flat = x.flatten(1).double()
    distances = torch.cdist(flat, flat) / flat.shape[1] ** 0.5
    pairs = ~torch.eye(len(x), dtype=torch.bool)
    if labels is not None and bool((alike := pairs & (labels[:, None] == labels)).any()):
        pairs = alike
    return float(distances[pairs].mean()) if len(x) > 1 else 0.0


class Watch:
    """Remembers looks at samples and losses of the judge; `trouble` says in words what is wrong, once it has been so for long."""

    def __init__(self, real: Tensor, bounded: bool, labels: Tensor | None = None) -> None:
        """real: pictures that samples are compared with, of `labels`; bounded: whether the judge's loss cannot be negative."""
        self.real, self.bounded = spread(real, labels), bounded
        self.looks: deque[float] = deque(maxlen=TIMES)
        self.losses: deque[float] = deque(maxlen=LONG)
        self.alive = False

    def share(self, samples: Tensor, labels: Tensor | None = None) -> float:
        """Of the real pictures' spread, that the samples have."""
        return spread(samples, labels) / max(self.real, 1e-12)

    def look(self, samples: Tensor, labels: Tensor | None = None) -> float:
        """The same, kept."""
        share = self.share(samples, labels)
        self.looks.append(share)
        self.alive = self.alive or share >= LEAST
        return share

    def judged(self, loss: float) -> None:
        """Of one step of the judge."""
        self.losses.append(loss)

    @property
    def doubt(self) -> bool:
        """Whether the last look was bad though an earlier one was good: what is saved now may be worth nothing."""
        return self.alive and bool(self.looks) and self.looks[-1] < LEAST

    def trouble(self, step: int) -> str:
        """What is wrong, or nothing."""
        if step < FIRST:
            return ""
        if self.alive and len(self.looks) == TIMES and max(self.looks) < LEAST:
            return f"the samples became alike: {self.looks[-1]:.2f} of the spread of real pictures" + REGARDLESS
        if self.bounded and len(self.losses) == LONG and max(self.losses) < WON:
            return f"the judge has won: its loss was below {WON} for {LONG} steps, so the generator learns nothing" + REGARDLESS
        return ""

    def forget(self) -> None:
        """After a roll-back."""
        self.looks.clear()
        self.losses.clear()

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"looks": [*self.looks], "losses": [*self.losses], "alive": self.alive}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.looks.extend(state["looks"])
        self.losses.extend(state["losses"])
        self.alive = state["alive"]
