"""COCO: one JSON for many pictures; a box is x, y, width, height in pixels from 0."""

from __future__ import annotations

import itertools
import json
from pathlib import Path, PurePosixPath
from typing import TypeGuard

from mien.data.annotations import LARGEST, Annotations, Item, Record, pictures_below, split_named

KEYS = ("images", "annotations", "categories")


def read_coco(source: Path) -> Annotations | None:
    """A JSON file of instances, or a folder with such files; None where there are none.

    ValueError where a JSON is damaged and no other can be read, or two give one number to different classes. What is wrong with single
    entries is kept in `Record.faults`.
    """
    files, root = ([source], _home(source)) if source.is_file() else (sorted(source.rglob("*.json")), source)
    tables, damaged = {}, []
    for path in files:
        if not path.name.startswith("."):
            try:
                table = json.loads(path.read_text(encoding="utf-8"))
            except (ValueError, OSError, RecursionError) as error:
                damaged.append(f"{path} is not a whole JSON file: {error}")
                continue
            if isinstance(table, dict) and all(isinstance(table.get(key), list) for key in KEYS):
                tables[path] = table
    if not tables:
        if damaged:
            raise ValueError(damaged[0])
        return None
    return _together(tables, root)


def _home(path: Path) -> Path:
    return path.parent.parent if path.parent.name == "annotations" else path.parent


def _together(tables: dict[Path, dict], root: Path) -> Annotations:
    names: dict[int, str] = {}
    for path, table in tables.items():
        for one in table["categories"]:
            number, name = (one.get("id"), str(one.get("name", "")).strip()) if isinstance(one, dict) else (None, "")
            if not isinstance(number, int) or not name:
                raise ValueError(f"{path} has a category without number or name: {str(one)[:80]}")
            if names.setdefault(number, name) != name:
                raise ValueError(f"{path} calls category {number} {name}, another file or line {names[number]}")
    pictures: dict[str, list[Path]] = {}
    for picture in pictures_below(root):
        pictures.setdefault(picture.name, []).append(picture)
    records: list[Record] = []
    splits: dict[str, tuple[int, ...]] = {}
    for path, table in tables.items():
        first = len(records)
        records += _records(path, table, names, pictures)
        split = split_named(path) or split_named(path.parent)
        if split and len(tables) > 1:  # one file alone is the whole set, whatever it is called
            splits[split] = (*splits.get(split, ()), *range(first, len(records)))
    ids = tuple(sorted(names))
    used = {record.picture for record in records}
    loose = tuple(one for same in pictures.values() for one in same if one not in used)
    return Annotations("COCO", tuple(names[number] for number in ids), ids, tuple(records), splits, loose)


def _records(path: Path, table: dict, names: dict[int, str], pictures: dict[str, list[Path]]) -> list[Record]:
    items: dict[object, list[Item]] = {}
    faults: dict[object, list[str]] = {}
    for place, one in enumerate(table["annotations"]):
        key = one.get("image_id") if isinstance(one, dict) else None
        key = key if isinstance(key, int | str) else None
        item = _item(one, names)
        if isinstance(item, str):
            faults.setdefault(key, []).append(f"annotation {one.get('id', place) if isinstance(one, dict) else place} {item}")
        else:
            items.setdefault(key, []).append(item)
    records = []
    for one in table["images"]:
        key, file = (one.get("id"), one.get("file_name")) if isinstance(one, dict) else (None, None)
        if not isinstance(key, int | str) or not isinstance(file, str) or not file:
            records.append(Record("", "", None, path, None, (), (f"a picture without number or file name: {str(one)[:80]}",)))
            continue
        width, height = one.get("width"), one.get("height")
        size = (int(width), int(height)) if _number(width) and _number(height) else None
        said = tuple(items.pop(key, ())), tuple(faults.pop(key, ()))
        records.append(Record(str(key), file, _found(file, path, pictures), path, size, *said))
    for key in {**items, **faults}:  # boxes of pictures that are not listed
        many = len(items.get(key, ())) + len(faults.get(key, ()))
        records.append(Record(str(key), "", None, path, None, (), (f"{many} boxes of picture {key}, which is not listed",)))
    return records


def _item(one: object, names: dict[int, str]) -> Item | str:
    """The object, or what is wrong with it."""
    if not isinstance(one, dict):
        return f"is no object: {str(one)[:80]}"
    box = one.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_number(side) for side in box):
        return f"has no box of four numbers: {str(box)[:80]}"
    x, y, width, height = map(float, box)
    category = one.get("category_id")
    name = names.get(category, "") if isinstance(category, int) else ""
    return Item(name, (x, y, x + width, y + height), bool(one.get("iscrowd", 0)))


def _number(side: object) -> TypeGuard[float]:
    return isinstance(side, int | float) and not isinstance(side, bool) and -LARGEST <= side <= LARGEST  # NaN is neither


def _found(file: str, source: Path, pictures: dict[str, list[Path]]) -> Path | None:
    """Among pictures of the same name, never outside the data set: the one in the entry's folders, beside the JSON, or in a folder
    that is called like the JSON's part.
    """
    wanted, split = PurePosixPath(file.replace("\\", "/")), split_named(source)

    def fits(one: Path) -> tuple[int, bool, bool]:
        pairs = zip(reversed(one.parts), reversed(wanted.parts), strict=False)
        tail = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        return tail, one.parent == source.parent, split is not None and split in map(split_named, one.parents)

    return max(pictures.get(wanted.name, []), key=fits, default=None)
