"""Exponential moving average of weights (Polyak and Juditsky 1992) with TensorFlow's warm-up."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class EMA:
    """`EMA(net)`; `update()` after every step (`fit` does it); `module` is the averaged network, in eval mode."""

    def __init__(self, source: nn.Module, decay: float = 0.999) -> None:
        """`decay`: share of the old average kept at a step; the first steps keep less, (1 + n) / (10 + n)."""
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of an average lies in 0..1 (1 excluded), not {decay}")
        self.source, self.decay, self.updates = source, decay, 0
        self.module: nn.Module = copy.deepcopy(source).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the network as it stands now; buffers (batch statistics) are copied."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for mine, theirs in zip(self.module.parameters(), self.source.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay)
        for mine, theirs in zip(self.module.buffers(), self.source.buffers(), strict=True):
            mine.copy_(theirs)

    @contextmanager
    def swap(self) -> Iterator[nn.Module]:
        """Inside, the network itself holds the averaged weights; afterwards its own again."""
        self._exchange()
        try:
            yield self.source
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        pairs = [*zip(self.module.parameters(), self.source.parameters(), strict=True)]
        pairs += [*zip(self.module.buffers(), self.source.buffers(), strict=True)]
        for mine, theirs in pairs:
            mine.data, theirs.data = theirs.data, mine.data

    def state_dict(self) -> dict[str, Any]:
        """Weights and count, for a checkpoint."""
        return {"module": self.module.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.updates = state["updates"]
