"""What stylizing gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stylized:
    """What was made of a picture."""

    input: Path
    output: Path
    style: tuple[str, ...]
    width: int
    """Of the result, pixels."""
    height: int
    cost_first: float
    """alpha J_content + beta J_style (+ variation) of the picture it started from, in full size;"""
    cost_last: float
    """of the result, before it is rounded to 8 bits, its colours are changed back and what no mask covers is put back."""
    content_cost: float
    """J_content of the result."""
    style_cost: float
    """J_style of the result."""
    layers: dict[str, float]
    """Layer -> the weight of its cost within J_content or J_style."""
    scales: tuple[tuple[int, int, int], ...]
    """Width, height and steps of every size, coarsest first, with the margin that is cut off in the end."""
    steps: int
    resumed: int
    """Steps that an earlier run had done."""
    memory: int | None
    """Bytes of the process at most; None where the system does not say."""
    seconds: float
    """Those of earlier runs included."""
    signed: bool

    def __str__(self) -> str:
        went = f"cost {self.cost_first:.4g} -> {self.cost_last:.4g} (content {self.content_cost:.4g}, style {self.style_cost:.4g})"
        going = f", {self.resumed} by an earlier run" if self.resumed else ""
        sealed = ", signed" if self.signed else ""
        return (f"{self.input} -> {self.output}: {self.width} x {self.height} in the style of {' and '.join(self.style)}, {went}, "
                f"{self.steps} steps{going} in {self.seconds:g} s{sealed}")


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet."""

    row: str
    column: str
    content_cost: float
    style_cost: float


@dataclass(frozen=True)
class Sheet:
    """Many settings side by side."""

    input: Path
    output: Path
    style: tuple[str, ...]
    width: int
    """Of the sheet, pixels."""
    height: int
    cells: tuple[Cell, ...]
    steps: int
    """Of each."""
    seconds: float
    signed: bool

    def __str__(self) -> str:
        return f"{self.input} -> {self.output}: {len(self.cells)} pictures in {self.width} x {self.height}, {self.seconds:g} s"


@dataclass(frozen=True)
class Restyled:
    """What a trained network made of a picture."""

    input: Path
    output: Path
    model: str
    style: dict[str, float]
    """Style -> its share."""
    strength: float
    width: int
    """Of the result, pixels."""
    height: int
    channels: int
    """3 RGB, 4 RGBA."""
    depth: int
    """Bits a channel."""
    tiles: int
    passes: int
    """Over the tiles before, for the statistics of the whole picture; 0 where it was computed at once."""
    memory: int
    """Bytes of the process at most, as predicted."""
    predicted: float
    """Seconds, before the start."""
    seconds: float
    resumed: int
    """Rows that an earlier run had left."""
    signed: bool

    def __str__(self) -> str:
        going = f", {self.resumed} rows by an earlier run" if self.resumed else ""
        sealed = ", signed" if self.signed else ""
        return f"{self.input} -> {self.output}: {self.width} x {self.height}, {told(self.style)}, {self.seconds:g} s{going}{sealed}"


@dataclass(frozen=True)
class Moved:
    """What a trained network made of a video."""

    input: Path
    output: Path
    model: str
    style: dict[str, float]
    """Style -> its share."""
    strength: float
    steady: float
    width: int
    """Of the result, pixels."""
    height: int
    frames: int
    """Restyled by this run."""
    resumed: int
    """Frames that an earlier run had left."""
    sound: bool
    flicker: float
    """Grey levels by which the result changes from frame to frame where the video stands still; of this run's frames."""
    still: float
    """Grey levels by which the video itself changes there."""
    seconds: float
    frames_per_second: float
    signed: bool

    def __str__(self) -> str:
        sealed = ", signed" if self.signed else ""
        made = f"{self.frames + self.resumed} frames of {self.width} x {self.height}, {told(self.style)}"
        calm = f"flicker {self.flicker:.2f} (the video: {self.still:.2f})"
        return f"{self.input} -> {self.output}: {made}, {self.frames_per_second:g} frames a second, {calm}{sealed}"


@dataclass(frozen=True)
class Folder:
    """What a trained network made of a folder."""

    input: Path
    output: Path
    model: str
    style: dict[str, float]
    made: tuple[Restyled | Moved, ...]
    there: int
    """Files that an earlier run had made."""
    skipped: tuple[str, ...]
    """A line for every file that could not be restyled."""
    seconds: float

    def __str__(self) -> str:
        lines = [str(one) for one in self.made]
        there = f", {self.there} were there already" if self.there else ""
        return "\n".join([*lines, *(f"skipped: {line}" for line in self.skipped), f"{len(self.made)} restyled{there}"])


def told(style: dict[str, float]) -> str:
    """Styles in words: one alone by its name, several with their shares."""
    shown = {name: share for name, share in style.items() if share}
    return next(iter(shown)) if len(shown) == 1 else " and ".join(f"{share:.0%} {name}" for name, share in shown.items())
