import gzip
import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from mien.data.examples import Examples, parts, read_examples
from mien.data.idx import read_idx
from mien.data.pile import fit_square, fit_squares

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "mien" / "data"


def idx(array: np.ndarray, kind: int) -> bytes:
    """Written by hand from the format's description."""
    numbers = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + numbers.tobytes()


def mnist(folder: Path, images: np.ndarray, labels: np.ndarray, prefix: str = "train", zipped: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
        data = idx(array, 8)
        (folder / f"{name}{'.gz' if zipped else ''}").write_bytes(gzip.compress(data) if zipped else data)


def class_folders(folder: Path, counts: dict[str, int], shape: tuple[int, ...] = (8, 8, 3)) -> None:
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(RANDOM.integers(0, 256, shape, np.uint8)).save(folder / name / f"{number}.png")


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def digest(array: np.ndarray) -> str:
    return hashlib.md5(array.tobytes()).hexdigest()


@pytest.mark.parametrize(("kind", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_every_type_of_idx(tmp_path: Path, kind: int, dtype: str) -> None:
    array = RANDOM.integers(-100 if dtype != "u1" else 0, 100, (3, 4, 5)).astype(dtype)
    (tmp_path / "a").write_bytes(idx(array, kind))
    found = read_idx(tmp_path / "a")
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_names(tmp_path: Path, zipped: bool) -> None:
    images = RANDOM.integers(0, 256, (6, 28, 28), np.uint8)
    mnist(tmp_path, images, np.array([3, 7, 3, 7, 9, 3], np.uint8), zipped=zipped)
    mnist(tmp_path, images[:2], np.array([9, 3], np.uint8), "t10k", zipped)
    train, test, both = (read_examples(tmp_path, part) for part in ("train", "test", "all"))
    assert parts(tmp_path) == ("test", "train")
    assert train.classes == test.classes == ("3", "7", "9")
    assert train.labels.tolist() == [0, 1, 0, 1, 2, 0]
    assert test.labels.tolist() == [2, 0]
    np.testing.assert_array_equal(train.images[..., 0], images)
    assert sorted(both.labels.tolist()) == [0, 0, 0, 0, 1, 1, 2, 2]


def test_mnist_itself(data_dir: Path) -> None:
    train, test = read_examples(data_dir / "digits"), read_examples(data_dir / "digits", "test")
    assert train.images.shape == (60000, 28, 28, 1)
    assert test.images.shape == (10000, 28, 28, 1)
    # Class sizes as LeCun's files have them, and the mean and deviation everybody normalises MNIST by.
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert train.images.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_parquet(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 256, (4, 6, 5, 3), np.uint8)
    table = pa.table({"image": [{"bytes": png(image), "path": None} for image in images], "label": [1, 0, 1, 0]})
    names = b'{"info": {"features": {"label": {"names": ["cat", "dog"]}}}}'
    parquet.write_table(table.replace_schema_metadata({b"huggingface": names}), tmp_path / "train-00000-of-00001.parquet")
    parquet.write_table(pa.table({"image": [png(images[0])], "label": [1]}), tmp_path / "test.parquet")
    train, test = read_examples(tmp_path), read_examples(tmp_path, "test")
    np.testing.assert_array_equal(train.images, images)
    np.testing.assert_array_equal(test.images, images[:1])
    assert train.classes == ("cat", "dog")
    assert train.labels.tolist() == [1, 0, 1, 0]


def test_parquet_with_text_as_labels(tmp_path: Path) -> None:
    image = RANDOM.integers(0, 256, (6, 5, 3), np.uint8)
    parquet.write_table(pa.table({"img": [png(image)] * 3, "label": ["b10", "b2", "b10"]}), tmp_path / "a.parquet")
    found = read_examples(tmp_path / "a.parquet")
    assert found.classes == ("b2", "b10")
    assert found.labels.tolist() == [1, 0, 1]


def test_cifar_is_decoded_once(data_dir: Path, own_cache: Path) -> None:
    source = data_dir / "cifar10" / "test.parquet"
    found = read_examples(source)
    assert found.images.shape == (10000, 32, 32, 3)
    assert np.bincount(found.labels).tolist() == [1000] * 10
    row = parquet.read_table(source).slice(777, 1).to_pylist()[0]
    np.testing.assert_array_equal(found.images[777], np.asarray(Image.open(io.BytesIO(row["img"]["bytes"])).convert("RGB")))
    assert found.labels[777] == row["label"]
    (stored,) = own_cache.iterdir()
    np.testing.assert_array_equal(np.load(stored), found.images)
    np.save(stored, np.zeros_like(found.images))
    assert not read_examples(source).images.any()  # from the cache
    stored.write_bytes(stored.read_bytes()[:1000])
    np.testing.assert_array_equal(read_examples(source).images[:, ::31], found.images[:, ::31])  # a damaged cache is made again


def test_a_changed_file_is_decoded_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mien.data.kept.LEAST", 1)
    source = tmp_path / "a.parquet"
    for value in (10, 200):
        data = png(np.full((6, 5, 3), value, np.uint8) * np.array([1, 0, 0], np.uint8))
        parquet.write_table(pa.table({"img": [data] * value, "label": [0] + [1] * (value - 1)}), source)
        assert set(read_examples(source).images[..., 0].ravel().tolist()) == {value}


def test_somebodys_own_folder_is_never_copied(tmp_path: Path, own_cache: Path, monkeypatch) -> None:
    monkeypatch.setattr("mien.data.kept.LEAST", 1)
    class_folders(tmp_path / "mine", {"a": 2, "b": 2})
    read_examples(tmp_path / "mine")
    assert not own_cache.exists() or not list(own_cache.iterdir())


def test_folders_by_class(tmp_path: Path) -> None:
    class_folders(tmp_path, {"b10": 3, "b2": 2, ".hidden": 1})
    found = read_examples(tmp_path)
    assert found.classes == ("b2", "b10")
    assert found.labels.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_array_equal(found.images[3], np.asarray(Image.open(tmp_path / "b10" / "1.png")))
    assert parts(tmp_path) == ("train",)
    with pytest.raises(ValueError, match="has no test pictures, only train"):
        read_examples(tmp_path, "test")


def test_folders_with_parts(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"a": 2, "b": 2, "c": 1})
    class_folders(tmp_path / "val", {"b": 1, "c": 2})
    assert read_examples(tmp_path, "test").labels.tolist() == [1, 2, 2]
    class_folders(tmp_path / "test", {"a": 1})
    assert parts(tmp_path) == ("train", "test", "dev")
    assert read_examples(tmp_path, "test").labels.tolist() == [0]
    assert read_examples(tmp_path, "dev").labels.tolist() == [1, 2, 2]
    assert len(read_examples(tmp_path, "all")) == 9
    class_folders(tmp_path / "test", {"z": 1})
    with pytest.raises(ValueError, match=r"test/z is a class that the training pictures lack; they have a, b, c"):
        read_examples(tmp_path, "test")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    class_folders(tmp_path, {"bus": 1, "train": 1})
    assert read_examples(tmp_path).classes == ("bus", "train")


def test_grey_and_colour(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a": 1, "b": 1}, (8, 8))
    grey, colour = read_examples(tmp_path), read_examples(tmp_path, channels=3)
    assert grey.images.shape == (2, 8, 8, 1)
    np.testing.assert_array_equal(colour.images, np.repeat(grey.images, 3, axis=3))
    (tmp_path / "c").mkdir()
    Image.fromarray(np.full((8, 8, 3), (255, 0, 0), np.uint8)).save(tmp_path / "c" / "red.png")
    assert read_examples(tmp_path).images.shape == (3, 8, 8, 3)
    assert read_examples(tmp_path, channels=1).images[2, 0, 0, 0] == 76  # ITU-R 601: 0.299 of 255


def test_size_crops_the_centre(tmp_path: Path) -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = (10, 20, 30)
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(picture).save(tmp_path / name / "0.png")
    Image.fromarray(picture.transpose(1, 0, 2)).save(tmp_path / "b" / "1.png")
    with pytest.raises(ValueError, match=r"a/0.png has 80 x 40 pixels, .*b/1.png has 40 x 80; give a size"):
        read_examples(tmp_path)
    found = read_examples(tmp_path, size=16)
    assert found.images.shape == (3, 16, 16, 3)
    assert (found.images[:, 2:-2, 2:-2] == (10, 20, 30)).all()


def test_halving_is_the_triangle_filter() -> None:
    row = np.array([0, 0, 0, 0, 200, 0, 0, 0], np.uint8)
    small = fit_square(np.repeat(row[None], 8, axis=0)[..., None], 4)
    # A triangle two wide at half size: weights 1/8 3/8 3/8 1/8 over the source pixels.
    assert small[1, :, 0].tolist() == [0, 25, 75, 0]


@pytest.mark.parametrize(("shape", "size"), [((5, 28, 28, 1), 16), ((5, 40, 33, 3), 12), ((5, 8, 9, 3), 20)])
def test_many_at_once_as_one_by_one(shape: tuple[int, ...], size: int) -> None:
    images = RANDOM.integers(0, 256, shape, np.uint8)
    difference = fit_squares(images, size).astype(int) - np.stack([fit_square(image, size) for image in images])
    assert np.abs(difference).max() <= 1  # Pillow rounds between rows and columns too
    assert np.abs(difference).mean() < 0.2


@pytest.mark.parametrize("keys", [("images", "labels"), ("x_train", "y_train"), ("train_images", "train_labels")])
def test_npz(tmp_path: Path, keys: tuple[str, str]) -> None:
    images = RANDOM.integers(0, 256, (4, 6, 5, 3), np.uint8)
    np.savez(tmp_path / "a.npz", **{keys[0]: images, keys[1]: np.array([[5], [6], [5], [6]])})
    found = read_examples(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.images, images)
    assert (found.labels.tolist(), found.classes) == ([0, 1, 0, 1], ("5", "6"))


def test_npy_files_channels_first_and_floats(tmp_path: Path) -> None:
    images = RANDOM.random((4, 3, 6, 5), np.float32)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", np.array(["x", "y", "y", "y"]))
    found = read_examples(tmp_path)
    assert found.images.shape == (4, 6, 5, 3)
    assert np.abs(found.images / 255 - images.transpose(0, 2, 3, 1)).max() <= 0.5 / 255 + 1e-6
    assert found.classes == ("x", "y")


def test_take() -> None:
    examples = Examples(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1), np.array([0, 1, 0, 1]), ("a", "b")).take(np.array([3, 0]))
    assert (examples.images.ravel().tolist(), examples.labels.tolist(), len(examples)) == ([3, 0], [1, 0], 2)


GOOD = np.zeros((4, 6, 5), np.uint8)


@pytest.mark.parametrize(("arrays", "message"), [
    ({"images": GOOD}, "train labels are missing, found only images"),
    ({"labels": [0, 1]}, "train images are missing"),
    ({"a": GOOD}, "holds a; expected images and labels"),
    ({"images": GOOD, "labels": [0, 1, 1]}, "has 4 images, but there are 3 labels"),
    ({"images": GOOD, "labels": [1, 1, 1, 1]}, r"one class only \(1\)"),
    ({"images": GOOD, "labels": [0, 1, -1, -1]}, "2 of 4 pictures have no label"),
    ({"images": GOOD, "labels": np.eye(4)}, r"the labels are float64 \(4, 4\), expected one whole number or name"),
    ({"images": GOOD, "labels": [0, 1, 0, 0.5]}, "the labels are float64"),
    ({"images": GOOD + 1.5, "labels": [0, 1, 0, 1]}, r"float64 from 1.5 to 1.5, expected 0 to 1"),
    ({"images": GOOD.astype(int) - 3, "labels": [0, 1, 0, 1]}, "int64 from -3 to -3, expected 0 to 255"),
    ({"images": GOOD * np.nan, "labels": [0, 1, 0, 1]}, "120 values of the images are not finite"),
    ({"images": np.zeros((4, 6, 5, 2)), "labels": [0, 1, 0, 1]}, r"float64 \(4, 6, 5, 2\), expected \(N, H, W\)"),
    ({"images": GOOD[:0], "labels": np.zeros(0, int)}, "has no train pictures at all"),
    ({"x_test": GOOD, "y_test": [0, 1, 0, 1]}, "has test pictures, but none for training"),
    ({"images": GOOD, "labels": [0, 1, 2, 1], "classes": ["a", "b"]}, "has the label 2, but names for 2 classes"),
    ({"images": GOOD, "labels": np.array([0, 1, 0, None])}, "cannot be read as an array"),
])  # fmt: skip
def test_bad_arrays(tmp_path: Path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_examples(tmp_path / "a.npz")
    assert "a.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_idx(tmp_path: Path) -> None:
    mnist(tmp_path, GOOD, np.array([0, 1, 0, 1], np.uint8))
    images = tmp_path / "train-images-idx3-ubyte"
    data = images.read_bytes()
    for cut, message in ((-1, "135 bytes, expected 136 for 4 x 6 x 5"), (9, "its 16 bytes of header"), (0, "starts with nothing")):
        images.write_bytes(data[:cut])
        with pytest.raises(ValueError, match=message):
            read_examples(tmp_path)
    images.write_bytes(gzip.compress(data)[:-9])
    with pytest.raises(ValueError, match="damaged or cut off"):
        read_examples(tmp_path)
    images.unlink()
    with pytest.raises(ValueError, match="train images are missing, found only labels"):
        read_examples(tmp_path)


def test_bad_folders(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 2, "dog": 1})
    (tmp_path / "eel").mkdir()
    (tmp_path / "eel" / "notes.txt").write_text("none yet")
    with pytest.raises(ValueError, match=r"the class folder .*eel is empty"):
        read_examples(tmp_path)
    (tmp_path / "eel" / "1.jpg").write_text("no picture")
    with pytest.raises(ValueError, match=r"eel/1.jpg is not a picture: it is text"):
        read_examples(tmp_path)


def test_folders_without_labels(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 2})
    with pytest.raises(ValueError, match=r"one class only \(cat\)"):
        read_examples(tmp_path)
    with pytest.raises(ValueError, match="cat holds 2 pictures without labels"):
        read_examples(tmp_path / "cat")
    with pytest.raises(ValueError, match="does not exist"):
        read_examples(tmp_path / "dog")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="is no data set: expected a folder of class folders"):
        read_examples(tmp_path / "empty")


def test_bad_parquet(tmp_path: Path) -> None:
    path, good = tmp_path / "a.parquet", png(np.zeros((4, 4, 3), np.uint8))

    def message(table: dict) -> str:
        parquet.write_table(pa.table(table), path)
        with pytest.raises(ValueError, match=r"a\.parquet") as caught:
            read_examples(path)
        return str(caught.value)

    assert "no column of labels: found img" in message({"img": [good]})
    assert "no column of pictures: found a, label" in message({"a": [good] * 2, "label": [0, 1]})
    assert "1 of 2 pictures have no label" in message({"img": [good] * 2, "label": [0, None]})
    assert "row 1 is not a picture: it is text" in message({"img": [good, b"hello"], "label": [0, 1]})
    assert "row 1 holds no encoded picture, but NoneType" in message({"img": [good, None], "label": [0, 1]})
    assert "one class only (4)" in message({"img": [good] * 2, "label": [4, 4]})
    parquet.write_table(pa.table({"img": [bytes(one) + good for one in range(300)], "label": [0, 1] * 150}), path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a whole Parquet file"):
        read_examples(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="not a whole Parquet file"):
        read_examples(path)
