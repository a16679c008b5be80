"""A face set: a folder with aligned crops as plain JPEGs and one Parquet index that pandas and DuckDB read as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import mien
from mien.data.files import atomic
from mien.data.pictures import read_picture
from mien.data.warp import transform

INDEX = "index.parquet"
FACES = "faces"
KEY = b"mien"
"""The entry of the Parquet schema's metadata that holds mien's own, as JSON."""
SCHEMA = pa.schema([
    ("file", pa.string()),  # relative to the set's folder
    ("source", pa.string()),
    ("frame", pa.int64()),
    ("pts", pa.int64()),
    ("time", pa.float64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("track", pa.int32()),
    ("person", pa.int32()),
    ("score", pa.float32()),
    ("box", pa.list_(pa.float32(), 4)),
    ("landmarks", pa.list_(pa.float32(), 136)),
    ("transform", pa.list_(pa.float32(), 6)),
    ("embedding", pa.list_(pa.float32(), 128)),
    ("sharpness", pa.float32()),
    ("size", pa.float32()),
    ("yaw", pa.float32()),
    ("pitch", pa.float32()),
    ("roll", pa.float32()),
    ("kept", pa.bool_()),
])  # fmt: skip
"""One row a face; docs/faces.md says what each column holds."""


@dataclass(frozen=True)
class FaceSet:
    """Faces in the order of the index; `select` and `active` give smaller sets over the same folder."""

    folder: Path
    table: pa.Table

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What was noted when the set was made: version, size, cover, embedding."""
        return json.loads((self.table.schema.metadata or {})[KEY])

    @property
    def size(self) -> int:
        """Pixels on each side of a stored crop."""
        return int(self.metadata["size"])

    def landmarks(self) -> np.ndarray:
        """(N, 68, 2) float32 in pixels of the source picture."""
        return self._lists("landmarks").reshape(-1, 68, 2)

    def transforms(self) -> np.ndarray:
        """(N, 2, 3) float32: source picture -> crop."""
        return self._lists("transform").reshape(-1, 2, 3)

    def crop_landmarks(self) -> np.ndarray:
        """(N, 68, 2) float32 in pixels of the crop."""
        pairs = zip(self.transforms().astype(float), self.landmarks().astype(float), strict=True)
        moved = [transform(matrix, points) for matrix, points in pairs]
        return np.array(moved, np.float32).reshape(-1, 68, 2)

    def embeddings(self) -> np.ndarray:
        """(N, 128) float32; see `mien.faces.describe.distance`."""
        return self._lists("embedding")

    def crop(self, index: int) -> np.ndarray:
        """(size, size, 3) uint8 RGB. Raises ValueError where the picture is missing or damaged."""
        return read_picture(self.folder / self.table["file"][index].as_py())

    def crops(self, indices: Sequence[int] | np.ndarray | None = None, size: int | None = None) -> np.ndarray:
        """(N, size, size, 3) uint8 RGB: these faces, or all; resampled (antialiased) where `size` is another."""
        chosen = range(len(self)) if indices is None else indices
        size = size or self.size
        out = np.empty((len(chosen), size, size, 3), np.uint8)
        for row, index in enumerate(chosen):
            crop = self.crop(int(index))
            if crop.shape[:2] != (size, size):
                crop = np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC))
            out[row] = crop
        return out

    def select(self, chosen: Sequence[int] | Sequence[bool] | np.ndarray) -> FaceSet:
        """The faces where a mask (N,) is true, or those at these positions, in this order."""
        wanted = np.asarray(chosen)
        if wanted.dtype == bool:
            assert wanted.shape == (len(self),)
            wanted = np.flatnonzero(wanted)
        return FaceSet(self.folder, self.table.take(pa.array(wanted.astype(np.int64))))

    def active(self) -> FaceSet:
        """The faces that were not set aside by `keep`."""
        return self.select(np.array(self.column("kept"), bool))

    def column(self, name: str) -> list[Any]:
        """One column as Python values."""
        return self.table[name].to_pylist()

    def _lists(self, name: str) -> np.ndarray:
        column = self.table[name].combine_chunks()
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(self), SCHEMA.field(name).type.list_size)


def stamp(size: int, cover: float, embedding: str) -> dict[bytes, bytes]:
    """Schema metadata of a set: crop size in pixels, canonical windows a crop covers, and the embedding network."""
    noted = {"version": mien.__version__, "size": size, "cover": cover, "embedding": embedding}
    return {KEY: json.dumps(noted).encode()}


def is_set(path: Path) -> bool:
    """Whether `path` is a folder with an index."""
    return (Path(path) / INDEX).is_file()


def open_set(folder: Path) -> FaceSet:
    """Open a face set. Raises ValueError where `folder` is none, or its index is damaged or not mien's."""
    folder = Path(folder)
    if not is_set(folder):
        found = "does not exist" if not folder.exists() else f"holds no {INDEX}" if folder.is_dir() else "is a file"
        raise ValueError(f"{folder} {found}, expected a face set (mien faces extract makes one)")
    try:
        table = pq.read_table(folder / INDEX)
    except pa.ArrowInvalid as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{folder / INDEX} is damaged: {reason}; extract again into the same folder") from None
    lacking = [name for name in SCHEMA.names if name not in table.schema.names]
    if lacking or KEY not in (table.schema.metadata or {}):
        raise ValueError(f"{folder / INDEX} is no face index: it lacks {', '.join(lacking) or 'the metadata of mien'}")
    return FaceSet(folder, table)


def write_index(folder: Path, table: pa.Table) -> None:
    """Write DIR/index.parquet, all or nothing; `table` keeps its schema metadata (see `stamp`)."""
    write_table(Path(folder) / INDEX, table)


def write_table(path: Path, table: pa.Table) -> None:
    """Write one Parquet file, all or nothing."""
    with atomic(path) as draft:
        pq.write_table(table, draft, compression="zstd")
