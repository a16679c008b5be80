"""Video in and out through FFmpeg (PyAV): exact time stamps, upright RGB frames, sound copied, nothing half-written."""

from __future__ import annotations

import heapq
import json
import os
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import codecs_available
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from mien.data.files import atomic
from mien.progress import say
from mien.types import Frame

UNSPECIFIED = 2
SWS = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
"""Colour matrix by its number in ITU-T H.273 -> what FFmpeg's scaler calls it."""
COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Sound that players accept in MP4 as it is; any other is encoded as AAC."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 64000, 88200, 96000)
HIDDEN = frozenset({"vp8", "vp9"})
"""Video in which packets may hold no frame to show: they cannot be counted without decoding."""
ENCODER = "libx264" if "libx264" in codecs_available else "mpeg4"
OPTIONS = {"libx264": {"crf": "18", "preset": "faster"}, "mpeg4": {}}


@dataclass(frozen=True)
class VideoInfo:
    """What a video is. `VideoInfo(512, 512)` describes a new one."""

    width: int
    """Pixels, after rotation."""
    height: int
    fps: Fraction = Fraction(25)
    """Average frames a second."""
    time_base: Fraction = Fraction(1, 12800)
    """Seconds in one unit of `Frame.pts`."""
    frames: int | None = None
    """As the file says; None where it does not."""
    duration: float | None = None
    """Seconds."""
    codec: str = ""
    has_audio: bool = False
    rotation: int = 0
    """Degrees clockwise that the stored pixels are turned to stand upright: 0, 90, 180 or 270."""
    bit_rate: int | None = None
    """Bits a second."""
    matrix: int = UNSPECIFIED
    """Colour matrix, primaries and transfer: the numbers of ITU-T H.273 (1 BT.709, 6 BT.601, 2 unspecified)."""
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full_range: bool = False
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel over its height, after rotation."""


def probe(path: Path) -> VideoInfo:
    """Describe a video from its header and first frame. Raises ValueError where it is none or cannot be decoded."""
    with _opened(path) as container:
        stream = _pictures(container, path)
        frame = next(_decoded(container, stream, []), None)
        if frame is None:
            raise ValueError(f"{path} is damaged: no frame of its {stream.codec_context.name} video can be decoded")
        rotation = -frame.rotation % 360
        turned = rotation in (90, 270)
        duration = None if stream.duration is None else float(stream.duration * _base(stream))
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return VideoInfo(
            width=frame.height if turned else frame.width,
            height=frame.width if turned else frame.height,
            fps=stream.average_rate or stream.guessed_rate or Fraction(25),
            time_base=_base(stream),
            frames=stream.frames or None,
            duration=container.duration / av.time_base if duration is None and container.duration else duration,
            codec=stream.codec_context.name,
            has_audio=len(container.streams.audio) > 0,
            rotation=rotation,
            bit_rate=stream.bit_rate or container.bit_rate or None,
            matrix=frame.colorspace,
            primaries=frame.color_primaries,
            transfer=frame.color_trc,
            full_range=frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj"),
            pixel_aspect=1 / aspect if turned else aspect,
        )


def read_video(
    path: Path, start: float | None = None, stop: float | None = None, skip: int = 0, warn: Callable[[str], None] = say
) -> Iterator[Frame]:
    """Frames with start <= time < stop (seconds from the stream's start), upright, in order; without the first `skip`.

    `Frame.index` counts from the stream's first frame whatever the range. Untagged colours are read as BT.709 from 720
    lines up, else as BT.601. A file damaged midway gives the frames it can; `warn` then gets one line.
    Raises ValueError where the file is no video or the range holds no frame.
    """
    path = Path(path)
    with _opened(path) as container:
        stream = _pictures(container, path)
        stream.thread_type = "AUTO"
        base, zero = _base(stream), stream.start_time or 0
        first = None if start is None else zero + _units(start, base)
        end = None if stop is None else zero + _units(stop, base)
        order = None if not start or first is None else _seek(container, stream, first)
        trouble: list[str] = []
        convert, read, last = VideoReformatter(), 0, None
        for count, frame in enumerate(_decoded(container, stream, trouble)):
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (last is not None and pts <= last):
                trouble.append(f"frame {count} has a wrong time stamp")
                pts = zero if last is None else last + 1
            last = pts
            if end is not None and pts >= end:
                break
            if first is not None and pts < first:
                continue
            read += 1
            if read > skip:
                index = count if order is None else bisect_left(order, pts)
                yield Frame(_rgb(convert, frame), index, pts, float((pts - zero) * base))
        if trouble:
            expected = f" of {stream.frames}" if stream.frames and start is None and stop is None else ""
            warn(f"{path} is damaged: {read}{expected} frames were read; first error: {trouble[0]}")
        if not read:
            lasts = "" if last is None else f": its last frame read is at {float((last - zero) * base):.2f} s"
            until = "its end" if stop is None else f"{stop:g} s"
            raise ValueError(f"{path} has no frame between {start or 0:g} s and {until}{lasts}")


class VideoWriter:
    """`with VideoWriter(path, probe(source), sound=source) as out: out.write(image, frame.pts)` -> an MP4, or nothing.

    Frames get exactly the time stamps given, in units of `like.time_base`, spaced evenly or not. Odd sizes grow to even
    ones by repeating the last row or column. H.264 at CRF 18, 4:2:0, in the colour matrix of `like` (MPEG-4 part 2
    where FFmpeg has no x264). All is first written to a hidden folder beside `path`; at the end joined and renamed.

    With `segment`, the work is resumable: every `segment` frames a piece is finished and noted in a journal; a run that
    was killed or failed finds them again, and `done` says how many frames the caller need not write any more. `job`
    says what is being made; pieces of another job, size or source are thrown away.
    """

    def __init__(
        self,
        path: Path,
        like: VideoInfo,
        sound: Path | None = None,
        trim: bool = False,
        metadata: dict[str, str] | None = None,
        segment: int | None = None,
        job: str = "",
    ) -> None:
        """`sound`: take the sound tracks of this file; `trim`: the first frame becomes time 0, sound is cut to fit.

        `metadata`: written into the container, any key. Raises ValueError for a suffix other than .mp4, .m4v and .mov.
        """
        self.path, self.like, self.sound, self.trim, self.metadata = Path(path), like, sound, trim, dict(metadata or {})
        if self.path.suffix.lower() not in (".mp4", ".m4v", ".mov"):
            raise ValueError(f"{path}: cannot write {self.path.suffix or 'no suffix'}, expected .mp4, .m4v or .mov")
        if segment is not None and segment < 1:
            raise ValueError(f"segment is {segment}, expected at least 1 frame")
        self._segment = segment
        self._work = self.path.with_name(f".{self.path.name}.{'work' if segment else os.getpid()}")
        self._matrix = like.matrix if like.matrix in SWS else _guess(like.height)
        self._rate = min(max(round(like.fps), 1), 240)
        self._convert = VideoReformatter()
        self._stack: ExitStack | None = None
        made_from = [str(sound), sound.stat().st_size, sound.stat().st_mtime_ns] if sound else None
        frames = [like.width, like.height, str(like.time_base), str(like.fps), self._matrix, segment]
        encoder = [av.__version__, *av.library_versions["libavcodec"], ENCODER, OPTIONS[ENCODER]]
        self._job = json.dumps([job, frames, made_from, encoder])
        self._parts: list[dict[str, list[int]]] = []
        """For each finished piece: its frames' time stamps, and the decoding order of its packets (frame numbers)."""

    @property
    def done(self) -> int:
        """Frames in finished pieces: what a resumed run need not write again."""
        return sum(len(part["pts"]) for part in self._parts)

    def __enter__(self) -> VideoWriter:
        journal = self._work / "journal.json"
        if self._segment and journal.is_file():
            noted = json.loads(journal.read_text())
            if noted["job"] == self._job:
                self._parts = noted["parts"]
        if not self._parts:
            shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)
        self._last = self._parts[-1]["pts"][-1] if self._parts else None
        return self

    def write(self, image: np.ndarray, pts: int) -> None:
        """Append (H, W, 3) uint8 RGB, shown at `pts` in units of `like.time_base`, later than the frame before."""
        expected = (self.like.height, self.like.width, 3)
        if image.shape != expected or image.dtype != np.uint8:
            raise ValueError(f"{self.path}: got a {image.dtype} frame {image.shape}, expected uint8 {expected}")
        if self._last is not None and pts <= self._last:
            raise ValueError(f"{self.path}: got time stamp {pts} after {self._last}, expected a later one")
        if self._stack is None:
            self._begin()
        odd = (0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)
        even = np.pad(image, odd, mode="edge") if any(after for _, after in odd) else np.ascontiguousarray(image)
        frame = self._convert.reformat(
            VideoFrame.from_ndarray(even),
            format="yuv420p",
            dst_colorspace=SWS[self._matrix],
            dst_color_range=ColorRange.MPEG,
        )
        # the encoder sees an even count; _joined puts the true time stamps in: exact with every encoder's clock
        frame.pts, frame.time_base = len(self._now["pts"]), Fraction(1, self._rate)
        self._now["pts"].append(pts)
        self._last = pts
        self._encode(frame)
        if len(self._now["pts"]) == self._segment:
            self._finish()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keep = self._segment is not None
        try:
            if kind is not None:
                stack, self._stack = self._stack, None
                if stack is not None:
                    stack.__exit__(kind, error, trace)
                return
            if self._stack is not None:
                self._finish()
            if not self._parts:
                raise ValueError(f"{self.path}: not one frame was written")
            whole = self._work / f"whole{self.path.suffix}"
            with atomic(whole) as draft:
                self._join(draft)
            whole.replace(self.path)
            keep = False
        finally:
            if not keep:
                shutil.rmtree(self._work, ignore_errors=True)

    def _begin(self) -> None:
        with ExitStack() as stack:
            draft = stack.enter_context(atomic(self._work / f"seg_{len(self._parts):05}.mp4"))
            options = {"video_track_timescale": str(self._rate)}
            self._out: OutputContainer = stack.enter_context(av.open(str(draft), "w", options=options))
            stream = self._out.add_stream(ENCODER, rate=self._rate, options=OPTIONS[ENCODER])
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = self.like.width + self.like.width % 2, self.like.height + self.like.height % 2
            context = stream.codec_context
            context.pix_fmt, context.sample_aspect_ratio = "yuv420p", self.like.pixel_aspect
            context.colorspace, context.color_range = self._matrix, ColorRange.MPEG
            context.color_primaries, context.color_trc = self.like.primaries, self.like.transfer
            if ENCODER == "mpeg4":
                context.qscale, context.global_quality = True, 2 * 118  # quantiser 2; 118 is FFmpeg's unit
            self._stream, self._now = stream, {"pts": [], "order": []}
            self._stack = stack.pop_all()

    def _encode(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            assert packet.pts is not None
            self._now["order"].append(round(packet.pts * packet.time_base * self._rate))
            self._out.mux(packet)

    def _finish(self) -> None:
        """Close the piece at hand, then note it: a piece is in the journal only when it is on the disk."""
        assert self._stack is not None
        with self._stack:
            self._stack = None
            self._encode(None)
        self._parts.append(self._now)
        with atomic(self._work / "journal.json") as draft:
            draft.write_text(json.dumps({"job": self._job, "parts": self._parts}))

    def _join(self, draft: Path) -> None:
        """Put pieces and sound into one file; nothing is decoded but sound that MP4 does not take."""
        pts = [value for part in self._parts for value in part["pts"]]
        base = self.like.time_base
        zero = pts[0] if self.trim else 0
        step = max(round(1 / (self.like.fps * base)), 1)
        clock = str(base.denominator)
        options = {"movflags": "+faststart+use_metadata_tags", "video_track_timescale": clock, "movie_timescale": clock}
        with ExitStack() as stack:
            out = stack.enter_context(av.open(str(draft), "w", options=options))
            out.metadata.update(self.metadata)
            with av.open(str(self._work / "seg_00000.mp4")) as piece:
                stream = out.add_stream_from_template(piece.streams.video[0], opaque=True)
            stream.time_base = base
            tracks: list[Iterator[Packet]] = [self._joined(stream, [value - zero for value in pts], step)]
            if self.sound is not None:
                source = stack.enter_context(_opened(self.sound))
                cut = (pts[0] * base, (pts[-1] + step) * base) if self.trim else None
                if _audio(source):
                    tracks.append(_sound(source, out, cut))
            for packet in heapq.merge(*tracks, key=lambda packet: (packet.dts or 0) * packet.time_base):
                out.mux(packet)

    def _joined(self, stream: VideoStream, pts: list[int], step: int) -> Iterator[Packet]:
        """The packets of all pieces with their true presentation time; decoding times follow from the reordering."""
        starts = accumulate((len(part["pts"]) for part in self._parts), initial=0)
        delay = max(place - number for part in self._parts for place, number in enumerate(part["order"]))
        for name, (start, part) in enumerate(zip(starts, self._parts, strict=False)):
            with av.open(str(self._work / f"seg_{name:05}.mp4")) as piece:
                packets = (packet for packet in piece.demux(piece.streams.video[0]) if packet.size)
                for place, (number, packet) in enumerate(zip(part["order"], packets, strict=True), start):
                    at = start + number
                    packet.stream, packet.time_base, packet.pts = stream, self.like.time_base, pts[at]
                    packet.dts = pts[place - delay] if place >= delay else pts[0] - (delay - place) * step
                    packet.duration = pts[at + 1] - pts[at] if at + 1 < len(pts) else step
                    yield packet


def _sound(source: InputContainer, out: OutputContainer, cut: tuple[Fraction, Fraction] | None) -> Iterator[Packet]:
    """All sound tracks of `source` as packets for `out`; `cut`: only these seconds, the first of them becoming 0."""
    targets: dict[int, AudioStream] = {}
    for track in _audio(source):
        if track.codec_context.name in COPIED:
            targets[track.index] = out.add_stream_from_template(track, opaque=True)
        else:
            rate = track.rate if track.rate in AAC_RATES else AAC_RATES[0]
            targets[track.index] = out.add_stream("aac", rate=rate, layout=LAYOUTS.get(track.channels, "stereo"))
    return _sound_packets(source, targets, cut)


def _sound_packets(
    source: InputContainer, targets: dict[int, AudioStream], cut: tuple[Fraction, Fraction] | None
) -> Iterator[Packet]:
    begin = cut[0] if cut else Fraction(0)
    trouble: list[str] = []
    last: dict[int, int] = {}
    for packet in _demuxed(source, _audio(source), trouble):
        if packet is None or packet.dts is None or packet.pts is None:
            continue
        if cut and not begin <= packet.pts * packet.time_base < cut[1]:
            continue
        target = targets[packet.stream.index]
        if packet.stream.codec_context.name in COPIED:
            shift = round(begin / packet.time_base)
            if packet.dts > last.get(target.index, packet.dts - 1):  # MP4 takes no packet twice
                last[target.index] = packet.dts
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, target
                yield packet
        else:
            yield from _transcoded(packet, target, begin, trouble)
    for track in _audio(source):
        if track.codec_context.name not in COPIED:
            yield from targets[track.index].encode(None)
    if trouble:
        say(f"the sound of {source.name} is damaged: {trouble[0]}")


def _transcoded(packet: Packet, target: AudioStream, begin: Fraction, trouble: list[str]) -> Iterator[Packet]:
    try:
        frames = packet.decode()
    except FFmpegError as error:
        trouble.append(str(error.strerror))
        return
    for frame in frames:
        assert isinstance(frame, AudioFrame)
        if frame.pts is not None and frame.time_base is not None:
            frame.pts -= round(begin / frame.time_base)
        yield from target.encode(frame)


def _audio(container: InputContainer) -> list[AudioStream]:
    """The sound tracks FFmpeg knows how to handle (a track in an unknown codec has no context)."""
    return [track for track in container.streams.audio if getattr(track, "codec_context", None) is not None]


def _opened(path: Path) -> InputContainer:
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}, expected a video")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise ValueError(f"{path} is empty, expected a video")
    try:
        return av.open(str(path), metadata_errors="ignore")
    except FFmpegError as error:
        why = "it is cut off (its index is missing)" if head[4:] == b"ftyp" else f"it is not a video ({error.strerror})"
        raise ValueError(f"{path} cannot be read: {why}") from None


