"""`mien detect check`: the faults of a data set as a table."""

from __future__ import annotations

from pathlib import Path

from mien.data.box_check import counted, look_through
from mien.data.box_faults import KINDS
from mien.tasks.detect.results import Checked, ClassCount, FaultKind

EXAMPLES = 3


def checked(source: Path, quick: bool) -> Checked:
    """Everything `mien.data.box_check` finds, by kind. ValueError where there is no data set at all."""
    looked = look_through(source, quick)
    found, (boxes, pictures, difficult) = looked.found, counted(looked)
    kinds = []
    for name, kind in KINDS.items():
        same = [f"{one.where}: {one.text}" for one in looked.faults if one.kind == name]
        if same:
            kinds.append(FaultKind(name, kind.level, len(same), kind.what, kind.then, tuple(same[:EXAMPLES])))
    many = {level: sum(one.count for one in kinds if one.level == level) for level in ("error", "warning")}
    classes = tuple(ClassCount(name, boxes[i], pictures[i], difficult[i]) for i, name in enumerate(found.names))
    usable = sum(one is not None for one in looked.usable)
    parts = {name: len(places) for name, places in found.splits.items()}
    left_out = len(looked.usable) - usable + len(found.loose)
    return Checked(source, found.kind, usable, left_out, parts, classes, many["error"], many["warning"], tuple(kinds), looked.faults)
