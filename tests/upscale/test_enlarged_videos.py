"""A video: frames, sound, time stamps, a stop, the signature, what is refused."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from enlargers import Nearest, drawing, how, listed, repeated

from mien.data.video import probe, read_video
from mien.provenance.report import verify
from mien.tasks.upscale import videos
from mien.tasks.upscale.videos import upscale_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """13 frames, 50 x 38, uneven time stamps, a tone."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 50, 38, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        voice = out.add_stream("aac", rate=16000, layout="mono")
        for number in range(13):
            frame = av.VideoFrame.from_ndarray(np.full((38, 50, 3), 10 + 15 * number, np.uint8))
            frame.pts = 40 * number + (7 if number % 3 else 0)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8192), np.int16), format="s16", layout="mono")
        sound.sample_rate, sound.pts = 16000, 0
        out.mux(voice.encode(sound))
        out.mux(voice.encode(None))
    return path


def check(clip: Path, made: Path) -> None:
    pairs = list(zip(read_video(clip), read_video(made), strict=True))
    assert len(pairs) == 13
    for before, after in pairs:
        assert after.time == pytest.approx(before.time, abs=1e-4)
        assert np.abs(after.image.astype(int) - repeated(before.image)).mean() < 2


def test_a_video_is_enlarged_with_its_sound_and_signed(clip: Path, tmp_path: Path):
    done = upscale_video(clip, tmp_path / "new" / "b.mp4", how(signing=True))
    assert (done.width, done.height, done.frames, done.resumed, done.sound, done.signed) == (100, 76, 13, 0, True, True)
    check(clip, tmp_path / "new" / "b.mp4")
    assert probe(tmp_path / "new" / "b.mp4").has_audio
    report = verify(tmp_path / "new" / "b.mp4")
    assert report.intact
    assert str(report.digital_source_type).endswith("/algorithmicallyEnhanced")
    assert report.label is None
    assert listed(tmp_path / "new") == ["b.mp4"]


def test_a_stopped_video_goes_on(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(videos, "SEGMENT", 4)
    monkeypatch.setattr(videos, "BATCH", 3)
    with pytest.raises(KeyboardInterrupt):
        upscale_video(clip, tmp_path / "b.mp4", how(Nearest(stop=4 + 3)))  # 4 calls before the first batch
    assert not (tmp_path / "b.mp4").exists()
    done = upscale_video(clip, tmp_path / "b.mp4", how())
    assert (done.resumed, done.frames) == (8, 5)
    assert "going on at frame 8 of clip.mp4" in capsys.readouterr().err
    check(clip, tmp_path / "b.mp4")
    assert listed(tmp_path) == ["b.mp4", "clip.mp4"]


def test_the_plan_is_said(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    upscale_video(clip, tmp_path / "b.mov", how())
    assert capsys.readouterr().err.startswith("clip.mp4: each frame 50 x 38 -> 100 x 76, 1 tile")


@pytest.mark.parametrize(("output", "words"), [("b.avi", r"must end in \.mp4 or \.m4v or \.mov"), ("clip.mp4", "is the video itself")])
def test_an_output_that_will_not_do(clip: Path, tmp_path: Path, output: str, words: str):
    with pytest.raises(ValueError, match=words):
        upscale_video(clip, tmp_path / output, how())


def test_a_video_that_would_be_too_large(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(videos, "LARGEST", 99)
    with pytest.raises(ValueError, match="would have 100 x 76 pixels, a video has at most 99 a side"):
        upscale_video(clip, tmp_path / "b.mp4", how())


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"hello, no video", "not a video")])
def test_an_input_that_is_no_video(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        upscale_video(tmp_path / "a.mp4", tmp_path / "new" / "b.mp4", how())
    assert listed(tmp_path) == ["a.mp4"]


def test_frames_come_in_batches():
    from mien.types import Frame

    frames = [Frame(drawing(), number, number, 0.0) for number in range(5)]
    assert [[frame.index for frame in group] for group in videos.batches(frames, 2)] == [[0, 1], [2, 3], [4]]
