import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien.data.video import VideoInfo, VideoWriter, probe, read_video, reading, writing

TICKS = [0, 512, 1024, 1300, 2048, 3072, 3073, 4000, 5120, 5700, 6400, 7000]  # uneven on purpose


def picture(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """(H, W, 3) uint8: a bright bar that walks right, a shade that tells the number."""
    image = np.full((height, width, 3), 16 * (number % 16), np.uint8)
    image[:, 4 * (number % 12) : 4 * (number % 12) + 8] = (250, 120, 30)
    return image


def make(path: Path, frames: int = 30, sound: str | None = "aac", angle: int = 0, **options: str) -> Path:
    """A clip of 64x48 at 25 frames a second made with PyAV alone, with a sine of 440 Hz."""
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream("libx264" if path.suffix != ".avi" else "mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if angle:
            stream.set_display_rotation(angle)
        voice = out.add_stream(sound, rate=16000, layout="mono") if sound else None
        for number in range(frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number))))
        out.mux(stream.encode(None))
        if voice is not None:
            wave = np.sin(np.arange(frames * 640) * 2 * np.pi * 440 / 16000) * 9000
            frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16000, 0
            out.mux(voice.encode(frame))
            out.mux(voice.encode(None))
    return path


def heard(path: Path) -> tuple[list[bytes], float, float]:
    """Sound packets, and the first and last second that sound."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        times = [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]
        return [bytes(packet) for packet in packets], times[0], times[-1]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: a real write error inside FFmpeg."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_probe(tmp_path: Path) -> None:
    info = probe(make(tmp_path / "a.mp4"))
    assert (info.width, info.height, info.fps, info.frames, info.codec) == (64, 48, 25, 30, "h264")
    assert (info.has_audio, info.rotation, info.time_base) == (True, 0, Fraction(1, 12800))
    assert info.duration == pytest.approx(1.2)
    assert not probe(make(tmp_path / "b.mp4", sound=None)).has_audio


def test_frames_come_with_index_and_exact_time(tmp_path: Path) -> None:
    frames = list(read_video(make(tmp_path / "a.mp4")))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.pts for frame in frames] == [512 * number for number in range(30)]
    assert frames[10].time == pytest.approx(0.4, abs=1e-9)
    assert np.abs(frames[7].image[:, :20].astype(int) - 16 * 7).max() <= 6


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize(("start", "stop"), [(None, 0.4), (0.4, None), (3.0, 3.48), (0.04, 0.08), (5.02, None)])
def test_a_range_gives_the_same_frames_as_the_whole(
    tmp_path: Path, suffix: str, start: float | None, stop: float | None
) -> None:
    clip = make(tmp_path / f"a.{suffix}", frames=130, sound=None)
    every = list(read_video(clip))
    wanted = [frame for frame in every if (start or 0) <= round(frame.time, 6) < (stop or 99)]
    seen = list(read_video(clip, start, stop))
    assert [(frame.index, frame.pts, frame.time) for frame in seen] == [(f.index, f.pts, f.time) for f in wanted]
    assert same([frame.image for frame in seen], [frame.image for frame in wanted])
    assert [frame.index for frame in read_video(clip, start, stop, skip=1)] == [frame.index for frame in wanted[1:]]


def test_a_range_behind_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no frame between 9 s and its end: its last frame read is at 1\.16 s"):
        list(read_video(make(tmp_path / "a.mp4"), start=9))


@pytest.mark.parametrize("angle", [90, 180, -90])
def test_rotation_is_honoured(tmp_path: Path, angle: int) -> None:
    plain = next(read_video(make(tmp_path / "a.mp4"))).image
    turned = next(read_video(make(tmp_path / "b.mp4", angle=angle))).image
    np.testing.assert_array_equal(turned, np.rot90(plain, angle // 90))
    info = probe(tmp_path / "b.mp4")
    assert (info.height, info.width) == turned.shape[:2]
    assert info.rotation == -angle % 360


@pytest.mark.parametrize(
    ("signs", "expected"), [((1, 0, 0, -1), "ud"), ((-1, 0, 0, 1), "lr"), ((0, 1, 1, 0), "t"), ((1, 0, 0, 1), "")]
)
def test_mirrors_in_the_display_matrix(signs: tuple[int, int, int, int], expected: str) -> None:
    a, b, c, d = (sign * 65536 for sign in signs)
    image = picture(3)
    seen = reading._upright(image, np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32))
    wanted = {"ud": np.flipud(image), "lr": np.fliplr(image), "t": image.transpose(1, 0, 2), "": image}[expected]
    np.testing.assert_array_equal(seen, wanted)


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
@pytest.mark.parametrize("base", [Fraction(text) for text in ("1/12800", "1/90000", "1001/30000", "1/1000", "1/25")])
@pytest.mark.parametrize("first", [0, 777])
def test_uneven_time_stamps_are_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, base: Fraction, first: int
) -> None:
    monkeypatch.setattr(writing, "ENCODER", encoder)
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48, time_base=base), segment=5) as out:
        for number, pts in enumerate(TICKS):
            out.write(picture(number), first + pts)
    frames = list(read_video(tmp_path / "a.mp4"))
    clock = probe(tmp_path / "a.mp4").time_base
    assert [frame.pts * clock for frame in frames] == [(first + pts) * base for pts in TICKS]
    for number, frame in enumerate(frames):
        assert np.abs(np.median(frame.image) - np.median(picture(number))) <= 8
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("height", [48, 720])
@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9])
def test_colours_do_not_shift(tmp_path: Path, height: int, matrix: int) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 150, 120), (30, 60, 200), (255, 255, 255), (0, 0, 0)]
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(64, height, matrix=matrix)) as out:
        for number, colour in enumerate(colours):
            out.write(np.full((height, 64, 3), colour, np.uint8), 512 * number)
    for frame, colour in zip(read_video(tmp_path / "a.mp4"), colours, strict=True):
        assert np.abs(frame.image.astype(int) - colour).max() <= 3
    info = probe(tmp_path / "a.mp4")
    assert info.matrix == (matrix if matrix != 2 else 1 if height == 720 else 6)
    assert not info.full_range


def test_odd_sizes_repeat_the_edge(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(63, 47)) as out:
        out.write(np.full((47, 63, 3), 200, np.uint8), 0)
    seen = next(read_video(tmp_path / "a.mp4")).image
    assert seen.shape == (48, 64, 3)
    assert np.abs(seen.astype(int) - 200).max() <= 3


def convert(source: Path, target: Path, start: float | None = None, stop: float | None = None) -> Path:
    trim = start is not None or stop is not None
    with VideoWriter(target, probe(source), sound=source, trim=trim, metadata={"AIGC": '{"Label": "1"}'}) as out:
        for frame in read_video(source, start, stop):
            out.write(frame.image, frame.pts)
    return target


def test_sound_is_copied_and_metadata_kept(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4")
    assert heard(convert(source, tmp_path / "b.mp4")) == heard(source)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.metadata["AIGC"] == '{"Label": "1"}'
        assert container.streams.video[0].duration == 30 * 512
    written = (tmp_path / "b.mp4").read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")


def test_a_range_takes_its_own_sound(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", frames=100)
    packets, first, last = heard(convert(source, tmp_path / "b.mp4", 1.0, 2.0))
    every = heard(source)[0]
    assert any(every[place : place + len(packets)] == packets for place in range(len(every)))
    assert 0 <= first < 0.07
    assert 0.93 <= last < 1.0
    assert [frame.pts for frame in read_video(tmp_path / "b.mp4")] == [512 * number for number in range(25)]


@pytest.mark.parametrize(("name", "sound"), [("a.avi", "pcm_s16le"), ("a.mkv", "mp2")])
@pytest.mark.parametrize("start", [None, 1.0])
def test_other_sound_becomes_aac(tmp_path: Path, name: str, sound: str, start: float | None) -> None:
    source = make(tmp_path / name, frames=100, sound=sound)
    convert(source, tmp_path / "b.mp4", start)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        wave = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    seconds = 4 - (start or 0)
    assert len(wave) / 16000 == pytest.approx(seconds, abs=0.15)
    spectrum = np.abs(np.fft.rfft(wave))
    assert np.argmax(spectrum) * 16000 / len(wave) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("stopped", [0, 4, 10, 17, 29])
def test_stopped_and_resumed_gives_the_same(tmp_path: Path, stopped: int) -> None:
    source = make(tmp_path / "a.mp4")
    info = probe(source)

    def run(target: Path, until: int | None) -> int:
        with VideoWriter(target, info, sound=source, segment=5, job="test") as out:
            done = out.done
            for frame in read_video(source, skip=done):
                if frame.index == until:
                    raise KeyboardInterrupt
                out.write(frame.image, frame.pts)
        return done

    assert run(tmp_path / "whole.mp4", None) == 0
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b.mp4", stopped)
    assert not (tmp_path / "b.mp4").exists()
    assert run(tmp_path / "b.mp4", None) == stopped // 5 * 5
    whole, resumed = list(read_video(tmp_path / "whole.mp4")), list(read_video(tmp_path / "b.mp4"))
    assert [frame.pts for frame in resumed] == [frame.pts for frame in whole] == [512 * number for number in range(30)]
    assert same([frame.image for frame in whole], [frame.image for frame in resumed])
    assert heard(tmp_path / "b.mp4") == heard(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "whole.mp4"]


def test_a_killed_run_keeps_only_what_its_journal_names(tmp_path: Path) -> None:
    killed = VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48), segment=4).__enter__()
    for number in range(10):
        killed.write(picture(number), 512 * number)
    (tmp_path / ".a.mp4.work" / "seg_00002.mp4").write_bytes(b"half")
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48), segment=4) as out:
        assert out.done == 8
        for number in range(8, 10):
            out.write(picture(number), 512 * number)
    assert len(list(read_video(tmp_path / "a.mp4"))) == 10


def test_pieces_of_another_job_are_thrown_away(tmp_path: Path) -> None:
    for job, done in (("one", 0), ("one", 4), ("two", 0)):
        out = VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48), segment=4, job=job).__enter__()
        assert out.done == done
        for number in range(done, 4):
            out.write(picture(number), 512 * number)


@pytest.mark.parametrize("segment", [None, 5])
def test_a_full_disk_leaves_the_old_video(tmp_path: Path, segment: int | None) -> None:
    target = make(tmp_path / "a.mp4")
    before = target.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (20, 96, 128, 3), np.uint8)

    def run(done: int = 0) -> None:
        with VideoWriter(target, VideoInfo(128, 96), segment=segment) as out:
            assert out.done >= done
            for number in range(out.done, 20):
                out.write(noise[number], 512 * number)

    with small_disk(150_000), pytest.raises(OSError, match="File too large"):
        run()
    assert target.read_bytes() == before
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    pieces = {f".a.mp4.work/{name}" for name in ("journal.json", *(f"seg_0000{number}.mp4" for number in range(4)))}
    assert left == {"a.mp4"} | (pieces if segment else set())
    run(20 if segment else 0)
    assert len(list(read_video(target))) == 20


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    def write(*frames: tuple[np.ndarray, int]) -> None:
        with VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48)) as out:
            for image, pts in frames:
                out.write(image, pts)

    with pytest.raises(ValueError, match=r"uint8 frame \(48, 60, 3\), expected uint8 \(48, 64, 3\)"):
        write((picture(0, width=60), 0))
    with pytest.raises(ValueError, match="time stamp 0 after 0"):
        write((picture(0), 0), (picture(1), 0))
    with pytest.raises(ValueError, match="not one frame"):
        write()
    with pytest.raises(ValueError, match=r"cannot write \.gif, expected \.mp4"):
        VideoWriter(tmp_path / "a.gif", VideoInfo(64, 48))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"good morning\n" * 50, "it is not a video"), (None, "it is cut off")],
)
def test_what_is_no_video_is_said_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    clip = tmp_path / "a.mp4"
    whole = make(clip).read_bytes()
    clip.write_bytes(whole[: len(whole) // 2] if content is None else content)
    for reader in (probe, lambda path: next(read_video(path))):
        with pytest.raises(ValueError, match=message) as caught:
            reader(clip)
        assert "\n" not in str(caught.value)


def test_missing_files_folders_and_sound_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        probe(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="is a folder"):
        probe(tmp_path)
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as out:
        voice = out.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        out.mux(voice.encode(frame))
        out.mux(voice.encode(None))
    with pytest.raises(ValueError, match="no moving pictures"):
        probe(tmp_path / "a.m4a")


def test_damage_midway_gives_the_other_frames_and_a_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(64, 48)) as out:
        for number in range(60):
            out.write(rng.integers(0, 256, (48, 64, 3), np.uint8), 512 * number)
    whole = bytearray((tmp_path / "a.mp4").read_bytes())
    lines: list[str] = []
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    assert 20 < len(list(read_video(tmp_path / "cut.mp4", warn=lines.append))) < 45
    assert re.search(r"cut\.mp4 is damaged: \d+ of 60 frames were read; first error: ", lines[0])
    whole[len(whole) // 2 : len(whole) // 2 + 9000] = bytes(9000)
    (tmp_path / "hole.mp4").write_bytes(whole)
    assert 30 < len(list(read_video(tmp_path / "hole.mp4", warn=lines.append))) < 60
    assert len(lines) == 2
    assert "hole.mp4 is damaged" in lines[1]
    list(read_video(tmp_path / "a.mp4", warn=lines.append))
    assert len(lines) == 2


def test_real_clips(data_dir: Path, tmp_path: Path) -> None:
    clips = sorted((data_dir / "video").glob("*.mp4"))
    assert clips
    for clip in clips:
        lines: list[str] = []
        info = probe(clip)
        part = list(read_video(clip, 1.0, 1.3, warn=lines.append))
        assert not lines
        assert part[0].image.shape == (info.height, info.width, 3)
        whole = next(frame for frame in read_video(clip, 0.0, 1.3) if frame.pts == part[0].pts)
        assert whole.index == part[0].index
        np.testing.assert_array_equal(whole.image, part[0].image)
    source = next(clip for clip in clips if probe(clip).has_audio)
    convert(source, tmp_path / "b.mp4", 1.0, 1.5)
    assert heard(tmp_path / "b.mp4")[2] < 0.5
