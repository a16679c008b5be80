from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mien.data.pictures import write_picture
from mien.faces.faceset import SCHEMA, FaceSet, is_set, open_set, stamp, write_index
from mien.faces.quality import sharpness


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    """Three grey crops of 64 pixels, cut at scale 2 from (10, 20)."""
    rows = []
    for index in range(3):
        write_picture(tmp_path / "faces" / f"{index}.jpg", np.full((64, 64, 3), 60 * index, np.uint8), 96)
        rows.append({name: 0 for name in SCHEMA.names} | {
            "file": f"faces/{index}.jpg", "source": "film.mp4", "frame": index, "box": [1, 2, 3, 4],
            "landmarks": np.arange(136) + index, "transform": [2, 0, -20, 0, 2, -40],
            "embedding": np.full(128, index), "kept": index != 1,
        })  # fmt: skip
    table = pa.table({f.name: pa.array([row[f.name] for row in rows], f.type) for f in SCHEMA}, schema=SCHEMA)
    write_index(tmp_path, table.replace_schema_metadata(stamp(64, 1.25, "dlib-face 00")))
    return open_set(tmp_path)


def test_columns_become_arrays(faces: FaceSet) -> None:
    assert len(faces) == 3
    assert faces.size == 64
    assert faces.landmarks().dtype == np.float32
    np.testing.assert_array_equal(faces.landmarks()[1], np.arange(136).reshape(68, 2) + 1)
    np.testing.assert_array_equal(faces.crop_landmarks(), (faces.landmarks() - [10, 20]) * 2)
    np.testing.assert_array_equal(faces.embeddings(), np.repeat([[0.0], [1], [2]], 128, axis=1))
    assert faces.column("frame") == [0, 1, 2]


def test_a_selection_keeps_order_and_metadata(faces: FaceSet) -> None:
    assert faces.active().column("frame") == [0, 2]
    chosen = faces.select([2, 0])
    assert chosen.column("frame") == [2, 0]
    assert chosen.size == 64
    np.testing.assert_array_equal(chosen.embeddings()[:, 0], [2, 0])
    nobody = faces.select(np.zeros(3, bool))
    assert (len(nobody), nobody.landmarks().shape, nobody.crops().shape) == (0, (0, 68, 2), (0, 64, 64, 3))
    assert nobody.crop_landmarks().shape == (0, 68, 2)


def test_crops_are_read_and_resampled(faces: FaceSet) -> None:
    assert faces.crop(2).shape == (64, 64, 3)
    np.testing.assert_allclose(faces.crops().mean((1, 2, 3)), [0, 60, 120], atol=1)
    np.testing.assert_allclose(faces.crops([2, 1], 32).mean((1, 2, 3)), [120, 60], atol=1)
    assert faces.crops([0], 100).shape == (1, 100, 100, 3)


def test_pandas_reads_the_index(faces: FaceSet) -> None:
    frame = pd.read_parquet(faces.folder / "index.parquet")
    assert list(frame.columns) == SCHEMA.names
    assert frame["landmarks"][0].shape == (136,)


def test_what_is_no_set_is_refused(faces: FaceSet, tmp_path: Path) -> None:
    assert is_set(faces.folder)
    (tmp_path / "empty").mkdir()
    assert not is_set(tmp_path / "empty")
    with pytest.raises(ValueError, match="holds no index"):
        open_set(tmp_path / "empty")
    with pytest.raises(ValueError, match="does not exist"):
        open_set(tmp_path / "nowhere")
    index = tmp_path / "index.parquet"
    whole = index.read_bytes()
    index.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        open_set(tmp_path)
    write_index(tmp_path, pa.table({"file": ["a"]}))
    with pytest.raises(ValueError, match="no face index: it lacks source"):
        open_set(tmp_path)


def test_sharpness_by_hand_and_by_blur() -> None:
    flat = np.full((128, 128, 3), 90, np.uint8)
    assert sharpness(flat) == 0
    one = flat.copy()
    one[64, 64] = 190  # the Laplacian is -400 there and 100 at four places: 200,000 / 126^2 in all
    assert sharpness(one) == pytest.approx(200_000 / 126**2, rel=1e-4)
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    soft = (noise.astype(float) + np.roll(noise, 2, 0) + np.roll(noise, 2, 1) + np.roll(noise, 4, 1)) / 4
    assert sharpness(soft.astype(np.uint8)) < sharpness(noise) / 2
