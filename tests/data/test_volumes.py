import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mien.data.volumes import TYPES, read_volume

CODES = {np.dtype(name): code for code, name in TYPES.items()}
QUARTER = 2**-0.5


def nifti(array: np.ndarray, order: str = "<", slope: float = 0, intercept: float = 0, matrix: np.ndarray | None = None,
          quaternion: tuple[float, ...] = (), side: float = 1) -> bytes:
    """(i, j, k) -> the bytes of a file, field by field as in nifti1.h; voxels of 1 x 2 x 3 mm."""
    head = bytearray(352)
    struct.pack_into(f"{order}i", head, 0, 348)
    struct.pack_into(f"{order}8h", head, 40, array.ndim, *array.shape, *[1] * (7 - array.ndim))
    struct.pack_into(f"{order}2h", head, 70, CODES[array.dtype], array.itemsize * 8)
    struct.pack_into(f"{order}4f", head, 76, side, 1, 2, 3)
    struct.pack_into(f"{order}3f", head, 108, 352, slope, intercept)
    if matrix is not None:
        struct.pack_into(f"{order}h", head, 254, 1)
        struct.pack_into(f"{order}12f", head, 280, *np.hstack([matrix, np.zeros((3, 1))]).ravel())
    if quaternion:
        struct.pack_into(f"{order}h", head, 252, 1)
        struct.pack_into(f"{order}3f", head, 256, *quaternion)
    head[344:348] = b"n+1\0"
    return bytes(head) + array.astype(array.dtype.newbyteorder(order)).tobytes("F")


@pytest.fixture
def voxels() -> np.ndarray:
    return np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 5


def upright(array: np.ndarray) -> np.ndarray:
    """(right, front, head) -> head, back, left."""
    return array.transpose(2, 1, 0)[:, ::-1, ::-1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8", "u2"])
def test_numbers(tmp_path: Path, voxels: np.ndarray, order: str, kind: str) -> None:
    array = (voxels + 5).astype(kind)
    (tmp_path / "a.nii").write_bytes(nifti(array, order))
    found = read_volume(tmp_path / "a.nii")
    assert found.values.dtype == np.float32
    assert found.values.shape == (4, 3, 2)
    assert found.spacing == (3, 2, 1)
    np.testing.assert_array_equal(found.values, upright(array))


def test_scaled_and_zipped(tmp_path: Path, voxels: np.ndarray) -> None:
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(nifti(voxels, slope=2, intercept=-1024)))
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii.gz").values, upright(voxels * 2.0 - 1024))


def test_a_file_stored_in_another_order(tmp_path: Path, voxels: np.ndarray) -> None:
    # The file's axes run towards the head, the left and the front.
    stored = voxels.transpose(2, 0, 1)[:, ::-1]
    matrix = np.array([[0, -2, 0], [0, 0, 3], [1, 0, 0]])
    (tmp_path / "a.nii").write_bytes(nifti(stored, matrix=matrix))
    found = read_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(found.values, upright(voxels))
    assert found.spacing == (1, 3, 2)


def test_a_tilted_gantry_keeps_the_order(tmp_path: Path, voxels: np.ndarray) -> None:
    (tmp_path / "a.nii").write_bytes(nifti(voxels, matrix=np.array([[0.8, 0, 0], [0, 0.8, 1.6], [0, -0.6, 2.5]])))
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii").values, upright(voxels))


@pytest.mark.parametrize(("quaternion", "side", "stored"), [
    ((0.0, 0.0, 1.0), 1, lambda a: a[::-1, ::-1]),  # half a turn about the axis of the head: left, back, head
    ((0.0, 0.0, QUARTER), 1, lambda a: a.transpose(1, 0, 2)[:, ::-1]),  # a quarter: front, left, head
    ((0.0, 0.0, 0.0), -1, lambda a: a[:, :, ::-1]),  # qfac -1: the third axis towards the feet
])  # fmt: skip
def test_quaternions(tmp_path: Path, voxels: np.ndarray, quaternion: tuple[float, ...], side: float, stored) -> None:
    (tmp_path / "a.nii").write_bytes(nifti(stored(voxels), quaternion=quaternion, side=side))
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii").values, upright(voxels))


def test_real_volumes(data_dir: Path) -> None:
    found = read_volume(data_dir / "ct" / "CT_AVM.nii.gz")
    assert found.values.shape == (154, 242, 256)
    assert found.spacing == pytest.approx((1.0, 0.720913589, 0.71994257))
    raw = gzip.decompress((data_dir / "ct" / "CT_AVM.nii.gz").read_bytes())[352:]
    assert found.values[3, 241 - 5, 255 - 7] == pytest.approx(raw[7 + 256 * (5 + 242 * 3)] * 2.208627462387085)
    assert read_volume(data_dir / "ct" / "CT_pitch.nii.gz").values.shape == (58, 248, 175)


def test_bad_volumes(tmp_path: Path, voxels: np.ndarray) -> None:
    path, good = tmp_path / "a.nii", nifti(voxels)

    def message(data: bytes) -> str:
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.nii") as caught:
            read_volume(path)
        return str(caught.value)

    assert "it starts with nothing" in message(b"")
    assert "not a NIfTI-1 volume in one file" in message(good[:300])
    assert "not a NIfTI-1 volume in one file" in message(good.replace(b"n+1", b"ni1"))
    assert "is cut off: 399 bytes, expected 400" in message(good[:-1])
    assert "damaged or cut off" in message(gzip.compress(good)[:-9])
    assert "has 2 x 3 voxels, expected three dimensions" in message(nifti(voxels[..., 0]))
    assert "has 2 x 3 x 2 x 2 voxels" in message(nifti(voxels.reshape(2, 3, 2, 2)))
    assert "voxels of type 128, expected one of 2, 4" in message(good[:70] + struct.pack("<h", 128) + good[72:])
    with pytest.raises(ValueError, match="does not exist"):
        read_volume(tmp_path / "none.nii")
