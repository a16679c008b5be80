"""Video out: frames at the time stamps given, sound copied, resumable piece by piece, nothing half-written."""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.codec import codecs_available
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from mien.data.files import atomic
from mien.data.video.container import SWS, opened, usual_matrix
from mien.data.video.reading import VideoInfo
from mien.data.video.sound import sound_of, sound_tracks

ENCODER = "libx264" if "libx264" in codecs_available else "mpeg4"
MOVING = (".mp4", ".m4v", ".mov")
LARGEST = 16_384
"""Pixels of a side that H.264 encoders take."""
OPTIONS = {"libx264": {"crf": "18", "preset": "faster"}, "mpeg4": {}}


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
        if self.path.suffix.lower() not in MOVING:
            raise ValueError(f"{path}: cannot write {self.path.suffix or 'no suffix'}, expected .mp4, .m4v or .mov")
        if segment is not None and segment < 1:
            raise ValueError(f"segment is {segment}, expected at least 1 frame")
        self._segment = segment
        self._work = self.path.with_name(f".{self.path.name}.{'work' if segment else os.getpid()}")
        self._matrix = like.matrix if like.matrix in SWS else usual_matrix(like.height)
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
                source = stack.enter_context(opened(self.sound))
                cut = (pts[0] * base, (pts[-1] + step) * base) if self.trim else None
                if sound_tracks(source):
                    tracks.append(sound_of(source, out, cut))
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