def _units(seconds: float, base: Fraction) -> int:
    """The first time stamp at or after; a float that misses one by a hair still means it."""
    return ceil(seconds / base - 1e-3)


def _pictures(container: InputContainer, path: Path) -> VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise ValueError(f"{path} holds no moving pictures, expected a video")
    return streams[0]


def _base(stream: VideoStream) -> Fraction:
    assert stream.time_base is not None
    return stream.time_base


def _demuxed(container: InputContainer, streams: Sequence[Stream], trouble: list[str]) -> Iterator[Packet | None]:
    """All packets; where the file cannot be read on, None (it flushes a decoder) and a line of `trouble`."""
    try:
        yield from container.demux(*streams)
    except FFmpegError as error:
        trouble.append(str(error.strerror))
        yield None


def _decoded(container: InputContainer, stream: VideoStream, trouble: list[str]) -> Iterator[VideoFrame]:
    """Every frame that can be decoded; what goes wrong is added to `trouble`, in words."""
    packets = given = 0
    for packet in _demuxed(container, [stream], trouble):
        packets += packet is not None and packet.size > 0
        try:
            frames = stream.decode(packet)
        except FFmpegError as error:
            trouble.append(f"{error.strerror} after {given} frames")
            continue
        for frame in frames:
            given += 1
            if frame.is_corrupt:
                trouble.append(f"frame {given} is incomplete")
            yield frame
    if packets < len(stream.index_entries):
        trouble.append(f"the file ends after {packets} of {len(stream.index_entries)} frames")


