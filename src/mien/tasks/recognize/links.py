"""What a person said of faces, in OUT/links.json: these are the same, these are not; it outlives every run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from mien.data.files import atomic
from mien.progress import say
from mien.tasks.recognize.contents import Seen

FILE = "links.json"
KINDS = ("same", "different")


@dataclass(frozen=True)
class Links:
    """Sets of face ids, each as it was said."""

    same: tuple[tuple[str, ...], ...] = ()
    different: tuple[tuple[str, ...], ...] = ()

    def pairs(self, place: dict[str, int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Same and different as pairs of positions, by id; ids that are not there any more lead nowhere."""
        here = [[[place[name] for name in said if name in place] for said in kind] for kind in (self.same, self.different)]
        return [pair for said in here[0] for pair in pairwise(said)], [pair for said in here[1] for pair in combinations(said, 2)]

    def said(self, same: Sequence[str], different: Sequence[str], faces: Sequence[Seen]) -> Links:
        """These links and one more of either kind; what was said last of two faces replaces what was said first.

        `same` takes groups as well (g3): all their faces. Raises ValueError for names that stand for no face.
        """
        links = self
        for kind, names in zip(KINDS, (same, different), strict=True):
            ids = tuple(dict.fromkeys(one for name in names for one in _faces(name, faces, kind)))
            if names and len(ids) < 2:
                raise ValueError(f"--{kind} was given {' '.join(names)}, expected two faces or more")
            if ids:
                links = links.plus(kind, ids)
        return links

    def plus(self, kind: str, ids: tuple[str, ...]) -> Links:
        """With one more."""
        other = KINDS[1 - KINDS.index(kind)]
        held = {name: getattr(self, name) for name in KINDS}
        # a pair said both ways is somebody's change of mind; a longer chain is a contradiction, which grouping refuses
        taken_back = [one for one in held[other] if len(one) == 2 and set(one) <= set(ids)] if kind == "same" or len(ids) == 2 else []
        for one in taken_back:
            say(f"taken back: {' and '.join(one)} are {other}")
        held[other] = tuple(one for one in held[other] if one not in taken_back)
        if not any(set(ids) <= set(one) for one in held[kind]):
            held[kind] += (ids,)
        return Links(**held)

    def warn(self, faces: Sequence[Seen]) -> None:
        """Say which links name faces that are gone; they are kept, since a photo may come back."""
        known = {face.id for face in faces}
        gone = sorted({name for said in (*self.same, *self.different) for name in said} - known)
        if gone:
            more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
            say(f"links to faces that are no longer there are ignored: {' '.join(gone[:5])}{more}")

    def write(self, out: Path) -> None:
        """OUT/links.json, a link a line, so that a person can take one out."""
        kinds = []
        for kind in KINDS:
            lines = ",\n".join(f"    {json.dumps(ids)}" for ids in getattr(self, kind))
            kinds.append(f'  "{kind}": [\n{lines}\n  ]' if lines else f'  "{kind}": []')
        with atomic(out / FILE) as draft:
            draft.write_text("{\n" + ",\n".join(kinds) + "\n}\n", encoding="utf-8")


def read_links(out: Path) -> Links:
    """What was said so far. Raises ValueError where the file is damaged."""
    path = out / FILE
    if not path.is_file():
        return Links()
    try:
        held = json.loads(path.read_text("utf-8"))
        kinds = {kind: tuple(tuple(ids) for ids in held[kind]) for kind in KINDS}
        if not all(isinstance(name, str) for said in kinds.values() for ids in said for name in ids):
            raise ValueError("something other than face ids")
    except (ValueError, KeyError, TypeError) as error:
        expected = '{"same": [[ID, ID], ...], "different": [[ID, ID], ...]}'
        raise ValueError(f"{path} is damaged ({error!r}): expected {expected}; mend or remove it") from None
    return Links(**kinds)


def _faces(name: str, faces: Sequence[Seen], kind: str) -> list[str]:
    """The ids that a name stands for."""
    if group := re.fullmatch(r"g([1-9]\d*)", name):
        if kind == "different":
            raise ValueError(f"--different was given the group {name}, expected faces by the ids under their pictures")
        found = [face.id for face in faces if face.group == int(group[1])]
    else:
        found = [face.id for face in faces if face.id == name][:1]
    if not found:
        raise ValueError(f"--{kind} names {name}, which is no face here: expected ids or groups as index.html prints them")
    return found
