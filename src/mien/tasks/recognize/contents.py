"""What is known of an archive of photos, in OUT/archive.parquet: a second look is only for what is new or changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mien.data.files import atomic
from mien.data.pictures import write_picture
from mien.faces.probe import Probe
from mien.types import Space

STATE, CROPS = "archive.parquet", "faces"
KEY = b"mien"
POOR, NEW = 0, -1
"""Group numbers of faces too poor to decide by, and of those that were never grouped."""
SCHEMA = pa.schema([
    ("photo", pa.string()),  # below the archive's folder
    ("bytes", pa.int64()),
    ("modified", pa.int64()),
    ("content", pa.string()),
    ("faces", pa.list_(pa.struct([
        ("id", pa.string()),
        ("box", pa.list_(pa.float32(), 4)),
        ("faults", pa.list_(pa.string())),
        ("vector", pa.binary()),
        ("group", pa.int32()),
    ]))),
])  # fmt: skip
"""One row a photo; `vector` holds float32 numbers, little-endian."""


@dataclass(frozen=True)
class Stamp:
    """A photo as it was when it was looked at."""

    bytes: int
    modified: int
    """Nanoseconds; with `bytes`, tells whether the file is still the same."""
    content: str
    """SHA-256 of the file: copies of a photo, and a photo under another name, are looked at once."""


@dataclass(frozen=True)
class Seen:
    """One face of one photo, and of its copies."""

    id: str
    """Ten digits of its photo's content and the face's number there: the same in every run."""
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in pixels of the photo."""
    faults: tuple[str, ...]
    """Why it is too poor to decide by; none where it is not."""
    vector: np.ndarray
    """(D,) float32."""
    group: int = NEW


class Contents:
    """The photos of an archive by their paths, the faces by their photos' content, and which group numbers were given."""

    def __init__(self, out: Path, folder: Path, space: Space) -> None:
        """Take up what lies in `out`. Raises ValueError where it is damaged, or vectors of another network."""
        self.out, self.folder, self.space = out, folder, space
        self.photos: dict[str, Stamp] = {}
        self.faces: dict[str, tuple[Seen, ...]] = {}
        self.highest = 0
        self.before = ""
        """The folder of the last run."""
        self.known = (out / STATE).is_file()
        if self.known:
            self._read()

    def _read(self) -> None:
        path = self.out / STATE
        try:
            table = pq.read_table(path)
            noted = json.loads((table.schema.metadata or {})[KEY])
            rows = table.to_pylist()
        except (pa.ArrowInvalid, KeyError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{path} is damaged ({reason}): remove it to find the faces anew; links.json stays valid") from None
        if noted["key"] != self.space.key:
            now = asdict(self.space)
            was, asked = next((f"{name} {noted[name]}", str(now[name])) for name in now if noted[name] != now[name])
            raise ValueError(f"{self.out} holds faces described with {was}, found {asked} now: choose another folder, or that model")
        self.highest, self.before = noted["highest"], noted["folder"]
        for row in rows:
            faces = tuple(
                Seen(face["id"], tuple(face["box"]), tuple(face["faults"]), np.frombuffer(face["vector"], "<f4"), face["group"])
                for face in row["faces"]
            )
            if all((self.out / crop(face.id)).is_file() for face in faces):  # else it is looked at again
                self.photos[row["photo"]] = Stamp(row["bytes"], row["modified"], row["content"])
                self.faces[row["content"]] = faces

    def add(self, content: str, probes: Iterable[Probe]) -> None:
        """Keep the faces of a photo, and their crops as pictures."""
        faces = []
        for number, probe in enumerate(probes, 1):
            seen = Seen(f"{content[:10]}-{number}", probe.face.box, probe.quality.faults, probe.vector.astype("<f4"))
            write_picture(self.out / crop(seen.id), probe.crop, quality=90)
            faces.append(seen)
        self.faces[content] = tuple(faces)

    def keep_only(self, photos: dict[str, Stamp]) -> None:
        """Forget all other photos, with their faces."""
        self.photos = photos
        self.faces = {stamp.content: self.faces[stamp.content] for stamp in photos.values()}

    def tidy(self) -> None:
        """Remove the crops of faces that are forgotten."""
        names = {Path(crop(face.id)).name for face in self.all()}
        for path in (self.out / CROPS).glob("*.jpg"):
            # only what is ours by its name: a crop, or the draft of one that was being written when a run was killed
            if path.name not in names and re.fullmatch(r"\.?[0-9a-f]{10}-\d+(\.\d+\.part)?\.jpg", path.name):
                path.unlink()

    def all(self) -> list[Seen]:
        """Every face once, in the order of the photos."""
        return [face for content in dict.fromkeys(stamp.content for stamp in self.photos.values()) for face in self.faces[content]]

    def number(self, groups: dict[str, int]) -> None:
        """Note the group of every face, by id."""
        self.faces = {
            content: tuple(replace(face, group=groups.get(face.id, NEW)) for face in faces) for content, faces in self.faces.items()
        }
        self.highest = max(self.highest, *groups.values())

    @contextmanager
    def kept(self) -> Iterator[None]:
        """A block after which nothing lies in OUT that did not before, where it fails and no face was found."""
        self.save()  # a folder that cannot be written to is found out now, not after hours
        try:
            yield
        except BaseException:
            if not self.known and not any(self.faces.values()):
                (self.out / STATE).unlink(missing_ok=True)
            raise

    def save(self) -> None:
        """Write OUT/archive.parquet, all or nothing."""
        faces = {content: [{**vars(face), "vector": face.vector.tobytes()} for face in found] for content, found in self.faces.items()}
        rows = [{"photo": path, **asdict(stamp), "faces": faces[stamp.content]} for path, stamp in self.photos.items()]
        noted = {**asdict(self.space), "key": self.space.key, "highest": self.highest, "folder": str(self.folder)}
        table = pa.Table.from_pylist(rows, SCHEMA.with_metadata({KEY: json.dumps(noted).encode()}))
        with atomic(self.out / STATE) as draft:
            pq.write_table(table, draft, compression="zstd")


def crop(face: str) -> str:
    """Where the crop of a face lies, below OUT."""
    return f"{CROPS}/{face}.jpg"
