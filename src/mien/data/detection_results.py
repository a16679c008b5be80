"""COCO's result files: what a detector found, as other programs write and read it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from mien.data.annotations import Annotations
from mien.data.detection_sets import BoxSet
from mien.data.files import atomic
from mien.progress import say
from mien.types import Detections

EXPECTED = "a list of objects with image_id, category_id, bbox and score"


def read_results(path: Path, part: BoxSet) -> tuple[Detections, ...]:
    """A COCO results file -> what it says of each picture of `part`; nothing for a picture it does not name.

    A picture is named by its number, or its file name with or without folders and suffix; a class by its number. ValueError where the
    file is none, or names no picture of this part or no class.
    """
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a whole JSON file: {error}") from None
    if not isinstance(table, list):
        raise ValueError(f"{path} holds {type(table).__name__}, expected {EXPECTED}")
    place_of = {name: place for place, file in enumerate(part.files) for name in (file.name, file.stem)}
    place_of |= {key: place for place, key in enumerate(part.keys)}
    label_of = {number: label for label, number in enumerate(part.ids)}
    rows: list[list[tuple[list[float], int, float]]] = [[] for _ in part.files]
    strange = 0
    for number, one in enumerate(table):
        try:
            (x, y, width, height), score = map(float, one["bbox"]), float(one["score"])
            place, label = place_of.get(str(one["image_id"])), label_of[one["category_id"]]
            place = place_of.get(PurePath(str(one["image_id"])).name) if place is None else place
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            what = f"of class {error}, which the data set does not have" if _complete(one) else f"{str(one)[:80]}, expected {EXPECTED}"
            raise ValueError(f"{path}, entry {number} is {what}") from None
        if not all(map(math.isfinite, (x, y, width, height, score))):
            raise ValueError(f"{path}, entry {number} has a number that is none: {str(one)[:80]}")
        if place is None:
            strange += 1
        else:
            rows[place].append(([x, y, x + width, y + height], label, score))
    if strange:
        say(f"{path}: {strange} of {len(table)} detections are in pictures that are not measured here")
    if table and strange == len(table):
        raise ValueError(f"{path} names none of the {len(part)} pictures that are measured")
    return tuple(Detections.of(*zip(*row, strict=True)) if row else Detections.none() for row in rows)


def _complete(one: object) -> bool:
    return isinstance(one, dict) and {"image_id", "category_id", "bbox", "score"} <= set(one)


@dataclass(frozen=True)
class Numbering:
    """What classes and pictures are called in a results file."""

    classes: tuple[int | None, ...]
    """The number of each class; None: it is not told."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """File name -> what the picture is called; by default what the caller calls it."""


def numbered(names: Sequence[str], like: Annotations | None, source: Path | None = None) -> Numbering:
    """From 1 on, or as the data set `like`, in `source`, numbers classes and pictures. ValueError where they share no class."""
    if like is None:
        return Numbering(tuple(range(1, len(names) + 1)))
    number = dict(zip(like.names, like.ids, strict=True))
    classes = tuple(number.get(name) for name in names)
    if strange := [name for name, found in zip(names, classes, strict=True) if found is None]:
        text = f"{source} does not have {', '.join(strange[:8])}"
        if len(strange) == len(names):
            raise ValueError(f"{text}, all that is looked for; it has {', '.join(like.names[:8])}")
        say(f"{text}: left out of the results")
    files = [PurePath(record.file).name for record in like.records]
    often = Counter(files)
    return Numbering(classes, {file: record.key for file, record in zip(files, like.records, strict=True) if often[file] == 1})


def rows(found: Detections, picture: str, numbering: Numbering, file: str = "", places: int = 3) -> list[dict[str, object]]:
    """One picture's detections as COCO writes them, to so many decimal places of a pixel; `file`: what may have a number."""
    key = numbering.pictures.get(file, picture)
    columns = zip(found.boxes.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
    return [{"image_id": int(key) if key.isdecimal() and str(int(key)) == key else key, "category_id": number,
             "bbox": [round(side, places) for side in (x1, y1, x2 - x1, y2 - y1)], "score": round(score, 5)}
            for (x1, y1, x2, y2), label, score in columns if (number := numbering.classes[label]) is not None]  # fmt: skip


def results(part: BoxSet, found: Sequence[Detections]) -> list[dict[str, object]]:
    """What was found in the pictures of `part`, as COCO writes it: numbers where the data set has numbers."""
    own = Numbering(part.ids)
    return [row for key, one in zip(part.keys, found, strict=True) for row in rows(one, key, own)]


def write_results(path: Path, part: BoxSet, found: Sequence[Detections]) -> None:
    """Write them as JSON."""
    with atomic(path) as draft:
        draft.write_text(json.dumps(results(part, found)), encoding="utf-8")
