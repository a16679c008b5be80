"""Pictures with boxes: VOC or COCO, told apart by what is there, split as their files say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.annotations import Annotations, Record
from mien.data.box_faults import mended
from mien.data.coco import read_coco
from mien.data.pictures import ORIENTATION, existing, opened
from mien.data.voc import read_voc
from mien.progress import Progress, say
from mien.types import Detections

SHARES = (("train", 8), ("val", 9), ("test", 10))
"""Where nobody has divided the pictures: tenths, by a number made of the file name."""
ASKED = ("train", "val", "trainval", "test", "all")


@dataclass(frozen=True)
class BoxSet:
    """One part of a data set, as it is learnt from and scored against: boxes inside their pictures, none of them empty or doubled."""

    names: tuple[str, ...]
    """The classes, the same for every part."""
    files: tuple[Path, ...]
    truths: tuple[Detections, ...]
    ids: tuple[int, ...]
    """The classes' numbers in COCO files."""
    keys: tuple[str, ...]
    """What each picture is called in COCO results: its number there, or the file name without suffix."""

    def __len__(self) -> int:
        return len(self.files)


def read_annotations(source: Path) -> Annotations:
    """A VOC or COCO folder, or a COCO JSON, as it stands. ValueError where there is neither."""
    source = Path(source)
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected a folder with boxes (VOC XML or COCO JSON)")
    found = read_coco(source) if source.is_file() else read_voc(source) or read_coco(source)
    if found is None:
        raise ValueError(f"{source} holds no boxes: expected VOC (one XML file a picture) or COCO (a JSON with images, annotations "
                         "and categories)")  # fmt: skip
    return found


def read_boxes(source: Path, split: str = "train") -> BoxSet:
    """The pictures of a part that are there, with their boxes mended as `mien.data.box_faults` says.

    `split`: train, val, trainval, test or all. What the data set's own files say counts (ImageSets/Main/*.txt, folders or JSON
    files called train, valid, test); where they say nothing, eight, one and one tenth by a number made of each file name. Without a
    test part val stands for it. ValueError where there is no such part, or not a single box in it.
    """
    found = read_annotations(source)
    tell_division(found, source, (split,))
    return boxes_of(found, split, source)


def tell_division(found: Annotations, source: Path, splits: Sequence[str]) -> None:
    """Say how pictures are divided where nobody has, if one of `splits` depends on it."""
    if not found.splits and {*splits} & {*ASKED} - {"all"}:
        say(f"{source} is not divided: eight, one and one tenth of the pictures, by file name, are train, val and test")


def boxes_of(found: Annotations, split: str, source: Path) -> BoxSet:
    """As `read_boxes`, of annotations that were read."""
    places = part_of(found, split, source)
    kept: list[tuple[Path, Detections, str]] = []
    broken = 0
    with Progress(f"read {source}", len(places), "annotations") as bar:
        for record in (found.records[place] for place in places):
            bar.advance()
            if record.picture is None or record.annotation is None:
                broken += 1
                continue
            try:
                size, _ = size_of(record.picture)
            except ValueError:
                broken += 1
                continue
            kept.append((record.picture, mended(record, found.names, size)[0], record.key))
    if broken:
        say(f"{source}: {broken} of {len(places)} pictures of {split} are left out; mien detect check says why")
    if not sum(len(truth) for _, truth, _ in kept):
        raise ValueError(f"{source} holds not a single box that can be used for {split} in {len(places)} pictures; "
                         "mien detect check says why")  # fmt: skip
    files, truths, keys = zip(*kept, strict=True)
    return BoxSet(found.names, files, truths, found.ids, keys)


def largest(truth: Detections) -> Detections:
    """Of what is not difficult the box with the largest area alone; none of none."""
    plain = truth.select(~truth.difficult)
    return plain.select(np.argsort(-(plain.boxes[:, 2:] - plain.boxes[:, :2]).prod(1), kind="stable")[:1])


def largest_alone(part: BoxSet) -> BoxSet:
    """Every picture with an object, and of it the `largest` alone: for classification with localisation."""
    kept = [(place, one) for place, truth in enumerate(part.truths) if len(one := largest(truth))]
    files, keys = tuple(part.files[place] for place, _ in kept), tuple(part.keys[place] for place, _ in kept)
    return BoxSet(part.names, files, tuple(truth for _, truth in kept), part.ids, keys)


def part_of(found: Annotations, split: str, source: Path) -> tuple[int, ...]:
    """The places in `found.records` of a part, as `read_boxes` says."""
    if split not in ASKED:
        raise ValueError(f"{split} is no part of a data set: expected {', '.join(ASKED)}")
    parts = found.splits
    if split == "all":
        return tuple(range(len(found.records)))
    if not parts:
        wanted = ("train", "val") if split == "trainval" else (split,)
        return tuple(place for place, record in enumerate(found.records) if tenth(record) in wanted)
    if split in parts:
        return parts[split]
    both, rest = parts.get("trainval", ()), set(parts.get("train", ())) | set(parts.get("val", ()))
    if split == "trainval" and rest:
        return tuple(sorted(rest))
    if split in ("train", "val") and both and rest:
        return tuple(place for place in both if place not in rest)
    if split == "test" and "val" in parts:
        say(f"{source} has no test part: val stands for it")
        return parts["val"]
    raise ValueError(f"{source} has no part {split}: found {', '.join(sorted(parts))}")


def tenth(record: Record) -> str:
    """The part a picture belongs to where nobody has divided them: it depends on its file name alone."""
    number = int(hashlib.sha256(record.file.encode()).hexdigest()[:8], 16) % 10
    return next(name for name, end in SHARES if number < end)


def size_of(picture: Path) -> tuple[tuple[int, int], bool]:
    """Width and height, upright, without decoding it, and whether it has to be turned by a quarter for that.

    ValueError as `read_picture` raises it.
    """
    with opened(existing(picture), str(picture)) as image:
        (width, height), turned = image.size, image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        return ((height, width) if turned else (width, height)), turned
