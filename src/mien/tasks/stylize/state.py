"""A painting that was stopped: all that going on needs, in one file beside the result.

A line of JSON (the job, the numbers, what tensors there are), then the tensors' bytes one after the other: no copy of all of them is
made on the way, and nothing is unpickled.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.files import atomic
from mien.tasks.stylize.costs import Cost
from mien.tasks.stylize.painting import Moment

PAUSE, SHARE = 30.0, 20.0
"""Seconds between two writes at least, and so many times what the last one took."""
TYPES = {torch.float32: "float32", torch.float64: "float64"}


class Kept:
    """The state of the painting that becomes `path`."""

    def __init__(self, path: Path, job: Mapping[str, object]) -> None:
        """`job`: what is being made, from what and how, as JSON takes it."""
        self.path, self.job = path.with_name(f".{path.name}.painting"), json.loads(json.dumps(job))
        self._due = time.monotonic() + PAUSE

    def load(self) -> tuple[Moment, float] | None:
        """The moment it was left at and the seconds it had taken; None where nothing was kept.

        ValueError for a state of another job, or a damaged one.
        """
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            try:
                head = json.loads(file.readline())
                job, numbers, shapes = head["job"], head["numbers"], head["tensors"]
                tensors = {name: _read(file, kind, shape) for name, kind, shape in shapes}
                costs = [Cost(**numbers.pop(name)) for name in ("cost", "first")]
                seconds, x = numbers.pop("seconds"), tensors.pop("next")
                moment = Moment(**numbers, cost=costs[0], first=costs[1], x=x, state=tensors)
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"{self.path} is damaged: leave --resume out to start again") from None
        if job != self.job:
            other = sorted(name for name in {*job, *self.job} if job.get(name) != self.job.get(name))
            raise ValueError(f"{self.path} is of another painting ({', '.join(other)} differ): leave --resume out to start again")
        return moment, seconds

    def save(self, moment: Moment, seconds: float) -> None:
        """Write it down."""
        began = time.monotonic()
        tensors = {"next": moment.x, **moment.state}
        numbers = {"scale": moment.scale, "step": moment.step, "done": moment.done, "cost": asdict(moment.cost),
                   "first": asdict(moment.first), "seconds": seconds}  # fmt: skip
        head = {"job": self.job, "numbers": numbers, "tensors": [(name, TYPES[one.dtype], one.shape) for name, one in tensors.items()]}
        with atomic(self.path) as draft, draft.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n")
            for one in tensors.values():
                file.write(np.ascontiguousarray(one.detach().cpu().numpy()).data)
        self._due = time.monotonic() + max(PAUSE, SHARE * (time.monotonic() - began))

    def save_now_and_then(self, moment: Moment, seconds: float) -> None:
        """`save`, when it is time for it."""
        if time.monotonic() >= self._due:
            self.save(moment, seconds)

    def remove(self) -> None:
        """The painting is done."""
        self.path.unlink(missing_ok=True)


def _read(file: BufferedReader, kind: str, shape: list[int]) -> Tensor:
    """ValueError where the file ends too early."""
    if kind not in TYPES.values():
        raise ValueError(kind)
    found = torch.empty(shape, dtype=getattr(torch, kind))
    if file.readinto(found.numpy().reshape(-1).view(np.uint8)) != found.nbytes:  # pyright: ignore[reportArgumentType]
        raise ValueError("cut off")
    return found
