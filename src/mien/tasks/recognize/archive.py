"""An archive of photos gathered into people: who is in which picture, without a name having been given to anybody."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from mien.data.files import atomic, no_empty_folders
from mien.data.pictures import write_picture
from mien.data.sources import find_sources
from mien.faces.describe import space
from mien.faces.group import SAME, cluster, joined, neighbours
from mien.faces.probe import Prober
from mien.progress import say
from mien.tasks.recognize.clustered import Clustered, Doubt, Group, LeftOut
from mien.tasks.recognize.contents import CROPS, POOR, STATE, Contents, Seen, crop
from mien.tasks.recognize.groups_page import write_page
from mien.tasks.recognize.groups_sheet import sheet
from mien.tasks.recognize.links import FILE, Links, read_links
from mien.tasks.recognize.looking import Looking, Looks
from mien.types import Space

DOUBT, DOUBTS = 1.12, 12
"""Neighbouring groups up to this many times the threshold apart are shown as perhaps the same, and how many at most."""


def clustered(
    folder: Path,
    out: Path,
    same: Sequence[str] = (),
    different: Sequence[str] = (),
    threshold: float = SAME,
    model: str = "dlib-face",
    looks: Callable[[], Looks] | None = None,
    within: Space | None = None,
) -> Clustered:
    """Group the faces of every photo below `folder`; see `mien.faces.group.cluster`.

    OUT gets index.html, groups.csv, sheet.jpg, the crops in faces/, links.json with everything that was said, and archive.parquet,
    by which the next run looks only at what is new. `looks` and `within`: another finder than the model's, and its space.
    Raises ValueError for a folder without photos or faces, contradictory links, ids that are no face's, and an OUT of another model
    or archive.
    """
    folder, out = Path(folder), Path(out)
    _check(folder, out, threshold)
    found = _photos(folder, out)
    with no_empty_folders(out / CROPS, out):
        contents, links = Contents(out, folder.absolute(), within or space(model)), read_links(out)
        _same_archive(contents, found)
        with contents.kept():
            looking = Looking(contents, found)
            looking.run(looks or (lambda: Prober(model)))
            faces, left_out = contents.all(), [LeftOut(*one) for one in looking.left_out()]
            if not faces:
                first = f"; {left_out[0].photo}: {left_out[0].why}"
                raise ValueError(f"no face in {len(found)} photos below {folder}, expected at least one{first}")
        links.warn(faces)
        links = links.said(same, different, faces)
        numbers = numbered(_grouped(faces, links, threshold, out), [face.group for face in faces], contents.highest)
        contents.number({face.id: int(number) for face, number in zip(faces, numbers, strict=True)})
        links.write(out)
        contents.save()
        contents.tidy()
        return _written(contents, links, threshold, looking.looked, left_out)


def _check(folder: Path, out: Path, threshold: float) -> None:
    if not folder.is_dir():
        raise ValueError(f"{folder} {'is a file' if folder.exists() else 'does not exist'}, expected a folder of photos")
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the groups")
    if folder.resolve() in (out.resolve(), (out / CROPS).resolve()):
        raise ValueError(f"{out} is for the groups and {folder} for the photos: expected two folders")
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(f"found a threshold of {threshold}, expected a distance above 0, {SAME} for instance")


def _photos(folder: Path, out: Path) -> dict[str, Path]:
    """Every picture below the folder by its path there, without those of archives that were grouped (their crops)."""
    ours: dict[Path, bool] = {}

    def grouped(place: Path) -> bool:
        if place not in ours:
            ours[place] = (place / STATE).is_file() or place.resolve() == out.resolve() or (place != folder and grouped(place.parent))
        return ours[place]

    sources = find_sources([folder])
    found = [one.path for one in sources if one.kind == "picture" and not grouped(one.path.parent)]
    if not found:
        raise ValueError(f"{folder} holds no photo (videos: {sum(one.kind == 'video' for one in sources)}), expected at least one")
    if videos := sum(one.kind == "video" for one in sources):
        say(f"{videos} videos are not looked at")
    return {path.relative_to(folder).as_posix(): path for path in found}


def _same_archive(contents: Contents, found: dict[str, Path]) -> None:
    if contents.photos and contents.before != str(contents.folder) and not contents.photos.keys() & found.keys():
        raise ValueError(
            f"{contents.out} holds the groups of {contents.before}, of whose {len(contents.photos)} photos none is below "
            f"{contents.folder}: choose another folder for the groups"
        )


def _grouped(faces: Sequence[Seen], links: Links, threshold: float, out: Path) -> np.ndarray:
    """(N,) group of every face, from 0; -1 for those too poor to decide by, unless somebody said who they are."""
    same, different = links.pairs({face.id: i for i, face in enumerate(faces)})
    try:
        joined(len(faces), same, different, [face.id for face in faces])
    except ValueError as error:
        raise ValueError(f"{error} ({out / FILE} holds what was said before)") from None
    said = {i for pair in same for i in pair}
    different += _apart_in_photos(faces, same)
    used = [i for i, face in enumerate(faces) if not face.faults or i in said]
    place = {i: row for row, i in enumerate(used)}
    label = np.full(len(faces), -1)
    if used:
        together, apart = ([(place[a], place[b]) for a, b in pairs if a in place and b in place] for pairs in (same, different))
        label[used] = cluster(np.stack([faces[i].vector for i in used]), threshold, together, apart)
    return label


def _apart_in_photos(faces: Sequence[Seen], same: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Two faces in one photo are two people, but where somebody said otherwise: of mirrors, and of photos within photos."""
    label = joined(len(faces), same)
    photos: dict[str, list[int]] = {}
    for i, face in enumerate(faces):
        photos.setdefault(face.id.partition("-")[0], []).append(i)
    return [(a, b) for group in photos.values() for a, b in combinations(group, 2) if label[a] != label[b]]


