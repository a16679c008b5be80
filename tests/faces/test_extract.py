import errno
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from mien.data.pictures import read_picture
from mien.data.video import VideoInfo, VideoWriter
from mien.faces import extract as module
from mien.faces import harvest
from mien.faces.align import COVER, window
from mien.faces.extract import Span, extract
from mien.faces.faceset import KEY, SCHEMA, FaceSet, is_set, open_set
from mien.faces.follow import Follower
from mien.faces.parts import Entry, Parts, Unfinished


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """(280, 280, 3) uint8: the head of Eileen Collins, public domain."""
    return np.ascontiguousarray(data.astronaut()[:280, 90:370])


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def film(path: Path, image: np.ndarray, frames: int) -> Path:
    """The portrait moving to the right by 2 pixels a frame; time stamps 0, 3, 6..."""
    with VideoWriter(path, VideoInfo(image.shape[1], image.shape[0], Fraction(25), Fraction(1, 75))) as out:
        for index in range(frames):
            out.write(np.roll(image, 2 * index, axis=1), 3 * index)
    return path


def same(a: FaceSet, b: FaceSet) -> bool:
    return a.table.equals(b.table) and np.array_equal(a.crops(), b.crops())


def test_a_face_is_cut_out_aligned_and_measured(tmp_path: Path, portrait: np.ndarray) -> None:
    faces = extract([save(tmp_path / "eileen.png", portrait)], tmp_path / "set", size=128)
    assert len(faces) == 1
    assert faces.column("file") == ["faces/eileen_000000_000.jpg"]
    assert faces.crop(0).shape == (128, 128, 3)
    # eyes, nose and mouth lie where the average face has them
    assert np.abs(faces.crop_landmarks()[0, 27:] - window(128, COVER)[27:]).mean() < 4
    x1, y1, x2, y2 = faces.column("box")[0]
    assert 50 < x1 < x2 < 230
    assert 20 < y1 < y2 < 230
    assert faces.column("size")[0] == pytest.approx(max(x2 - x1, y2 - y1))
    assert faces.column("width") + faces.column("height") == [280, 280]
    assert abs(faces.column("roll")[0]) < 20
    assert faces.metadata["size"] == 128
    assert faces.metadata["cover"] == COVER


def test_a_face_is_followed_through_a_video(tmp_path: Path, portrait: np.ndarray) -> None:
    faces = extract([film(tmp_path / "film.mp4", portrait, 12)], tmp_path / "set", size=64, frames="1:10", every=2)
    assert faces.column("frame") == [1, 3, 5, 7, 9]
    assert faces.column("track") == [0] * 5
    assert faces.column("person") == [0] * 5
    np.testing.assert_allclose(faces.column("time"), np.array([1, 3, 5, 7, 9]) / 25)
    nose = faces.landmarks()[:, 30, 0]
    np.testing.assert_allclose(np.diff(nose), 4, atol=1)


def test_every_kind_of_picture_gives_the_same_face(tmp_path: Path, portrait: np.ndarray) -> None:
    folder = tmp_path / "in"
    grey = np.asarray(Image.fromarray(portrait).convert("L"))
    save(folder / "plain.png", portrait)
    save(folder / "grey.png", grey)
    save(folder / "deep.png", grey.astype(np.uint16) * 257)
    save(folder / "alpha.png", np.dstack([portrait, np.full(portrait.shape[:2], 255, np.uint8)]))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.rot90(portrait).copy()).save(folder / "turned.png", exif=turned)
    faces = extract([folder], tmp_path / "set", size=64)
    assert len(faces) == 5
    assert set(faces.column("person")) == {0}
    points = faces.landmarks()
    assert np.abs(points - points[0]).max() < 6
    assert np.abs(points - points[0]).mean() < 1.5


