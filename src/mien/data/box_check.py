"""A data set of boxes looked through before anything learns from it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.data.annotations import Annotations, Record
from mien.data.box_faults import Fault, mended
from mien.data.detection_sets import read_annotations, size_of
from mien.data.pictures import read_picture
from mien.progress import Progress
from mien.types import Detections

ONES = 3
"""Corners at exactly 1, and none before, from which a COCO file of whole numbers is taken to count from 1."""


@dataclass(frozen=True)
class Looked:
    """What a data set holds and what is wrong with it."""

    found: Annotations
    usable: tuple[Detections | None, ...]
    """For every record what is learnt from; None where the picture is left out."""
    faults: tuple[Fault, ...]


def look_through(source: Path, quick: bool = False) -> Looked:
    """Every annotation and every picture; nothing is changed. ValueError where there is no data set at all.

    `quick`: only the first bytes of a picture are read, so one that is cut off is not noticed.
    """
    found = read_annotations(source)
    usable: list[Detections | None] = []
    faults: list[Fault] = []
    with Progress(f"check {source}", len(found.records), "pictures") as bar:
        for record in found.records:
            truth, wrong = _looked(record, found.names, quick)
            usable.append(truth)
            faults += wrong
            bar.advance()
    faults += [Fault("no annotation", path.name, "no file speaks of it") for path in found.loose]
    return Looked(found, tuple(usable), (*faults, *_counted_from_one(found), *_names(found, usable), *_leaks(found, quick)))


def _looked(record: Record, names: tuple[str, ...], quick: bool) -> tuple[Detections | None, list[Fault]]:
    where = record.file or (record.annotation.name if record.annotation else record.key)
    if record.picture is None:
        unread = [Fault("unreadable", where, text) for text in record.faults]
        listed = [] if record.file == "" else [Fault("no picture", where, f"named by {_named_by(record)}")]
        return None, unread + listed
    if record.annotation is None:
        return None, [Fault("no annotation", where, f"named by {_named_by(record)}, but there is no XML file")]
    try:
        size, turned = size_of(record.picture)
        if not quick:
            read_picture(record.picture)
    except ValueError as error:
        return None, [Fault("broken picture", where, str(error))]
    truth, faults = mended(record, names, size)
    if turned:
        faults.append(Fault("turned", where, f"{size[0]} x {size[1]} upright"))
    if not record.items and not record.faults:
        faults.append(Fault("no boxes", where, "no object"))
    return truth, faults


def _named_by(record: Record) -> str:
    return record.annotation.name if record.annotation else "a list in ImageSets"


def _counted_from_one(found: Annotations) -> Iterator[Fault]:
    """COCO counts from 0: whole numbers of which many are 1 and none is less were written by something that counts from 1."""
    starts = [corner for record in found.records for item in record.items for corner in item.box[:2]]
    if found.kind == "COCO" and starts and all(corner.is_integer() for corner in starts):
        ones = starts.count(1.0)
        if min(starts) >= 1 and ones >= ONES:
            yield Fault("counted otherwise", "the whole set", f"{ones} corners at 1, none at 0: the boxes seem to count from 1")


def _names(found: Annotations, usable: list[Detections | None]) -> Iterator[Fault]:
    alike: dict[str, list[str]] = {}
    for name in found.names:
        alike.setdefault("".join(letter for letter in name.casefold() if letter.isalnum()) or name, []).append(name)
    for same in alike.values():
        if len(same) > 1:
            yield Fault("alike names", "the whole set", " and ".join(same))
    parts = {split: _shown(places, usable) for split, places in found.splits.items()}
    learnt = set().union(*(parts[split] for split in ("train", "trainval") if split in parts))
    for split in ("val", "test"):
        for label in sorted(parts.get(split, set()) - learnt) if learnt else ():
            yield Fault("never learnt", split, found.names[label])


def _leaks(found: Annotations, quick: bool) -> Iterator[Fault]:
    """Pictures, by place or by content, of the test part that are learnt from as well."""
    measured = found.splits.get("test", found.splits.get("val", ()))
    learnt = {place for split, places in found.splits.items() if split in ("train", "trainval") for place in places}
    names: dict[object, str] = {}
    for place in sorted(learnt):
        names |= dict.fromkeys(_marks(found.records[place], place, quick), found.records[place].file)
    for place in measured:
        same = next((names[mark] for mark in _marks(found.records[place], place, quick) if mark in names), None)
        if same is not None:
            yield Fault("two parts", found.records[place].file, f"is {same} of the training pictures")


def _marks(record: Record, place: int, quick: bool) -> tuple[object, ...]:
    if quick or record.picture is None:
        return (place,)
    return place, hashlib.sha256(record.picture.read_bytes()).digest()


def _shown(places: tuple[int, ...], usable: list[Detections | None]) -> set[int]:
    return {int(label) for place in places if (truth := usable[place]) is not None for label in truth.labels}


def counted(looked: Looked) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """Class -> usable boxes, pictures with at least one, boxes marked as difficult."""
    boxes, pictures, difficult = Counter[int](), Counter[int](), Counter[int]()
    for truth in looked.usable:
        if truth is not None:
            boxes.update(truth.labels.tolist())
            pictures.update(set(truth.labels.tolist()))
            difficult.update(truth.labels[truth.difficult].tolist())
    return boxes, pictures, difficult
