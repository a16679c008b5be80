"""Volumes as NIfTI-1 (nifti.nimh.nih.gov/nifti-1): one file, plain or gzipped, turned to stand upright."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER = 348
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
"""Code of the data type -> type of the numbers."""


@dataclass(frozen=True)
class Volume:
    """What a scanner measured."""

    values: np.ndarray
    """(D, H, W) float32, scaled as the file says: Hounsfield units where a CT was stored as such. The first axis goes from the
    feet to the head, the second from front to back, the third from the patient's right to the left."""
    spacing: tuple[float, float, float]
    """Size of a voxel along D, H, W in mm."""


def read_volume(path: Path) -> Volume:
    """A .nii or .nii.gz with three dimensions; ValueError says what is wrong with the file."""
    data = _unzipped(Path(path))
    order = next((order for order in "<>" if data[:4] == struct.pack(f"{order}i", HEADER)), None)
    if order is None or len(data) < HEADER or data[344:348] != b"n+1\0":
        raise ValueError(f"{path} is not a NIfTI-1 volume in one file: it starts with {data[:4].hex(' ') or 'nothing'}")
    dims = struct.unpack_from(f"{order}8h", data, 40)
    sides = dims[1 : 1 + dims[0]] if 0 < dims[0] < 8 else ()
    if len(sides) < 3 or min(sides) < 1 or math.prod(sides[3:]) != 1:
        raise ValueError(f"{path} has {' x '.join(map(str, sides)) or 'no'} voxels, expected three dimensions")
    (code,) = struct.unpack_from(f"{order}h", data, 70)
    if code not in TYPES:
        raise ValueError(f"{path} has voxels of type {code}, expected one of {', '.join(map(str, TYPES))}")
    offset, slope, intercept = struct.unpack_from(f"{order}3f", data, 108)
    kind, count = np.dtype(order + TYPES[code]), math.prod(sides)
    if not HEADER <= offset <= len(data) - count * kind.itemsize:
        raise ValueError(f"{path} is cut off: {len(data):,} bytes, expected {int(offset) + count * kind.itemsize:,}")
    values = np.frombuffer(data, kind, count, int(offset)).reshape(sides[2::-1]).transpose(2, 1, 0).astype(np.float32)
    if slope:
        values = values * np.float32(slope) + np.float32(intercept)
    axes, turned = _orientation(_directions(data, order))
    sizes = struct.unpack_from(f"{order}3f", data, 80)
    values = values.transpose(axes)[tuple(slice(None, None, -1 if turn else 1) for turn in turned)]
    return Volume(np.ascontiguousarray(values), (abs(sizes[axes[0]]), abs(sizes[axes[1]]), abs(sizes[axes[2]])))


def _unzipped(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path} does not exist, expected a .nii or .nii.gz")
    data = path.read_bytes()
    try:
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged or cut off: {error}") from None


def _directions(data: bytes, order: str) -> np.ndarray:
    """(3, 3): columns are the directions of the axes i, j, k towards the patient's right, front and head."""
    by_quaternion, by_matrix = struct.unpack_from(f"{order}2h", data, 252)
    if by_matrix > 0:
        return np.array(struct.unpack_from(f"{order}12f", data, 280)).reshape(3, 4)[:, :3]
    if by_quaternion <= 0:
        return np.eye(3)
    b, c, d = struct.unpack_from(f"{order}3f", data, 256)
    a = math.sqrt(max(1 - b * b - c * c - d * d, 0))
    turn = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip
    (side,) = struct.unpack_from(f"{order}f", data, 76)
    return turn * [1, 1, -1 if side < 0 else 1]


def _orientation(directions: np.ndarray) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which of i, j, k runs most along head, front and right, in this order, and whether it has to be turned round."""
    free = {0, 1, 2}
    found: dict[int, int] = {}
    lengths = np.linalg.norm(directions, axis=0)
    shares = np.abs(directions) / np.where(lengths > 0, lengths, 1)
    for place in np.argsort(-shares, axis=None):
        world, axis = divmod(int(place), 3)
        if world not in found and axis in free:
            found[world] = axis
            free.remove(axis)
    axes = (found[2], found[1], found[0])
    ahead = [directions[world, axis] > 0 for world, axis in zip((2, 1, 0), axes, strict=True)]
    return axes, (not ahead[0], ahead[1], ahead[2])
