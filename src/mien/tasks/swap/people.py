"""Who is to be learnt: names and faces from what a person typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.data.files import no_empty_folders
from mien.faces.align import COVER
from mien.faces.extract import extract
from mien.faces.faceset import FaceSet, is_set, open_set
from mien.faces.group import people as by_person
from mien.faces.group import tracks_of
from mien.progress import say

CROP = 256
"""Pixels a side of the crops that training cuts out itself, at least."""
SECOND = 0.2
"""A second person with more than this share of the first one's faces is a question, not noise."""


def named(items: Sequence[str]) -> dict[str, Path]:
    """`["ann=clips/a.mp4", "bob.jpg"]` -> `{"ann": ..., "bob": ...}`; ValueError for a name twice or a missing path."""
    people: dict[str, Path] = {}
    for item in items:
        name, equals, rest = item.partition("=")
        path = Path(rest if equals else item)
        name = (name if equals else path.stem).replace(".", "_")
        if not name:
            raise ValueError(f"{item!r} has no name: expected NAME=PATH or PATH")
        if name in people:
            raise ValueError(f"two people are called {name!r}: name them, for example {name}1={path}")
        if not path.exists():
            raise ValueError(f"{path} does not exist")
        people[name] = path
    return people


def gather(name: str, path: Path, cache: Path, frames: str = "", size: int = 128) -> FaceSet:
    """The faces of one person: a face set as it is, anything else extracted to `cache` (kept: a second run reads it).

    `size`: pixels a side of the window to be drawn; larger ones want larger crops, which have a folder of their own beside `cache`.
    """
    crop = max(CROP, round(size * COVER))
    if is_set(path):
        faces = open_set(path).active()
    else:
        cache = cache if crop == CROP else cache.with_name(f"{cache.name}-{crop}")
        with no_empty_folders(cache.parent, cache.parent.parent):  # OUT/faces and OUT, where there is no face to keep
            faces = extract([path], cache, size=crop, frames=frames, label=f"faces of {name}")
    if not len(faces):
        raise ValueError(f"{name}: no faces are kept in {path}; put them back with `mien faces keep {path} --all`")
    return one_person(name, path, faces)


def one_person(name: str, path: Path, faces: FaceSet) -> FaceSet:
    """The largest group of faces; ValueError where a second person is about as frequent, for that is the user's choice."""
    if len(faces) == 1:
        return faces
    groups = by_person(faces.embeddings(), tracks_of(faces.column("source"), faces.column("track")))
    sizes = np.bincount(groups)
    if len(sizes) > 1 and sizes[1] > SECOND * sizes[0]:
        many = int((sizes > SECOND * sizes[0]).sum())
        raise ValueError(f"{name}: {path} shows {many} people ({sizes[0]} and {sizes[1]} faces): extract the faces with "
                         f"`mien faces extract`, choose with `mien faces keep SET --like PHOTO`, and give the set")
    if sizes[0] < len(faces):
        say(f"{name}: {len(faces) - sizes[0]} of {len(faces)} faces are of somebody else and left out")
    return faces.select(groups == 0)
