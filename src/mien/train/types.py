"""How a run is timed, what it tells, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["steps", "minutes", "plateau", "interrupted"]


@dataclass(frozen=True)
class Every:
    """How often: `Every(seconds=60)`, `Every(steps=100)`, both (whichever comes first), or `Every()` for never."""

    seconds: float | None = None
    steps: int | None = None

    def due(self, step: int, seconds_since: float) -> bool:
        """Whether it is time, after `step` steps and so many seconds since the last time."""
        by_step = self.steps is not None and step % self.steps == 0
        return by_step or (self.seconds is not None and seconds_since >= self.seconds)


MINUTELY = Every(seconds=60)


@dataclass(frozen=True)
class Event:
    """Something happened in a run."""

    kind: Literal["resumed", "step", "evaluated", "saved", "plateau", "rolled back"]
    step: int
    """Steps done."""
    seconds: float
    """Time spent, over all resumes."""
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """How a run ended."""

    steps: int
    """Steps done, over all resumes."""
    seconds: float
    """Wall time inside `fit`, over all resumes."""
    items_per_second: float
    """In this call, over the time inside `Task.step` alone; 0 when no step was made."""
    reason: Reason
    history: tuple[dict[str, float], ...]
    """One entry an evaluation: step, seconds, loss (mean since the last), and what `Task.evaluate` returned."""
