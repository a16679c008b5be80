"""What an extraction has finished, in DIR/parts: one Parquet file a video or batch of pictures, and pieces of the video at work."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mien.faces import group
from mien.faces.faceset import FACES, KEY, SCHEMA, FaceSet, is_set, open_set, write_index, write_table
from mien.faces.follow import Follower
from mien.types import Source

PARTS, UNFINISHED = "parts", "unfinished"


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

    def entry(self, path: str, source: Source, options: str) -> Entry:
        """What will be noted for a source, or what was, where neither file nor options have changed."""
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


class Unfinished:
    """The faces of a video's first frames, in DIR/parts/unfinished, and where following them stood."""

    def __init__(self, parts: Parts, entry: Entry) -> None:
        """Take up the pieces of this source; those of another one, or made with other options, are thrown away."""
        self.folder = parts.folder / PARTS / UNFINISHED
        self.looked, self.follower = 0, Follower()
        self._job = json.dumps([parts.metadata[KEY].decode(), asdict(entry)]).encode()
        found = sorted(self.folder.glob("[0-9]*.parquet"))
        if found:
            noted = pq.read_schema(found[-1]).metadata
            if noted[b"job"] == self._job:
                self.looked, self.follower = int(noted[b"looked"]), Follower.load(noted[b"follower"])
            else:
                self.remove()

    def add(self, table: pa.Table, looked: int, follower: Follower) -> None:
        """Keep the faces of the frames since the last piece; `looked` frames are done in all."""
        noted = {b"job": self._job, b"looked": str(looked).encode(), b"follower": follower.dump()}
        write_table(self.folder / f"{looked:09}.parquet", table.replace_schema_metadata(noted))

    def tables(self) -> list[pa.Table]:
        """All pieces, in order."""
        return [pq.read_table(path).replace_schema_metadata() for path in sorted(self.folder.glob("[0-9]*.parquet"))]

    def remove(self) -> None:
        """Throw the pieces away."""
        shutil.rmtree(self.folder, ignore_errors=True)


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