def numbered(label: np.ndarray, before: Sequence[int], highest: int) -> np.ndarray:
    """(N,) groups from 0, or -1, and the number each face's group had (0 or less: none) -> (N,) numbers from 1; POOR for -1.

    A group keeps the number that most of its faces had; the larger share has the first claim. Others get new ones, above `highest`,
    by their sizes: no number ever comes to mean somebody else.
    """
    sizes = Counter(int(one) for one in label if one >= 0)
    shares = Counter((int(one), old) for one, old in zip(label, before, strict=True) if one >= 0 and old > 0)
    given: dict[int, int] = {-1: POOR}
    for (one, old), _ in sorted(shares.items(), key=lambda item: (-item[1], item[0][1], item[0][0])):
        if one not in given and old not in given.values():
            given[one] = old
    for one in sorted(sizes.keys() - given.keys(), key=lambda one: (-sizes[one], one)):
        highest += 1
        given[one] = highest
    return np.array([given[int(one)] for one in label])


def _groups(contents: Contents) -> list[Group]:
    """The largest first, those too poor last; in a group the most typical face first."""
    holders: dict[str, list[str]] = {}
    for name, stamp in contents.photos.items():
        holders.setdefault(stamp.content, []).append(name)
    gathered: dict[int, list[tuple[Seen, list[str]]]] = {}
    for content, names in holders.items():
        for face in contents.faces[content]:
            gathered.setdefault(face.group, []).append((face, names))
    groups = []
    for number, faces in sorted(gathered.items(), key=lambda item: (item[0] == POOR, -len(item[1]), item[0])):
        vectors = np.stack([face.vector for face, _ in faces])
        order = np.argsort(((vectors - vectors.mean(0)) ** 2).sum(1), kind="stable") if number != POOR else range(len(faces))
        ids = tuple(faces[i][0].id for i in order)
        photos = tuple(dict.fromkeys(name for _, names in faces for name in names))
        groups.append(Group(f"g{number}" if number != POOR else "poor", ids, photos, tuple(map(crop, ids))))
    return groups


def _doubts(contents: Contents, links: Links, threshold: float) -> list[Doubt]:
    """Neighbouring groups just beyond the threshold, which a person may know better."""
    faces = [face for face in contents.all() if face.group != POOR]
    if not faces:
        return []
    numbers, label = np.unique([face.group for face in faces], return_inverse=True)
    same, different = links.pairs({face.id: i for i, face in enumerate(faces)})
    pairs = neighbours(np.stack([face.vector for face in faces]), label, different + _apart_in_photos(faces, same))
    near = [(f"g{numbers[a]}", f"g{numbers[b]}", apart) for a, b, apart in pairs if apart < DOUBT * threshold]
    return [Doubt(*one) for one in near[:DOUBTS]]


def _table(contents: Contents) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("photo", "x1", "y1", "x2", "y2", "id", "group"))
    for name, stamp in contents.photos.items():
        for face in contents.faces[stamp.content]:
            rows.writerow((name, *(f"{edge:.1f}" for edge in face.box), face.id, f"g{face.group}" if face.group != POOR else "poor"))
    return text.getvalue()


def _written(contents: Contents, links: Links, threshold: float, looked: int, left_out: list[LeftOut]) -> Clustered:
    """Write what a person looks at."""
    out, groups = contents.out, _groups(contents)
    with atomic(out / "groups.csv") as draft:
        draft.write_text(_table(contents), encoding="utf-8")
    write_picture(out / "sheet.jpg", sheet(out, groups), quality=88)
    write_page(contents, links, groups, _doubts(contents, links, threshold), left_out)
    files = ("index.html", "groups.csv", "sheet.jpg", FILE, STATE, *(name for group in groups for name in group.files))
    photos = contents.photos.keys() | {one.photo for one in left_out}
    return Clustered(out, len(photos), looked, len(contents.all()), tuple(groups), tuple(left_out), files)
