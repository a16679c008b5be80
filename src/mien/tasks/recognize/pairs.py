"""What people have to measure with: folders by person, LFW's pair lists, tables of pictures or of pairs."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.sources import PICTURES, find_sources, natural

GROUPS = "groups.csv"
"""Beside the people's folders: `person,group`."""
PAIR_HEADS, PICTURE_HEADS = ("a", "b", "same"), ("picture", "person")
YES, NO = ("1", "yes", "true", "same", "y"), ("0", "no", "false", "different", "n")
EXPECTED = ("a folder with a folder of pictures for each person, a pair list of LFW's form (.txt), or a table (.csv, .tsv) "
            "with the columns a, b, same[, group] or picture, person[, group]")  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Pairs somebody wrote down; without, every pair of pictures is meant."""

    first: np.ndarray
    """(M,) int: places in `Labelled.paths`."""
    second: np.ndarray
    same: np.ndarray
    """(M,) bool."""
    fold: np.ndarray | None
    """(M,) int, where the list has folds."""
    group: tuple[str, ...] | None


@dataclass(frozen=True)
class Labelled:
    """Pictures and who is on them."""

    paths: tuple[Path, ...]
    people: tuple[str, ...]
    """A name for each picture; for tables of pairs, the number of a set of pictures that are one person."""
    groups: tuple[str, ...] | None
    """A group for each picture; "" where unknown."""
    listed: Listed | None
    names_known: bool
    """Whether two pictures with different names are certainly two people: else nobody can be searched for."""
    protocol: str
    notes: tuple[str, ...] = ()
    """What a reader of the figures should know about these pictures."""


def read_labelled(source: Path, images: Path | None = None) -> Labelled:
    """A folder by person, or a list whose pictures lie in `images` (default: beside the list).

    Raises ValueError, naming the place and the line, where pictures are missing, where there is one person only, where nobody has
    two pictures, or where the file has another form.
    """
    source = Path(source)
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected {EXPECTED}")
    if source.is_dir():
        if images is not None:
            raise ValueError(f"{source} is a folder and holds its own pictures: --images goes with a list of pairs")
        return _checked(_folder(source), source)
    reader = READERS.get(source.suffix.lower())
    if reader is None:
        raise ValueError(f"{source} is none of the forms that can be read, expected {EXPECTED}")
    images = source.parent if images is None else Path(images)
    if not images.is_dir():
        raise ValueError(f"{images} is no folder, expected the folder of the pictures that {source} names")
    return _checked(reader(source, images), source)


def _checked(found: Labelled, source: Path) -> Labelled:
    people, counts = np.unique(np.array(found.people), return_counts=True)
    if found.listed is None:
        if len(people) < 2:
            raise ValueError(f"{source} shows one person only ({people[0]}), expected two or more: nobody can be mistaken for another")
        if counts.max() < 2:
            raise ValueError(f"{source} has one picture of everybody, expected two or more of somebody: there is no same-person pair")
    elif not (found.listed.same.any() and not found.listed.same.all()):
        kind = "different-person" if found.listed.same.any() else "same-person"
        raise ValueError(f"{source} lists no {kind} pair among {len(found.listed.same)}, expected both kinds")
    return Labelled(found.paths, found.people, found.groups, found.listed, found.names_known, found.protocol,
                    (*found.notes, *_copies(found)))  # fmt: skip


def _copies(found: Labelled) -> list[str]:
    """Notes on files that are the same byte for byte: under two names one is wrong, under one name the figures flatter."""
    sizes, alike = defaultdict(list), defaultdict(list)
    for place, path in enumerate(found.paths):
        sizes[path.stat().st_size].append(place)
    for places in sizes.values():
        if len(places) > 1:
            for place in places:
                alike[hashlib.sha256(found.paths[place].read_bytes()).digest()].append(place)
    sets = [places for places in alike.values() if len(places) > 1]
    crossed = [places for places in sets if len({found.people[place] for place in places}) > 1]
    notes = []
    if crossed:
        a, b = (found.paths[place] for place in crossed[0][:2])
        notes.append(f"{len(crossed)} pictures are there under two people's names, such as {a} and {b}: one of the names is wrong")
    if inside := len(sets) - len(crossed):
        notes.append(f"{inside} pictures are there more than once under the same name: such pairs flatter the figures")
    return notes


def _folder(source: Path) -> Labelled:
    folders = [one for one in source.iterdir() if one.is_dir() and not one.name.startswith(".")]
    folders.sort(key=lambda one: natural(one.name))
    if not folders:
        raise ValueError(f"{source} holds no folders, expected one for each person, with that person's pictures")
    paths, people, empty = [], [], []
    for folder in folders:
        try:
            found = [one.path for one in find_sources([folder]) if one.kind == "picture"]
        except ValueError:
            found = []
        empty += [] if found else [folder.name]
        paths += found
        people += [folder.name] * len(found)
    if not paths:
        raise ValueError(f"{source}: none of its {len(folders)} folders holds a picture ({' '.join(PICTURES)})")
    notes = [f"{len(empty)} folders hold no picture: {', '.join(empty[:5])}"] if empty else []
    stray = [one.name for one in source.iterdir() if one.is_file() and one.suffix.lower().lstrip(".") in PICTURES]
    if stray:
        notes.append(f"{len(stray)} pictures lie beside the people's folders and were not used, such as {sorted(stray)[0]}")
    groups = _groups(source / GROUPS, people) if (source / GROUPS).is_file() else None
    return Labelled(tuple(paths), tuple(people), groups, None, True, f"all pairs of the pictures in {source.name}", tuple(notes))


def _groups(path: Path, people: Sequence[str]) -> tuple[str, ...]:
    rows, _ = _table(path, ("person", "group"))
    group = {row["person"]: row["group"] for _, row in rows}
    if missing := sorted(set(people) - set(group)):
        raise ValueError(f"{path} names no group for {missing[0]}, expected one line for each of the {len(set(people))} people")
    return tuple(group[person] for person in people)


def _lfw(source: Path, images: Path) -> Labelled:
    """`pairs.txt` (first line: folds and pairs of a kind in each), or the development form (first line: pairs of a kind)."""
    lines = [line.split() for line in _text(source).splitlines() if line.strip()]
    form = "expected a first line with how many folds and pairs, then `name 1 2` or `name 1 other 2`"
    if not lines or not 1 <= len(lines[0]) <= 2 or not all(re.fullmatch(r"[0-9]+", one) for one in lines[0]):
        raise ValueError(f"{source} is no pair list of LFW's form, {form}")
    folds, each = (int(lines[0][0]), int(lines[0][1])) if len(lines[0]) == 2 else (1, int(lines[0][0]))
    if len(lines) - 1 != 2 * folds * each:
        raise ValueError(f"{source} lists {len(lines) - 1} pairs, but its first line says {folds} x 2 x {each} = {2 * folds * each}")
    place: dict[Path, int] = {}
    people: list[str] = []
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) not in (3, 4):
            raise ValueError(f"{source}, line {number}: found {' '.join(line)!r}, {form}")
        named = [(line[0], line[1]), (line[0], line[2])] if len(line) == 3 else [(line[0], line[1]), (line[2], line[3])]
        for person, which in named:
            path = _lfw_picture(images, person, which, f"{source}, line {number}")
            if path not in place:
                place[path] = len(place)
                people.append(person)
            rows.append(place[path])
    first, second = np.array(rows).reshape(-1, 2).T
    names = np.array(people)
    fold = np.arange(len(first)) // (2 * each) if folds > 1 else None
    listed = Listed(first, second, names[first] == names[second], fold, None)
    words = f"the {len(first):,} pairs of {source.name}" + (f" in {folds} folds" if folds > 1 else "")
    return Labelled(tuple(place), tuple(people), None, listed, True, words)


def _lfw_picture(images: Path, person: str, number: str, where: str) -> Path:
    if not number.isdecimal():
        raise ValueError(f"{where}: found {number!r} where the number of a picture of {person} was expected")
    name = f"{person}_{int(number):04d}"
    for folder in (images / person, images):
        for suffix in (".jpg", ".png", ".jpeg", ".webp"):
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    raise ValueError(f"{where}: {images / person / name}.jpg does not exist; the folder of pictures is given with --images")


def _any_table(source: Path, images: Path) -> Labelled:
    heads = _heads(source)
    if set(PAIR_HEADS) <= set(heads):
        return _pair_table(source, images)
    if set(PICTURE_HEADS) <= set(heads):
        return _picture_table(source, images)
    raise ValueError(f"{source} has the columns {', '.join(heads) or 'of nothing'}; "
                     f"expected {', '.join(PAIR_HEADS)}[, group] or {', '.join(PICTURE_HEADS)}[, group]")  # fmt: skip


def _pair_table(source: Path, images: Path) -> Labelled:
    rows, heads = _table(source, PAIR_HEADS)
    place: dict[Path, int] = {}
    first, second, same = [], [], []
    for number, row in rows:
        where = f"{source}, line {number}"
        for name, into in (("a", first), ("b", second)):
            into.append(place.setdefault(_picture(images, row[name], where), len(place)))
        if first[-1] == second[-1]:
            raise ValueError(f"{where}: a and b are the same picture, {row['a']}")
        answer = row["same"].casefold()
        if answer not in YES + NO:
            raise ValueError(f"{where}: found {row['same']!r} in the column same, expected 1 or 0")
        same.append(answer in YES)
    people = _joined(len(place), [(a, b) for a, b, one in zip(first, second, same, strict=True) if one])
    for (number, row), a, b, one in zip(rows, first, second, same, strict=True):
        if not one and people[a] == people[b]:
            raise ValueError(f"{source}, line {number}: {row['a']} and {row['b']} are listed as different, but other lines "
                             "make them the same person")  # fmt: skip
    group = tuple(row["group"] for _, row in rows) if "group" in heads else None
    listed = Listed(np.array(first), np.array(second), np.array(same), None, group)
    names = tuple(f"person {number + 1}" for number in people)
    return Labelled(tuple(place), names, None, listed, False, f"the {len(first):,} pairs of {source.name}")


def _joined(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Sets of pictures that are one person, by what is listed as the same: a number for each picture, from 0 without holes."""
    root = list(range(count))

    def top(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for a, b in pairs:
        root[top(a)] = top(b)
    return np.unique([top(one) for one in range(count)], return_inverse=True)[1].tolist()


def _picture_table(source: Path, images: Path) -> Labelled:
    rows, heads = _table(source, PICTURE_HEADS)
    paths = tuple(_picture(images, row["picture"], f"{source}, line {number}") for number, row in rows)
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise ValueError(f"{source} lists {twice} twice, expected a line for each picture")
    groups = tuple(row["group"] for _, row in rows) if "group" in heads else None
    return Labelled(paths, tuple(row["person"] for _, row in rows), groups, None, True, f"all pairs of the pictures in {source.name}")


def _picture(images: Path, name: str, where: str) -> Path:
    path = images / name
    if not path.is_file():
        raise ValueError(f"{where}: {path} does not exist; the folder of pictures is given with --images")
    return path


def _text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{source} is not text in UTF-8, expected {EXPECTED}") from None


def _separator(source: Path, line: str) -> str:
    return "\t" if source.suffix.lower() == ".tsv" else ";" if ";" in line and "," not in line else ","


def _heads(source: Path) -> list[str]:
    first = next(iter(_text(source).splitlines()), "")
    return [name.strip().casefold() for name in first.split(_separator(source, first))]


def _table(source: Path, needed: Sequence[str]) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """(line number, column -> text) for each line that is not empty, and the columns."""
    lines = _text(source).splitlines()
    heads = _heads(source)
    if missing := [name for name in needed if name not in heads]:
        raise ValueError(f"{source} has no column {missing[0]}: found {', '.join(heads)}, expected {', '.join(needed)}")
    reader = csv.reader(lines[1:], delimiter=_separator(source, lines[0]))
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heads):
            raise ValueError(f"{source}, line {reader.line_num + 1}: found {len(cells)} cells, expected {len(heads)}")
        rows.append((reader.line_num + 1, dict(zip(heads, (cell.strip() for cell in cells), strict=True))))
    if not rows:
        raise ValueError(f"{source} has no line below its columns")
    return rows, heads


READERS: dict[str, Callable[[Path, Path], Labelled]] = {".txt": _lfw, ".csv": _any_table, ".tsv": _any_table}
