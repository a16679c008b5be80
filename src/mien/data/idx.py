"""IDX, the format of the MNIST files (LeCun, yann.lecun.com/exdb/mnist): any of its types, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mien.data.pile import Pile, joined_parts

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Third byte of the file -> type of the numbers."""
NAMES = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx[0-9]-ubyte(\.gz)?")
PARTS = {"train": "train", "t10k": "test", "test": "test"}


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file, in the machine's byte order; ValueError says what is wrong with the file."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is damaged or cut off: {error}") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in TYPES:
        raise ValueError(f"{path} is not an IDX file: it starts with {data[:4].hex(' ') or 'nothing'}, expected 00 00 and a type")
    kind, head = np.dtype(TYPES[data[2]]), 4 + 4 * data[3]
    if len(data) < head:
        raise ValueError(f"{path} is cut off within its {head} bytes of header")
    shape = struct.unpack(f">{data[3]}I", data[4:head])
    expected = head + math.prod(shape) * kind.itemsize
    if len(data) != expected:
        raise ValueError(f"{path} is cut off or damaged: {len(data):,} bytes, expected {expected:,} for {' x '.join(map(str, shape))}")
    return np.frombuffer(data, kind, offset=head).reshape(shape).astype(kind.newbyteorder("="))


def idx_parts(folder: Path) -> dict[str, Pile] | None:
    """The parts of a folder with the MNIST names (`train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte.gz`, ...), or None."""
    if not folder.is_dir():
        return None
    arrays: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        name = NAMES.fullmatch(path.name)
        if name:
            arrays.setdefault(PARTS[name[1]], {}).setdefault(name[2], path)
    return joined_parts(folder, {part: {kind: (path, _reader(path)) for kind, path in pair.items()} for part, pair in arrays.items()})


def _reader(path: Path) -> Callable[[], np.ndarray]:
    return lambda: read_idx(path)
