"""From pictures and videos to a face set: every face found, followed, aligned, measured and described.

What is finished is kept in DIR/parts, one Parquet file a video or 64 pictures: a run that was killed goes on there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from mien.data.files import no_empty_folders
from mien.data.pictures import read_picture
from mien.data.sources import find_sources
from mien.data.video import probe, read_video
from mien.faces import group
from mien.faces.align import COVER
from mien.faces.faceset import FACES, KEY, SCHEMA, FaceSet, is_set, open_set, stamp, write_index, write_table
from mien.faces.find import Measured, find_measured, measured, settle
from mien.faces.follow import Follower
from mien.faces.harvest import Harvest
from mien.faces.mesh import around_mesh
from mien.progress import Progress, say
from mien.types import Frame, Source
from mien.weights import card

PARTS = "parts"
PICTURES = 64
"""Pictures in one part."""
VIEW = 3000
"""Pixels on the longer side that faces are looked for in; the networks see far less, so more only costs time."""
SIZES = (64, 512)
EMBEDDING = "dlib-face"


@dataclass(frozen=True)
class Span:
    """Which frames of a video: start <= index < stop, every so many."""

    start: int = 0
    stop: int | None = None
    every: int = 1

    @classmethod
    def parse(cls, frames: str, every: int) -> Span:
        """`"100:200"`, `":200"`, `"100:"` or `""`. Raises ValueError for anything else."""
        sides = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", frames or ":")
        if sides is None:
            raise ValueError(f"frames is {frames!r}, expected START:STOP by frame number, such as 0:160 or 100:")
        start, stop = int(sides[1] or 0), int(sides[2]) if sides[2] else None
        if stop is not None and stop <= start:
            raise ValueError(f"frames is {frames!r}: it ends before it begins, expected START:STOP with STOP larger")
        if every < 1:
            raise ValueError(f"every is {every}, expected 1 (each frame) or more")
        return cls(start, stop, every)


@dataclass(frozen=True)
class Entry:
    """A finished source, as a part notes it."""

    path: str
    bytes: int
    modified: int
    """Nanoseconds; with `bytes`, tells whether the file is still the same."""
    options: str
    prefix: str
    """How the names of its crops begin: the stem, with a number where two sources share one."""
    looked: int = 0
    """Pictures or frames looked at."""
    problem: str = ""
    """Why it could not be read."""


def extract(
    sources: Sequence[Path],
    out: Path | None,
    *,
    size: int = 256,
    frames: str = "",
    every: int = 1,
    largest: bool = False,
    label: str = "extract",
) -> FaceSet:
    """Find every face in pictures, videos and folders of them, and write (or extend) the face set `out`.

    size: pixels on each side of a crop, 64 to 512. frames: "start:stop" by frame number, in each video. every: look at
    each nth frame only. largest: only the largest face of each picture. A file that cannot be read is named on stderr
    and left out. Raises ValueError for bad options, or where no face is found or nothing can be read; no new folder is left then.
    """
    if out is None:
        raise ValueError("no folder was given, expected the face set to write")
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size is {size}, expected {SIZES[0]} to {SIZES[1]} pixels")
    out, span = Path(out), Span.parse(frames, every)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the face set")
    own = os.path.abspath(out) + os.sep
    wanted = {os.path.abspath(s.path): s for s in find_sources(sources)}
    wanted = {path: source for path, source in wanted.items() if not path.startswith(own)}
    with no_empty_folders(out / FACES, out / PARTS, out):
        found, entries = _set(out, wanted, span, size, largest, label)
        _judge(found, entries)
    return found


def _set(
    out: Path, wanted: dict[str, Source], span: Span, size: int, largest: bool, label: str
) -> tuple[FaceSet, list[Entry]]:
    """The finished set, and what was noted of each wanted source."""
    parts = Parts(out, stamp(size, COVER, f"{EMBEDDING} {card(EMBEDDING).sha256}"))
    todo = [(path, source, parts.entry(path, source, span, largest)) for path, source in wanted.items()]
    fresh = [(source, entry) for path, source, entry in todo if parts.latest.get(path, (None,))[0] != entry]
    if fresh:
        _work(parts, fresh, size, span, largest, label)
    found = parts.assemble()
    if not len(found) and not is_set(out):
        parts.discard()
    return found, [parts.latest[path][0] for path in wanted]


def _work(
    parts: Parts, fresh: list[tuple[Source, Entry]], size: int, span: Span, largest: bool, label: str
) -> None:
    total = sum(_length(source, span) for source, _ in fresh)
    with Harvest(parts.folder / FACES, size) as harvest, Progress(label, total, "frames") as bar:
        entries: list[Entry] = []
        for source, entry in fresh:
            video = source.kind == "video"
            if entries and (video or len(entries) == PICTURES):
                parts.write(harvest.take(), entries)
                entries = []
            looked, problem = 0, ""
            follower = Follower()
            try:
                for frame in _video(source.path, span) if video else _photo(source.path):
                    looked += 1
                    faces = follower.step(frame.image) if video else list(enumerate(find_in_photo(frame.image)))
                    for track, face in faces[:1] if largest else faces:
                        harvest.add(entry.path, entry.prefix, frame, track, face, follows=video)
                    bar.advance(note=f"{harvest.faces} faces")
            except Unreadable as error:
                problem = str(error)
            entries.append(replace(entry, looked=looked, problem=problem))
            if video:
                parts.write(harvest.take(), entries)
                entries = []
        if entries:
            parts.write(harvest.take(), entries)


class Unreadable(Exception):  # noqa: N818 - a state of a file, reported in the end
    """A source that cannot be read, in words."""


def find_in_photo(image: np.ndarray) -> list[Measured]:
    """`find_measured`, in a view of at most `VIEW` pixels; what is found is measured again in the full picture."""
    factor = -(-max(image.shape[:2]) // VIEW)
    if factor == 1:
        return find_measured(image, thorough=True)
    view = np.asarray(Image.fromarray(image).reduce(factor))
    looks = [settle(image, around_mesh(face.mesh * factor), rounds=1) for face in find_measured(view, thorough=True)]
    return [measured(points, present) for points, present in looks]


def _photo(path: Path) -> Iterator[Frame]:
    try:
        image = read_picture(path)
    except (ValueError, PermissionError) as error:
        raise Unreadable(str(error)) from None
    yield Frame(image, 0, 0, 0.0)


def _video(path: Path, span: Span) -> Iterator[Frame]:
    read = read_video(path, skip=span.start)
    while True:
        try:
            frame = next(read, None)
        except (ValueError, PermissionError) as error:
            raise Unreadable(str(error)) from None
        if frame is None or (span.stop is not None and frame.index >= span.stop):
            return
        if (frame.index - span.start) % span.every == 0:
            yield frame


def _length(source: Source, span: Span) -> int:
    """Pictures to look at, as far as the file says."""
    try:
        frames = (probe(source.path).frames or 1) if source.kind == "video" else 1
    except (ValueError, OSError):
        return 1
    stop = frames if span.stop is None else min(span.stop, frames)
    return max(-(-(stop - span.start) // span.every), 1) if source.kind == "video" else 1


class Parts:
    """The finished sources of a set, in DIR/parts."""

    def __init__(self, folder: Path, metadata: dict[bytes, bytes]) -> None:
        """Raises ValueError where the folder holds a set made with another size or network."""
        self.folder, self.metadata = folder, metadata
        self.latest: dict[str, tuple[Entry, int]] = {}
        """Source -> what was noted last, and the number of that part."""
        self.count = 0
        self._prefixes: dict[str, str] = {}
        for path in sorted((folder / PARTS).glob("[0-9]*.parquet")):
            self.count = int(path.stem) + 1
            noted = pq.read_schema(path).metadata
            _same_kind(folder, json.loads(noted[KEY]), json.loads(metadata[KEY]))
            for entry in (Entry(**values) for values in json.loads(noted[b"sources"])):
                self.latest[entry.path] = (entry, int(path.stem))
                self._prefixes[entry.prefix.casefold()] = entry.path

    def entry(self, path: str, source: Source, span: Span, largest: bool) -> Entry:
        """What will be noted for a source, or what was, where neither file nor options have changed."""
        options = f"largest={largest}" + (f" {span}" if source.kind == "video" else "")
        known = self.latest.get(path, (None, 0))[0]
        state = source.path.stat()
        prefix = known.prefix if known else self._prefix(path, source.path.stem[:80])
        now = Entry(path, state.st_size, state.st_mtime_ns, options, prefix)
        return known if known and replace(known, looked=0, problem="") == now else now

    def _prefix(self, path: str, stem: str) -> str:
        """The stem, numbered where another source has it (file systems that ignore case count too)."""
        name, number = stem, 1
        while self._prefixes.setdefault(name.casefold(), path) != path:
            number += 1
            name = f"{stem}-{number}"
        return name

    def write(self, table: pa.Table, entries: list[Entry]) -> None:
        """Note these sources as finished, with their faces."""
        noted = json.dumps([asdict(entry) for entry in entries]).encode()
        path = self.folder / PARTS / f"{self.count:06}.parquet"
        write_table(path, table.replace_schema_metadata({**self.metadata, b"sources": noted}))
        self.latest |= {entry.path: (entry, self.count) for entry in entries}
        self.count += 1

    def discard(self) -> None:
        """Remove all parts: no face came of them."""
        for path in (self.folder / PARTS).glob("[0-9]*.parquet"):
            path.unlink()

    def assemble(self) -> FaceSet:
        """Join the parts into the index; faces that were in it keep what `keep` said of them."""
        old = open_set(self.folder) if is_set(self.folder) else None
        joined = int(old.table.schema.metadata.get(b"parts", 0)) if old else 0
        if old and joined == self.count:
            return old
        tables = []
        for path in sorted((self.folder / PARTS).glob("[0-9]*.parquet")):
            table = pq.read_table(path).replace_schema_metadata(self.metadata)
            now = [self.latest[source][1] == int(path.stem) for source in table["source"].to_pylist()]
            tables.append(table.filter(pa.array(now, pa.bool_())))
        table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
        table = table.replace_schema_metadata({**self.metadata, b"parts": str(self.count).encode()})
        old = old or FaceSet(self.folder, table.slice(0, 0))
        rows = zip(old.column("file"), old.column("source"), old.column("kept"), strict=True)
        fresh = {path for path, (_, part) in self.latest.items() if part >= joined}
        aside = {file for file, source, kept in rows if not kept and source not in fresh}
        names = table["file"].to_pylist()
        table = _with(table, "kept", pa.array([name not in aside for name in names], pa.bool_()))
        faces = with_people(FaceSet(self.folder, table))
        if len(faces):
            write_index(self.folder, faces.table)
            drafts = (self.folder / FACES).glob(".*.part.jpg")  # of a run that was killed
            for path in (*(self.folder / name for name in set(old.column("file")) - set(names)), *drafts):
                path.unlink(missing_ok=True)
        return faces


def with_people(faces: FaceSet) -> FaceSet:
    """The set with its faces gathered into people: `person` 0 has the most."""
    person = group.people(faces.embeddings(), group.tracks_of(faces.column("source"), faces.column("track")))
    return FaceSet(faces.folder, _with(faces.table, "person", pa.array(person.astype(np.int32))))


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), values)


def _same_kind(folder: Path, found: dict[str, object], asked: dict[str, object]) -> None:
    for name in ("size", "cover", "embedding"):
        if found[name] != asked[name]:
            text = f"{folder} holds faces with {name} {found[name]}, found {asked[name]} now"
            raise ValueError(f"{text}: choose another folder, or extract with the same {name}")


def _judge(found: FaceSet, entries: list[Entry]) -> None:
    """Name what could not be read; raise ValueError where nothing could, or no face came of it."""
    bad = [entry for entry in entries if entry.problem]
    for entry in bad:
        say(f"left out: {entry.problem}")
    if len(bad) == len(entries):
        first = bad[0].problem if bad else "all lie inside the set itself"
        raise ValueError(f"none of {len(entries)} sources could be read: {first}")
    ours = {entry.path for entry in entries}
    if not any(source in ours for source in found.column("source")):
        looked = sum(entry.looked for entry in entries)
        note = f" ({len(bad)} files could not be read)" if bad else ""
        raise ValueError(f"no face in {looked} pictures or frames{note}, expected at least one")
