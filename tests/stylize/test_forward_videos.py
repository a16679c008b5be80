"""A video restyled: frames, sound, a stop, steadiness, what is refused."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from small_styles import how, listed, photo, styled

from mien.data.video import probe, read_video
from mien.metrics.flicker import Restless, grey
from mien.provenance.report import verify
from mien.tasks.stylize import videos
from mien.tasks.stylize.forward import forward_source, ready
from mien.tasks.stylize.results import Moved
from mien.tasks.stylize.videos import Frames, Hold


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """9 frames, 48 x 32, the light in one half going up and down, a tone."""
    monkeypatch.chdir(tmp_path)
    styled(tmp_path / "two.safetensors")
    image = photo(32, 48)
    with av.open("clip.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        voice = out.add_stream("aac", rate=16000, layout="mono")
        for number in range(9):
            lit = image.astype(int)
            lit[:, 24:] += 25 * (number % 2)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(lit.clip(0, 255).astype(np.uint8))))
        out.mux(stream.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8192), np.int16), format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 16000, 0, Fraction(1, 16000)
        out.mux(voice.encode(sound))
        out.mux(voice.encode(None))
    return Path("clip.mp4")


def moved(clip: Path, out: str, **options: object) -> Moved:
    found = forward_source(clip, Path(out), how("two.safetensors", **options))
    assert isinstance(found, Moved)
    return found


def test_a_video_keeps_its_sound_and_is_signed(clip: Path):
    done = moved(clip, "new/b.mp4", signing=True)
    assert (done.width, done.height, done.frames, done.sound, done.signed) == (48, 32, 9, True, True)
    assert probe(Path("new/b.mp4")).has_audio
    assert verify(Path("new/b.mp4")).label is not None
    assert listed(Path("new")) == ["b.mp4"]
    frames = Frames(ready(how("two.safetensors")), how("two.safetensors"), 32, 48)  # a video is steady unless told otherwise
    assert done.steady == 0.8
    for before, after in zip(read_video(clip), read_video(Path("new/b.mp4")), strict=True):
        made, wanted = grey(after.image), grey(frames(before.image[None])[0])
        assert np.abs(made - wanted).mean() < np.abs(made - grey(before.image)).mean() / 4  # but for what H.264 loses


def test_smoothed_statistics_flicker_less_in_what_stands_still(clip: Path):
    quick, slow = (moved(clip, f"{keep}.mp4", steady=keep) for keep in (0.0, 0.9))
    assert slow.flicker < quick.flicker / 1.5
    assert quick.still < 1


def test_a_new_scene_owes_nothing_to_the_last_one(clip: Path):
    """In the middle of a batch and at its start; what is steady within a scene is begun anew."""
    one = next(iter(read_video(clip))).image[None].repeat(2, 0)
    other = 255 - one
    found, asked = ready(how("two.safetensors")), how("two.safetensors", steady=0.9)
    alone, both, later = (Frames(found, asked, 32, 48) for _ in range(3))
    wanted = alone(other)
    np.testing.assert_array_equal(both(np.concatenate([one, other]))[2:], wanted)
    later(one)
    np.testing.assert_array_equal(later(other), wanted)


def test_frames_in_tiles_are_those_at_once(clip: Path):
    found = ready(how("two.safetensors"))
    images = np.stack([frame.image for frame in read_video(clip)][:3]).repeat(3, 1).repeat(3, 2)
    for steady in (0.0, 0.5):
        whole, tiles = (Frames(found, how("two.safetensors", steady=steady, tile=tile), 96, 144) for tile in (None, 48))
        assert (whole.plan.tiles, tiles.plan.tiles > 3) == (1, True)
        assert np.abs(whole(images).astype(int) - tiles(images)).max() <= 1


def test_a_stopped_video_goes_on_as_if_nothing_had_happened(clip: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(videos, "SEGMENT", 3)
    monkeypatch.setattr(videos, "BATCH", 2)
    once = moved(clip, "once.mp4", steady=0.5)
    made, call = 0, Frames.__call__

    def stopping(self: Frames, frames: np.ndarray) -> np.ndarray:
        nonlocal made
        made += len(frames)
        if made > 7:
            raise KeyboardInterrupt
        return call(self, frames)

    with monkeypatch.context() as patched:
        patched.setattr(Frames, "__call__", stopping)
        with pytest.raises(KeyboardInterrupt):
            moved(clip, "b.mp4", steady=0.5)
    done = moved(clip, "b.mp4", steady=0.5)
    assert (done.resumed, done.frames, once.frames) == (6, 3, 9)
    for before, after in zip(read_video(Path("once.mp4")), read_video(Path("b.mp4")), strict=True):
        assert np.abs(before.image.astype(int) - after.image).mean() < 0.5


def test_a_video_that_is_cut_off_or_none_is_refused(clip: Path):
    data = clip.read_bytes()
    Path("cut.mp4").write_bytes(data[:len(data) // 3])
    before = listed(Path())
    for source, out, message in (("cut.mp4", "b.mp4", r"cut\.mp4"), ("clip.mp4", "b.png", "is a video: the output must end in"),
                                 ("clip.mp4", "clip.mp4", "is the video itself")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            forward_source(Path(source), Path(out), how("two.safetensors"))
    assert listed(Path()) == before


def test_what_stands_still_is_held_and_what_moves_is_not():
    hold = Hold(0.75)
    frame, made = np.full((12, 12, 3), 100, np.uint8), np.full((12, 12, 3), 50, np.uint8)
    np.testing.assert_array_equal(hold(frame, made), made)
    frame[:, 6:] += np.uint8(60)
    held = hold(frame, made + np.uint8(40))
    assert (held[:, :5] == 60).all()  # a quarter of the way; a mean of 3 x 3 pixels reaches one column further
    assert (held[:, 6:] == 90).all()


def test_flicker_counts_only_where_the_video_stands_still():
    restless = Restless()
    still = np.full((20, 20, 3), 100, np.uint8)
    for number in range(3):
        frame, made = still.copy(), still.copy()
        frame[:, 12:] += np.uint8(40 * (number % 2))  # moves
        made[:, 12:] += np.uint8(90 * (number % 2))
        made[:, :10] += np.uint8(6 * (number % 2))
        restless.add(frame, made)
    # 11 columns stand still (a mean of 3 x 3 pixels reaches one further), 10 of them flicker by 6
    assert restless.made.mean == pytest.approx(60 / 11, abs=1e-3)
    assert restless.still.mean == 0
