"""Face sets: find every face in pictures and videos, look at them, sort them, keep one person."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    import numpy as np

    from mien.faces.faceset import FaceSet

LISTED = 12
"""People named one by one in a summary."""


@dataclass(frozen=True)
class Person:
    """One identity group."""

    person: int
    """0 has the most faces."""
    faces: int
    tracks: int
    """Runs through a video, and photos."""


@dataclass(frozen=True)
class Extracted:
    """A face set as it stands after extraction."""

    set: Path
    faces: int
    sources: int
    """Files in which at least one face was found."""
    size: int
    """Pixels on each side of a crop."""
    people: tuple[Person, ...]

    def __str__(self) -> str:
        return f"{self.set}: {_many(self.faces, 'face')} from {_many(self.sources, 'file')}, {_told(self.people)}"


@dataclass(frozen=True)
class Sorted:
    """A face set in a new order."""

    set: Path
    by: str
    faces: int
    people: tuple[Person, ...]

    def __str__(self) -> str:
        return f"{self.set}: {_many(self.faces, 'face')} sorted by {self.by}, {_told(self.people)}"


@dataclass(frozen=True)
class Kept:
    """What stays active and what was set aside."""

    set: Path
    kept: int
    aside: int
    nearest: float | None
    """Distance of the nearest face to the reference."""
    farthest_kept: float | None

    def __str__(self) -> str:
        return f"{self.set}: {_many(self.kept, 'face')} kept, {self.aside} set aside (mien faces keep --all undoes it)"


@dataclass(frozen=True)
class Shown:
    """A contact sheet."""

    sheet: Path
    shown: int
    faces: int
    people: int

    def __str__(self) -> str:
        return f"{self.sheet}: {self.shown} of {_many(self.faces, 'face')}, {_many(self.people, 'person', 'people')}"


def extract(
    sources: list[Path],
    *,
    out: Path,
    size: int = 256,
    frames: str = "",
    every: int = 1,
    enhance: bool = False,
    detector: Literal["blaze", "faster"] = "blaze",
) -> Extracted:
    """Find every face in pictures, videos and folders, align it, and write a face set.

    Faces are followed through a video and gathered into people. A run that was stopped goes on when started again; more
    sources may be added to a set later.

    Args:
        sources: Pictures, videos, and folders of them.
        out: The folder for the set: crops as JPEG in faces/, one row a face in index.parquet.
        size: Pixels on each side of a crop, 64 to 512.
        frames: Only these frames of each video, by number: 0:160, 100: or :50.
        every: Look at each nth frame of a video only.
        enhance: Enlarge faces smaller than the crop by a network instead of interpolation; what it adds is likely, not known.
        detector: Who proposes faces: blaze, the packaged networks, or faster, mien's own Faster R-CNN.

    """
    from mien.faces.extract import extract as make

    made = make(sources, out, size=size, frames=frames, every=every, enhance=enhance, detector=detector)
    return Extracted(Path(out), len(made), len(set(made.column("source"))), made.size, _people(made))


def sort(set_: Path, *, by: Literal["identity", "sharpness", "pose", "size"] = "identity") -> Sorted:
    """Put the faces of a set in order, and gather them into people anew.

    Args:
        set_: The folder of a face set.
        by: identity: person after person, most faces first; sharpness: crisp first; pose: from looking to the left of the
            picture to its right; size: large first.

    """
    import numpy as np

    from mien.faces.faceset import open_set, write_index
    from mien.faces.group import tracks_of
    from mien.faces.parts import with_people

    faces = with_people(open_set(set_))
    keys = {
        "identity": lambda: (np.array(faces.column("frame")), tracks_of(faces.column("source"), faces.column("track")),
                             np.array(faces.column("person"))),
        "sharpness": lambda: (-np.array(faces.column("sharpness")),),
        "pose": lambda: (np.array(faces.column("yaw")),),
        "size": lambda: (-np.array(faces.column("size")),),
    }  # fmt: skip
    ordered = faces.select(np.lexsort(keys[by]()))
    write_index(ordered.folder, ordered.table)
    return Sorted(Path(set_), by, len(ordered), _people(ordered))


def keep(
    set_: Path,
    *,
    like: Annotated[list[Path] | None, Parameter(consume_multiple=True, negative="")] = None,
    threshold: float = 0.55,
    all_: Annotated[bool, Parameter(negative="")] = False,
) -> Kept:
    """Keep one person's faces and set the others aside; nothing is deleted.

    Whole tracks are decided at once, by their mean embedding. Training and conversion use the kept faces only.

    Args:
        set_: The folder of a face set.
        like: Photos of the person; in each the largest face counts.
        threshold: Largest distance to one of the photos; 0.6 is where dlib's network says "the same person".
        all_: Put everything back.

    """
    import numpy as np
    import pyarrow as pa

    from mien.faces.faceset import open_set, write_index
    from mien.faces.group import means, tracks_of

    if bool(like) == all_:
        raise ValueError("found both --like and --all" if like else "say whom to keep: --like PHOTO, or --all")
    if threshold <= 0:
        raise ValueError(f"threshold is {threshold:g}, expected a distance above 0, such as 0.55")
    faces = open_set(set_)
    distance = np.zeros(len(faces))
    if like:
        track = tracks_of(faces.column("source"), faces.column("track"))
        to_each = means(faces.embeddings(), track)[:, None] - _references(like)[None]
        distance = np.linalg.norm(to_each, axis=-1).min(1)[track]
    kept = np.ones(len(faces), bool) if all_ else distance < threshold
    if not kept.any():
        raise ValueError(f"nobody in {set_} is like the photo: the nearest is {distance.min():.2f} away, expected under "
                         f"{threshold:g}; nothing was changed")  # fmt: skip
    place = faces.table.schema.get_field_index("kept")
    table = faces.table.set_column(place, faces.table.schema.field(place), pa.array(kept))
    write_index(faces.folder, table)
    near, far = (float(distance.min()), float(distance[kept].max())) if like else (None, None)
    return Kept(Path(set_), int(kept.sum()), int((~kept).sum()), near, far)


def show(set_: Path, *, out: Path | None = None, columns: int = 12) -> Shown:
    """Write a contact sheet: the faces of a set by person, each with its track and frame.

    Args:
        set_: The folder of a face set.
        out: The picture to write, .png or .jpg; sheet.jpg inside the set where none is given.
        columns: Faces side by side. Of large sets each person's faces are sampled evenly.

    """
    import numpy as np

    from mien.data.pictures import write_picture
    from mien.faces.faceset import open_set
    from mien.faces.sheet import chosen, sheet

    if not 1 <= columns <= 100:
        raise ValueError(f"columns is {columns}, expected 1 to 100")
    faces, target = open_set(set_), out or Path(set_) / "sheet.jpg"
    write_picture(target, sheet(faces, columns), quality=92)
    picked = chosen(np.array(faces.column("person"), np.int64), columns)
    return Shown(target, sum(len(those) for _, those in picked), len(faces), len(set(faces.column("person"))))


def _references(photos: list[Path]) -> np.ndarray:
    """(P, 128): the largest face of each photo."""
    import numpy as np

    from mien.data.pictures import read_picture
    from mien.faces.describe import Describer
    from mien.faces.find import find_in_photo
    from mien.progress import say

    describer, found = Describer(), []
    for photo in photos:
        image = read_picture(photo)
        faces = find_in_photo(image)
        if not faces:
            raise ValueError(f"no face in {photo}, expected a photo of the person to keep")
        if len(faces) > 1:
            say(f"{photo} shows {len(faces)} faces: the largest is taken")
        found.append(describer(image, faces[0].face.landmarks[None])[0])
    return np.stack(found)


def _people(faces: FaceSet) -> tuple[Person, ...]:
    counted: Counter[int] = Counter()
    tracks: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
    columns = (faces.column(name) for name in ("person", "source", "track"))
    for person, source, track in zip(*columns, strict=True):
        counted[person] += 1
        tracks[person].add((source, track))
    return tuple(Person(person, counted[person], len(tracks[person])) for person in sorted(counted))


def _told(people: tuple[Person, ...]) -> str:
    lines = [f"{_many(len(people), 'person', 'people')}:"]
    lines += [f"  person {one.person}: {_many(one.faces, 'face')} in {_many(one.tracks, 'track')}" for one in
              people[:LISTED]]  # fmt: skip
    if len(people) > LISTED:
        rest = people[LISTED:]
        lines.append(f"  and {len(rest)} more with {_many(sum(one.faces for one in rest), 'face')}")
    return "\n".join(lines)


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


COMMANDS = (extract, sort, keep, show)