def test_a_100_megapixel_picture(tmp_path: Path, portrait: np.ndarray) -> None:
    large = np.full((10_000, 10_000, 3), 200, np.uint8)
    face = np.asarray(Image.fromarray(portrait).resize((2800, 2800)))
    large[4000:6800, 5000:7800] = face
    Image.fromarray(large).save(tmp_path / "large.jpg", quality=80)
    del large
    faces = extract([tmp_path / "large.jpg"], tmp_path / "set", size=128)
    small = extract([save(tmp_path / "small.png", portrait)], tmp_path / "other", size=128)
    expected = small.landmarks()[0] * 10 + [5000, 4000]
    assert np.abs(faces.landmarks()[0] - expected).mean() < 30  # of 1,500 pixels


def test_what_cannot_be_read_is_named_and_left_out(
    tmp_path: Path, portrait: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    save(folder / "good.jpg", portrait)
    (folder / "text.jpg").write_text("dear diary")
    (folder / "cut.jpg").write_bytes((folder / "good.jpg").read_bytes()[:2000])
    whole = film(tmp_path / "whole.mp4", portrait, 6).read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    faces = extract([folder], tmp_path / "set", size=64)
    said = capsys.readouterr().err
    assert [Path(source).name for source in faces.column("source")] == ["good.jpg"]
    for name, why in (("text.jpg", "it is text"), ("cut.jpg", "damaged"), ("cut.mp4", "no frame")):
        assert [line for line in said.splitlines() if name in line and why in line], said


def test_nothing_found_is_an_error_in_words(tmp_path: Path, portrait: np.ndarray) -> None:
    blank = save(tmp_path / "blank" / "a.png", np.full((90, 120, 3), 90, np.uint8))
    with pytest.raises(ValueError, match="no face in 1 pictures"):
        extract([blank], tmp_path / "set")
    (tmp_path / "text.jpg").write_text("dear diary")
    with pytest.raises(ValueError, match=r"none of 1 sources could be read: .*text\.jpg.*it is text"):
        extract([tmp_path / "text.jpg"], tmp_path / "set2")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no picture"):
        extract([tmp_path / "empty"], tmp_path / "set3")
    with pytest.raises(ValueError, match="64 to 512"):
        extract([blank], tmp_path / "set4", size=32)
    with pytest.raises(ValueError, match="is a file"):
        extract([blank], blank)


@pytest.mark.parametrize(("text", "why"), [("10", "START:STOP"), ("a:b", "START:STOP"), ("9:9", "ends before")])
def test_a_wrong_range_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Span.parse(text, 1)


def test_ranges() -> None:
    assert [Span.parse(text, 2) for text in ("", ":5", "3:", "3:5")] == [
        Span(0, None, 2), Span(0, 5, 2), Span(3, None, 2), Span(3, 5, 2)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="every is 0"):
        Span.parse("", 0)


def test_stopped_and_started_again_equals_one_run(
    tmp_path: Path, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PICTURES", 2)
    folder = tmp_path / "in"
    for index in range(5):
        save(folder / f"{index}.png", np.roll(portrait, 3 * index, axis=0))
    film(folder / "9.mp4", portrait, 6)
    whole = extract([folder], tmp_path / "whole", size=64)
    write, looked = Parts.write, []

    def stop(self: Parts, *arguments) -> None:
        if self.count == 1:
            raise KeyboardInterrupt
        write(self, *arguments)

    monkeypatch.setattr(Parts, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        extract([folder], tmp_path / "set", size=64)
    monkeypatch.setattr(Parts, "write", write)
    monkeypatch.setattr(module, "read_picture", lambda path: looked.append(path.name) or read_picture(path))
    resumed = extract([folder], tmp_path / "set", size=64)
    assert looked == ["2.png", "3.png", "4.png"]
    assert len(whole) == 11
    assert same(whole, resumed)


def test_a_full_disk_loses_nothing(tmp_path: Path, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PICTURES", 1)
    photos = [save(tmp_path / f"{name}.png", portrait) for name in "ab"]
    write = harvest.write_picture

    def full(path: Path, *rest) -> None:
        if path.name.startswith("b"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, *rest)

    monkeypatch.setattr(harvest, "write_picture", full)
    with pytest.raises(OSError, match="No space left"):
        extract(photos, tmp_path / "set", size=64)
    assert not is_set(tmp_path / "set")
    monkeypatch.setattr(harvest, "write_picture", write)
    assert same(extract(photos, tmp_path / "set", size=64), extract(photos, tmp_path / "whole", size=64))


def test_a_set_grows_and_remembers(tmp_path: Path, portrait: np.ndarray) -> None:
    first, second = save(tmp_path / "a" / "x.png", portrait), save(tmp_path / "b" / "x.png", portrait[:, ::-1])
    assert len(extract([first], tmp_path / "set", size=64)) == 1
    both = extract([first, second], tmp_path / "set", size=64)
    assert both.column("file") == ["faces/x_000000_000.jpg", "faces/x-2_000000_000.jpg"]
    stamp = (tmp_path / "set" / "index.parquet").stat().st_mtime_ns
    assert same(extract([second], tmp_path / "set", size=64), both)
    assert (tmp_path / "set" / "index.parquet").stat().st_mtime_ns == stamp
    with pytest.raises(ValueError, match="size 64, found 96"):
        extract([first], tmp_path / "set", size=96)
    # a changed file is looked at again, and what is no longer found goes
    save(second, np.full((90, 120, 3), 90, np.uint8))
    with pytest.raises(ValueError, match="no face"):
        extract([second], tmp_path / "set", size=64)
    assert open_set(tmp_path / "set").column("file") == ["faces/x_000000_000.jpg"]
    assert len(list((tmp_path / "set" / "faces").iterdir())) == 1


def test_the_set_itself_is_no_source(tmp_path: Path, portrait: np.ndarray) -> None:
    save(tmp_path / "x.png", portrait)
    assert len(extract([tmp_path], tmp_path / "set", size=64)) == 1
    assert len(extract([tmp_path], tmp_path / "set", size=64)) == 1


@pytest.mark.parametrize(("killed_at", "left"), [(3, 12), (8, 4), (11, 4)])
def test_a_video_goes_on_at_its_last_piece(
    tmp_path: Path, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch, killed_at: int, left: int
) -> None:
    """Two scenes, so that tracks end and begin; every frame but the first is looked at; pieces of 4."""
    monkeypatch.setattr(module, "PIECE", 4)
    path = tmp_path / "film.mp4"
    with VideoWriter(path, VideoInfo(280, 280, Fraction(25), Fraction(1, 75))) as out:
        for index in range(13):
            image = portrait if index < 7 else portrait[:, ::-1] // 3
            out.write(np.roll(image, 2 * index, axis=1), 3 * index)
    whole = extract([path], tmp_path / "whole", size=64, frames="1:")
    assert whole.column("track") == [0] * 6 + [1] * 6
    step, looked = Follower.step, []

    def killed(self: Follower, image: np.ndarray) -> list:
        if len(looked) == killed_at:
            raise KeyboardInterrupt
        looked.append(image)
        return step(self, image)

    monkeypatch.setattr(Follower, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        extract([path], tmp_path / "set", size=64, frames="1:")
    killed_at = -1
    looked.clear()
    resumed = extract([path], tmp_path / "set", size=64, frames="1:")
    assert len(looked) == left
    assert not (tmp_path / "set" / "parts" / "unfinished").exists()
    assert same(whole, resumed)


def test_pieces_with_other_options_are_thrown_away(tmp_path: Path, portrait: np.ndarray) -> None:
    parts = Parts(tmp_path, {KEY: b"{}"})
    entry = Entry("film.mp4", 1, 2, "largest=False", "film")
    Unfinished(parts, entry).add(SCHEMA.empty_table(), 500, Follower(begun=7))
    again = Unfinished(parts, entry)
    assert (again.looked, again.follower.begun, len(again.tables())) == (500, 7, 1)
    other = Unfinished(parts, replace(entry, options="largest=True"))
    assert (other.looked, other.follower.begun, other.tables()) == (0, 0, [])
    assert Unfinished(parts, entry).looked == 0
