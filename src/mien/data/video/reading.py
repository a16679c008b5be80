"""Video in: what a file is, and its frames, upright in RGB with exact time stamps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from mien.data.video.container import SWS, UNSPECIFIED, demuxed, opened, usual_matrix
from mien.progress import say
from mien.types import Frame

HIDDEN = frozenset({"vp8", "vp9"})
"""Video in which packets may hold no frame to show: they cannot be counted without decoding."""


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
    with opened(path) as container:
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
    with opened(path) as container:
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


def _decoded(container: InputContainer, stream: VideoStream, trouble: list[str]) -> Iterator[VideoFrame]:
    """Every frame that can be decoded; what goes wrong is added to `trouble`, in words."""
    packets = given = 0
    for packet in demuxed(container, [stream], trouble):
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
    packets = (packet for packet in demuxed(container, [stream], []) if packet is not None and packet.size)
    stamps = [packet.pts for packet in packets if not packet.is_discard]
    known = sorted(stamp for stamp in stamps if stamp is not None)
    complete = len(known) == len(stamps) and stream.codec_context.name not in HIDDEN
    # decoding times, which seeking goes by, run ahead of presentation: a second is more than any reordering
    target = first - round(1 / _base(stream)) if complete else stream.start_time or 0
    container.seek(max(target, known[0] if known else 0), stream=stream)
    return known if complete else None


def _rgb(convert: VideoReformatter, frame: VideoFrame) -> np.ndarray:
    untagged = frame.colorspace == UNSPECIFIED
    rgb = convert.reformat(frame, format="rgb24", src_colorspace=SWS[usual_matrix(frame.height)] if untagged else None)
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


def batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Lists of at most `size`."""
    rest = iter(frames)
    while group := list(islice(rest, size)):
        yield group
