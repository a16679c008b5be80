"""Boxes as they stand in somebody's files: nothing is mended here, so that a check can say what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mien.data.sources import PICTURES, natural

SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
          "test": "test", "testing": "test", "trainval": "trainval"}  # fmt: skip
"""What a part is called -> what it is called here."""


LARGEST = 1e9
"""Pixels: no picture has more, and no sum of such numbers overflows."""


@dataclass(frozen=True)
class Item:
    """One annotated object."""

    name: str
    """Its class; "" where the file's class does not exist."""
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in pixels, continuous, from 0; as the file says it, even where that is outside the picture or turned round."""
    difficult: bool = False


@dataclass(frozen=True)
class Record:
    """One picture and what is said of it."""

    key: str
    """The file name without its suffix (VOC) or the picture's number (COCO)."""
    file: str
    """The picture's file name, as far as known."""
    picture: Path | None
    """None: it is not there."""
    annotation: Path | None
    """None: nothing is said of this picture."""
    size: tuple[int, int] | None
    """width, height as the annotation says."""
    items: tuple[Item, ...]
    faults: tuple[str, ...] = ()
    """What of the annotation cannot be understood."""


@dataclass(frozen=True)
class Annotations:
    """A data set as its files say it."""

    kind: str
    """"VOC" or "COCO"."""
    names: tuple[str, ...]
    """The classes: of VOC those that occur, sorted; of COCO the categories by number."""
    ids: tuple[int, ...]
    """The number of every class in COCO files; of VOC from 1."""
    records: tuple[Record, ...]
    splits: Mapping[str, tuple[int, ...]]
    """Parts that the files themselves name -> places in `records`."""
    loose: tuple[Path, ...]
    """Pictures of which nothing is said."""


def pictures_below(folder: Path) -> Iterator[Path]:
    """Every picture file, in natural order; hidden ones are skipped."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        for name in sorted(names, key=natural):
            if not name.startswith(".") and Path(name).suffix.lower().lstrip(".") in PICTURES:
                yield Path(here, name)


def split_named(path: Path) -> str | None:
    """The part a folder or file name speaks of: `valid/`, `instances_train2017.json`; None for another name."""
    for word in path.stem.lower().replace("-", "_").split("_"):
        if (split := SPLITS.get(word.rstrip("0123456789"))) is not None:
            return split
    return None
