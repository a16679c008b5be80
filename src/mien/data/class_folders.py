"""Data sets as folders: one folder a class, named like it; also with train/, test/ or val/ above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mien.data.pictures import read_picture
from mien.data.pile import Pile, stack
from mien.data.sources import PICTURES, find_sources, natural
from mien.progress import Progress, say

TRAIN, DEV, TEST = ("train", "training"), ("val", "valid", "validation", "dev"), ("test", "testing")


def folder_parts(source: Path) -> dict[str, Pile] | None:
    """Parts of a folder of class folders; without test/, val/ is the test part; None where there are no class folders.

    ValueError names a class folder that holds no picture and a class that the training part lacks, and says where there are
    pictures, but no class folders.
    """
    if not source.is_dir():
        return None
    below = {one.name.lower(): one for one in _folders(source)}
    loose = sum(one.suffix.lower().lstrip(".") in PICTURES for one in source.iterdir() if one.is_file())
    if loose and not below:
        raise ValueError(f"{source} holds {loose} pictures without labels, expected one folder of pictures for each class")
    if loose:
        say(f"{loose} pictures directly in {source} are in no class folder: they are left out")
    find = lambda names: next((below[name] for name in names if name in below), None)
    train, dev, test = find(TRAIN), find(DEV), find(TEST)
    if train is None or (dev is None and test is None and len(below) > 1):
        return {"train": _pile(source, None)} if below else None
    classes = tuple(one.name for one in _folders(train))
    parts = {"train": train} | ({"test": test, "dev": dev} if test and dev else {"test": test or dev})
    return {part: _pile(folder, classes) for part, folder in parts.items() if folder}


def loose_pile(source: Path) -> Pile | None:
    """The pictures of a folder that has some, and no folders: without labels; None for another source."""
    if not source.is_dir() or _folders(source):
        return None
    files = [one.path for one in find_sources([source]) if one.kind == "picture"] if any(
        one.suffix.lower().lstrip(".") in PICTURES for one in source.iterdir()) else []  # fmt: skip
    return Pile(tuple(files), np.zeros(len(files), np.int64), lambda size: stack(_decoded(files), len(files), size)) if files else None


def _folders(folder: Path) -> list[Path]:
    inside = [one for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "__"))]
    return sorted(inside, key=lambda one: (natural(one.name), one.name))


def _pile(folder: Path, classes: tuple[str, ...] | None) -> Pile:
    """`classes`: those of the training part; None: the folders here."""
    folders = _folders(folder)
    if not folders:
        raise ValueError(f"{folder} holds no class folders, expected one folder of pictures for each class")
    known = classes or tuple(one.name for one in folders)
    files: list[Path] = []
    labels: list[int] = []
    for one in folders:
        if one.name not in known:
            raise ValueError(f"{one} is a class that the training pictures lack; they have {', '.join(known)}")
        inside = _pictures_in(one)
        files += inside
        labels += [known.index(one.name)] * len(inside)
    return Pile(tuple(files), np.array(labels, np.int64), lambda size: stack(_decoded(files), len(files), size), known)


def _pictures_in(folder: Path) -> list[Path]:
    try:
        found = [source.path for source in find_sources([folder]) if source.kind == "picture"]
    except ValueError:
        found = []
    if not found:
        raise ValueError(f"the class folder {folder} is empty, expected pictures ({' '.join(PICTURES)})")
    return found


def _decoded(files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
    with Progress("read pictures", len(files)) as bar:
        for path in files:
            yield str(path), read_picture(path)
            bar.advance()
