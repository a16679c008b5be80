import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from portraits import grace, needs_networks, place

from mien.data.pictures import read_picture
from mien.data.video import probe, read_video
from mien.faces.blend import Blend
from mien.faces.mask import face_mask
from mien.models.swap_model import SwapModel
from mien.provenance.report import verify
from mien.tasks.swap import conversion
from mien.tasks.swap.conversion import Conversion, convert
from mien.weights import find

pytestmark = [needs_networks, pytest.mark.skipif(find("dlib-face") is None, reason="no dlib-face weights here")]


def wanted(to: str = "eileen", everyone: bool = True, frames: str = "", label: bool = False) -> Conversion:
    return Conversion(to, everyone, 0.6, frames, Blend(), 1.0, label, "cpu", "fp32", None)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """24 frames, 320 x 240, uneven time stamps, a tone: Grace Hopper moves two pixels a frame."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        voice = out.add_stream("aac", rate=16000, layout="mono")
        small = np.asarray(Image.fromarray(grace()).resize((192, 225)))
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(place(small, 20 + 2 * number, 10, (320, 240)))
            frame.pts = 40 * number + (7 if number % 3 else 0)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 15360), np.int16), format="s16", layout="mono")
        sound.sample_rate, sound.pts = 16000, 0
        out.mux(voice.encode(sound))
        out.mux(voice.encode(None))
    return path


def test_a_photo_is_swapped_and_signed_and_only_the_face_changes(tiny: SwapModel, photos: dict[str, Path], tmp_path: Path) -> None:
    done = convert(tiny, photos["grace"], tmp_path / "out.png", wanted())
    assert (done.files, done.swapped) == (1, 1)
    before, after = read_picture(photos["grace"]), read_picture(tmp_path / "out.png")
    from mien.faces.find import find as faces

    outside = face_mask(faces(before)[0].landmarks, (before.shape[1], before.shape[0]), Blend().forehead) == 0
    assert (after[outside] == before[outside]).mean() > 0.999
    assert (after != before).any()
    report = verify(tmp_path / "out.png")
    assert report.signed
    assert report.intact
    assert report.trusted
    assert report.consent == "drawn for a test"
    assert len(report.ingredients) == 1
    assert report.label is not None


def test_a_drawn_face_smaller_than_the_one_there_may_be_enlarged(tiny: SwapModel, tmp_path: Path) -> None:
    """The tiny network draws fewer pixels than the face has: both ways change the face alone, not in the same way."""
    from dataclasses import replace

    large = tmp_path / "large.png"
    Image.fromarray(grace()).resize((512, 600)).save(large)
    for name, enhance in (("plain", False), ("made", True)):
        convert(tiny, large, tmp_path / f"{name}.png", replace(wanted(), enhance=enhance))
    before, plain, made = (read_picture(tmp_path / f"{name}.png").astype(int) for name in ("large", "plain", "made"))
    assert (plain != made).any()
    assert np.abs(plain - made).mean() < 0.2 * np.abs(before - plain).mean() + 1
    assert ((before != plain).any(2) | (before == made).all(2)).mean() > 0.99  # no other place


def test_other_people_stay_untouched(tiny: SwapModel, two: Path, tmp_path: Path) -> None:
    """The model knows Grace by her true vector: of two faces only hers is swapped."""
    from dataclasses import replace

    from mien.faces.describe import Describer
    from mien.faces.find import find as faces

    vector = Describer()(grace(), faces(grace())[0].landmarks[None])[0]
    tiny.people["grace"] = replace(tiny.people["grace"], centre=vector.tolist())
    done = convert(tiny, two, tmp_path / "out.png", wanted(everyone=False))
    assert (done.swapped, done.untouched) == (1, 1)
    before, after = read_picture(two), read_picture(tmp_path / "out.png")
    assert (before[:, 340:] == after[:, 340:]).all()
    assert (before[:, :300] != after[:, :300]).any()


def test_nobody_the_model_knows(tiny: SwapModel, photos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no face in .* is grace .*--everyone"):
        convert(tiny, photos["grace"], tmp_path / "out.jpg", wanted(everyone=False))
    assert not (tmp_path / "out.jpg").exists()


def test_a_picture_without_a_face(tiny: SwapModel, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (90, 120, 80)).save(tmp_path / "sky.jpg")
    with pytest.raises(ValueError, match=r"no face was found in .*sky.jpg"):
        convert(tiny, tmp_path / "sky.jpg", tmp_path / "out.jpg", wanted())


def test_text_renamed_jpg(tiny: SwapModel, tmp_path: Path) -> None:
    (tmp_path / "note.jpg").write_text("hello")
    with pytest.raises(ValueError, match=r"note.jpg"):
        convert(tiny, tmp_path / "note.jpg", tmp_path / "out.jpg", wanted())


def test_an_output_of_another_kind(tiny: SwapModel, photos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.jpg"):
        convert(tiny, photos["grace"], tmp_path / "out.mp4", wanted())


def test_a_folder_goes_on_past_what_it_cannot_read_and_is_not_done_twice(tiny: SwapModel, photos: dict[str, Path],
                                                                         tmp_path: Path) -> None:
    folder = photos["grace"].parent
    (folder / "zz.jpg").write_text("not a picture")
    done = convert(tiny, folder, tmp_path / "out", wanted())
    assert done.files == 2
    assert [s for s in done.skipped if "zz.jpg" in s]
    again = convert(tiny, folder, tmp_path / "out", wanted())
    assert again.files == 0
    assert len([s for s in again.skipped if "there already" in s]) == 2


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tiny: SwapModel, photos: dict[str, Path], tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "made" / "out.jpg"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(conversion, "sign", full)
    with pytest.raises(OSError, match=r"No space left"):
        convert(tiny, photos["grace"], target, wanted())
    assert target.read_bytes() == b"old"
    assert [p.name for p in target.parent.iterdir()] == ["out.jpg"]


def stamps(path: Path) -> list[float]:
    return [round(frame.time, 4) for frame in read_video(path)]


def test_a_video_keeps_sound_and_time_stamps_and_is_signed(tiny: SwapModel, clip: Path, tmp_path: Path) -> None:
    done = convert(tiny, clip, tmp_path / "out.mp4", wanted(label=True))
    assert (done.frames, done.swapped) == (24, 24)
    assert stamps(tmp_path / "out.mp4") == stamps(clip)
    assert probe(tmp_path / "out.mp4").has_audio
    report = verify(tmp_path / "out.mp4")
    assert report.signed
    assert report.intact
    assert report.label is not None
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def test_a_range_of_frames(tiny: SwapModel, clip: Path, tmp_path: Path) -> None:
    done = convert(tiny, clip, tmp_path / "out.mp4", wanted(frames="5:15"))
    assert done.frames == 10
    with pytest.raises(ValueError, match=r"no frames"):
        convert(tiny, clip, tmp_path / "none.mp4", wanted(frames="500:"))
    assert not (tmp_path / "none.mp4").exists()


def test_an_interrupted_video_goes_on(tiny: SwapModel, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(conversion, "SEGMENT", 5)
    whole = tmp_path / "whole.mp4"
    convert(tiny, clip, whole, wanted())
    real, count = conversion.Swapper.frame, 0

    def stops(self: conversion.Swapper, image: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        if count > 13:
            raise KeyboardInterrupt
        return real(self, image)

    monkeypatch.setattr(conversion.Swapper, "frame", stops)
    with pytest.raises(KeyboardInterrupt):
        convert(tiny, clip, tmp_path / "out.mp4", wanted())
    assert not (tmp_path / "out.mp4").exists()
    monkeypatch.setattr(conversion.Swapper, "frame", real)
    done = convert(tiny, clip, tmp_path / "out.mp4", wanted())
    assert "going on at frame 10" in capsys.readouterr().err
    assert done.frames == 14
    assert stamps(tmp_path / "out.mp4") == stamps(clip)
    pairs = zip(read_video(whole), read_video(tmp_path / "out.mp4"), strict=True)
    differences = [float(np.abs(a.image.astype(int) - b.image).mean()) for a, b in pairs]
    assert max(differences) < 0.5


def test_a_truncated_video(tiny: SwapModel, clip: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    half.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"half.mp4"):
        convert(tiny, half, tmp_path / "out.mp4", wanted())
    assert not (tmp_path / "out.mp4").exists()


def test_a_video_without_a_face(tiny: SwapModel, tmp_path: Path) -> None:
    path = tmp_path / "grey.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((120, 160, 3), 99, np.uint8))))
        out.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"no face was found in .*grey.mp4"):
        convert(tiny, path, tmp_path / "out.mp4", wanted())
    assert not (tmp_path / "out.mp4").exists()
