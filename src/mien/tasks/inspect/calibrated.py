"""Probabilities made true by what is known of a face without asking the network: its size, how its file was saved, its detail.

One temperature serves all faces alike (Guo et al. 2017), yet a network that has to see traces of resampling errs one way in crisp
pixels and another way in compressed ones. So the log odds of each fake class against original are shifted and stretched by amounts
that are linear in those facts: Platt scaling (1999) whose two numbers depend on them. `mien.tasks.inspect.calibrating` fits it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from mien.models.inspector import CLASSES

FACTS = ("constant", "size", "saved", "loss", "detail")
"""1; octaves of the crop's side from 400 pixels; whether the file is a JPEG; how far its quality lies below 100, in fifties; the
logarithm of the crop's finest detail in grey levels."""
FINEST = 0.05
"""Grey levels: what is smoother is not told apart."""


@dataclass(frozen=True)
class Calibration:
    """What to make of the log odds of reshaped and of swapped against original."""

    offset: tuple[tuple[float, ...], ...]
    """(2, F): added, in the sum over facts."""
    slope: tuple[tuple[float, ...], ...]
    """(2, F): what they are multiplied by, likewise."""
    low: tuple[float, ...]
    """(F,) the least of each fact that it was fitted on: farther out it is taken for this."""
    high: tuple[float, ...]
    """(F,) the most."""

    @classmethod
    def plain(cls, temperature: float) -> Calibration:
        """One temperature for all."""
        rest = (0.0,) * (len(FACTS) - 1)
        return cls(((0.0, *rest),) * 2, ((1 / temperature, *rest),) * 2, (-math.inf,) * len(FACTS), (math.inf,) * len(FACTS))

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Calibration:
        """What `written` gave. Raises ValueError where it is about other facts, or not of their number."""
        names = tuple(told.get("facts", ()))
        if names != FACTS:
            raise ValueError(f"found a calibration by {', '.join(names) or 'nothing'}, expected one by {', '.join(FACTS)}")
        found = [np.array(told.get(name, ()), float) for name in ("offset", "slope", "low", "high")]
        shapes = [one.shape for one in found]
        if shapes != [(2, len(FACTS))] * 2 + [(len(FACTS),)] * 2:
            raise ValueError(f"found a calibration whose numbers are {shapes}, expected two rows and two limits of {len(FACTS)}")
        return cls.of(*found)

    @classmethod
    def of(cls, offset: np.ndarray, slope: np.ndarray, low: np.ndarray, high: np.ndarray) -> Calibration:
        """From arrays."""
        rows = (tuple(tuple(row) for row in one.tolist()) for one in (offset, slope))
        return cls(next(rows), next(rows), tuple(low.tolist()), tuple(high.tolist()))

    def written(self) -> dict[str, Any]:
        """For the header of a file."""
        return {"facts": FACTS, **asdict(self)}

    def __call__(self, logits: np.ndarray, facts: np.ndarray) -> np.ndarray:
        """(N, 3) logits and (N, F) facts -> (N, 3) logits, that of original 0, whose softmax is to be believed.

        Nothing is stretched by less than 0, so that more suspicion never becomes less.
        """
        known = np.clip(facts, self.low, self.high)
        odds = (logits[:, 1:] - logits[:, :1]).astype(np.float64)
        told = known @ np.array(self.offset).T + np.maximum(known @ np.array(self.slope).T, 0) * odds
        return np.concatenate([np.zeros((len(told), len(CLASSES) - 2)), told], 1)


def facts(crop: np.ndarray, quality: int | None) -> np.ndarray:
    """(S, S, 3) uint8 at its picture's own size, and its JPEG's quality (None: not compressed) -> (F,), in the order of `FACTS`."""
    saved, loss = (0.0, 0.0) if quality is None else (1.0, (100 - quality) / 50)
    return np.array([1.0, math.log2(len(crop) / 400), saved, loss, math.log(max(detail(crop), FINEST))])


def detail(crop: np.ndarray) -> float:
    """(S, S, 3) uint8 -> the mean strength of its finest detail, grey levels (the mask of Immerkaer 1996, scaled as for noise)."""
    grey = np.asarray(Image.fromarray(crop).convert("L"), np.float32)
    across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    left = across[:-2] - 2 * across[1:-1] + across[2:]
    return float(np.abs(left).mean() * math.sqrt(math.pi / 2) / 6)