def _seek(container: InputContainer, stream: VideoStream, first: int) -> list[int] | None:
    """Go to a key frame well before `first`: all time stamps in order; to the start: None, where some are unknown."""
    packets = (packet for packet in _demuxed(container, [stream], []) if packet is not None and packet.size)
    stamps = [packet.pts for packet in packets if not packet.is_discard]
    known = sorted(stamp for stamp in stamps if stamp is not None)
    complete = len(known) == len(stamps) and stream.codec_context.name not in HIDDEN
    # decoding times, which seeking goes by, run ahead of presentation: a second is more than any reordering
    target = first - round(1 / _base(stream)) if complete else stream.start_time or 0
    container.seek(max(target, known[0] if known else 0), stream=stream)
    return known if complete else None


def _guess(height: int) -> int:
    return 1 if height >= 720 else 6


def _rgb(convert: VideoReformatter, frame: VideoFrame) -> np.ndarray:
    untagged = frame.colorspace == UNSPECIFIED
    rgb = convert.reformat(frame, format="rgb24", src_colorspace=SWS[_guess(frame.height)] if untagged else None)
    image = rgb.to_ndarray()
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return image if matrix is None else _upright(image, np.frombuffer(bytes(matrix), np.int32))


def _upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a display matrix (a b u, c d v, x y w): a pixel at (x, y) is shown at (a x + c y, b x + d y)."""
    a, b, c, d = (int(matrix[place]) for place in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, right, down = image.transpose(1, 0, 2), c, b
    else:
        right, down = a, d
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1])
