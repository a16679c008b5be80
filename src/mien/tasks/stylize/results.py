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
    """Width, height and steps of every size, coarsest first."""
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
