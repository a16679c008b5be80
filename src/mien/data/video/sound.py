"""The sound of one file for another: copied where MP4 takes it, else encoded as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from mien.data.video.container import demuxed
from mien.progress import say

COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Sound that players accept in MP4 as it is; any other is encoded as AAC."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 64000, 88200, 96000)


def sound_of(source: InputContainer, out: OutputContainer, cut: tuple[Fraction, Fraction] | None) -> Iterator[Packet]:
    """All sound tracks of `source` as packets for `out`; `cut`: only these seconds, the first of them becoming 0."""
    targets: dict[int, AudioStream] = {}
    for track in sound_tracks(source):
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
    for packet in demuxed(source, sound_tracks(source), trouble):
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
    for track in sound_tracks(source):
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


def sound_tracks(container: InputContainer) -> list[AudioStream]:
    """The sound tracks FFmpeg knows how to handle (a track in an unknown codec has no context)."""
    return [track for track in container.streams.audio if getattr(track, "codec_context", None) is not None]
