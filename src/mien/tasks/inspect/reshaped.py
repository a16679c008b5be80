"""What `mien inspect warp` answers; light, since the command line reads it before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reshaped:
    """What was done to a photo."""

    out: Path
    warper: str
    sliders: dict[str, float]
    """Those that are not 0."""
    box: tuple[int, int, int, int]
    """x1, y1, x2, y2 of the part that may have changed; all else is as it was."""
    mean: float
    """Pixels that part was moved by, on average,"""
    largest: float
    """and at most."""
    files: tuple[str, ...]
    """The field and its picture, where asked for."""

    def __str__(self) -> str:
        asked = ", ".join(f"{name.replace('_', '-')} {amount:+g}" for name, amount in self.sliders.items())
        moved = f"moved {self.mean:.1f} pixels on average, {self.largest:.1f} at most (by {self.warper})"
        return "\n".join([f"{self.out}: {asked}; {moved}; signed", *self.files])
