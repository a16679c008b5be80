"""What detecting, checking and measuring give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.data.box_faults import Fault


@dataclass(frozen=True)
class ClassCount:
    """One class of a data set."""

    name: str
    boxes: int
    """That can be used."""
    pictures: int
    difficult: int


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault, and how often it was found."""

    kind: str
    level: str
    """"error": something is left out; "warning": it is used, but somebody should look."""
    count: int
    what: str
    then: str
    """What learning and scoring do."""
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """A data set of boxes, looked through."""

    source: Path
    kind: str
    """VOC or COCO."""
    pictures: int
    """That can be used."""
    left_out: int
    parts: dict[str, int]
    """What the files themselves name -> pictures."""
    classes: tuple[ClassCount, ...]
    errors: int
    warnings: int
    kinds: tuple[FaultKind, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        boxes = sum(one.boxes for one in self.classes)
        divided = ", ".join(f"{name} {count}" for name, count in self.parts.items()) or "not divided"
        out = f", {self.left_out} left out" if self.left_out else ""
        lines = [f"{self.source}: {self.kind}, {self.pictures} pictures{out}, {boxes} boxes; {divided}"]
        shown = [one for one in self.classes if one.boxes]
        width = max((len(one.name) for one in shown), default=0)
        for one in shown:
            hard = f", {one.difficult} difficult" if one.difficult else ""
            lines.append(f"  {one.name:{width}}  {one.boxes:6} boxes in {one.pictures} pictures{hard}")
        if len(shown) < len(self.classes):
            lines.append(f"  {len(self.classes) - len(shown)} more classes without a box")
        for one in self.kinds:
            lines += [f"{one.level}: {one.count} x {one.kind}: {one.what}; {one.then}", *(f"  {example}" for example in one.examples)]
            if one.count > len(one.examples):
                lines.append(f"  and {one.count - len(one.examples)} more (--json has them all)")
        lines.append(f"{self.errors} errors, {self.warnings} warnings" if self.kinds else "nothing is wrong with it")
        return "\n".join(lines)
