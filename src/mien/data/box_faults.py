"""What can be wrong with a picture's boxes, and what learning and scoring make of it: one place for both, so a check cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mien.data.annotations import Item, Record
from mien.types import Detections

NEAR = 0.9
"""Intersection over union from which two boxes of one class are taken for one object marked twice."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    level: str
    """"error": something is left out; "warning": it is used, but somebody should look."""
    what: str
    then: str
    """What learning and scoring do."""


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind("error", "the annotation, or a part of it, cannot be understood", "that part is left out"),
    "no picture": Kind("error", "the annotated picture is not there", "left out"),
    "broken picture": Kind("error", "the picture cannot be opened", "left out"),
    "no annotation": Kind("warning", "a picture of which nothing is said", "left out"),
    "no boxes": Kind("warning", "the annotation says that nothing is there", "used as background"),
    "other size": Kind("error", "the annotation speaks of another picture size", "boxes stay as they are, cut at the real edge"),
    "turned": Kind("warning", "the camera says that the picture is to be turned", "boxes are taken for those of the upright picture"),
    "unknown class": Kind("error", "a box of a class that does not exist", "the box is left out"),
    "no area": Kind("error", "a box whose sides are 0 or whose corners are in the wrong order", "the box is left out"),
    "outside": Kind("error", "a box that lies wholly outside of the picture", "the box is left out"),
    "one pixel": Kind("warning", "a box of one pixel or less in width or height, inside the picture", "the box is left out"),
    "beyond": Kind("warning", "a box that reaches beyond the picture", "cut at the edge"),
    "counted otherwise": Kind("warning", "corners a pixel off: counted from 0 where this format counts from 1, or the reverse",
                              "cut at the edge; all boxes may be a pixel off"),
    "duplicate": Kind("warning", "the same box of the same class twice", "one of them is left out"),
    "near duplicate": Kind("warning", f"two boxes of a class with an overlap (IoU) of {NEAR} and more", "both are kept"),
    "two classes": Kind("warning", "the same box with two classes", "both are kept"),
    "alike names": Kind("warning", "class names that differ only in capitals, spaces or the like", "used as different classes"),
    "two parts": Kind("warning", "a test picture that is learnt from as well", "used in both: the scores are too good"),
    "never learnt": Kind("warning", "a class that no training picture shows", "counted in the scores, where it is always missed"),
}
"""In the order in which they are reported."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    kind: str
    """A key of `KINDS`."""
    where: str
    """The file."""
    text: str
    """What was found, in words."""


def mended(record: Record, names: tuple[str, ...], size: tuple[int, int]) -> tuple[Detections, list[Fault]]:
    """A record and the real size (width, height) of its picture -> what is learnt from and scored against, and what was wrong."""
    where = record.file
    faults = [Fault("unreadable", where, text) for text in record.faults]
    if record.size is not None and record.size != size:
        faults.append(Fault("other size", where, f"{record.size[0]} x {record.size[1]} said, {size[0]} x {size[1]} found"))
    kept: dict[tuple[str, tuple[float, ...]], Item] = {}
    for item in record.items:
        kind, box = judged(item, names, size)
        if kind:
            faults.append(Fault(kind, where, f"{item.name or 'no class'} {worded(item.box)}"))
        if box is None:
            continue
        if (item.name, box) in kept:
            faults.append(Fault("duplicate", where, f"{item.name} {worded(item.box)}"))
        kept.setdefault((item.name, box), Item(item.name, box, item.difficult))
    items = list(kept.values())
    faults += [Fault(kind, where, text) for kind, text in _pairs(items)]
    labels = [names.index(item.name) for item in items]
    return Detections.of([item.box for item in items], labels, difficult=[item.difficult for item in items]), faults


def judged(item: Item, names: tuple[str, ...], size: tuple[int, int]) -> tuple[str, tuple[float, float, float, float] | None]:
    """A box -> what is wrong with it ("" for nothing) and what is used of it (None for nothing)."""
    x1, y1, x2, y2 = item.box
    width, height = size
    if item.name not in names:
        return "unknown class", None
    if x2 <= x1 or y2 <= y1:
        return "no area", None
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return "outside", None
    box = max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))
    if box[2] - box[0] <= 1 or box[3] - box[1] <= 1:
        return "one pixel", None
    over = max(-x1, -y1, x2 - width, y2 - height)
    return ("beyond" if over > 1 else "counted otherwise" if over == 1 else "beyond" if over > 0.01 else ""), box


def worded(box: tuple[float, ...]) -> str:
    """`12, 0, 40.5, 90`."""
    return ", ".join(f"{side:.6g}" for side in box)


def _pairs(items: list[Item]) -> list[tuple[str, str]]:
    if len(items) < 2:
        return []
    boxes = np.array([item.box for item in items])
    sides = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    overlap, area = sides.clip(0).prod(-1), (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    shares = overlap / (area[:, None] + area[None] - overlap)
    found = []
    for i, j in np.argwhere(np.triu(shares >= NEAR, 1)):
        a, b = items[i], items[j]
        if a.name == b.name and a.box != b.box and not (a.difficult or b.difficult):
            found.append(("near duplicate", f"{a.name} {worded(a.box)} and {worded(b.box)}"))
        elif a.name != b.name and a.box == b.box:
            found.append(("two classes", f"{a.name} and {b.name} {worded(a.box)}"))
    return found
