"""From pictures and videos to a face set: every face found, followed, aligned, measured and described.

What is finished is kept in DIR/parts (see `mien.faces.parts`): a run that was killed goes on there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from mien.data.files import no_empty_folders
from mien.data.pictures import read_picture
from mien.data.sources import find_sources
from mien.data.video import probe, read_video
from mien.faces.align import COVER, align
from mien.faces.enhance import Enhancer
from mien.faces.faceset import FACES, FaceSet, is_set, stamp
from mien.faces.finders import Finder, finder
from mien.faces.harvest import Harvest
from mien.faces.parts import PARTS, Entry, Parts, Unfinished
from mien.progress import Progress, say
from mien.types import Frame, Source
from mien.weights import card

PICTURES = 64
"""Pictures in one part."""
PIECE = 500
"""Frames of a video after which its faces so far are safe on disk."""
SIZES = (64, 512)
EMBEDDING = "dlib-face"


@dataclass(frozen=True)
class Span:
    """Which frames of a video: start <= index < stop, every so many."""

    start: int = 0
    stop: int | None = None
    every: int = 1

    @classmethod
    def parse(cls, frames: str, every: int) -> Span:
        """`"100:200"`, `":200"`, `"100:"` or `""`. Raises ValueError for anything else."""
        sides = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", frames or ":")
        if sides is None:
            raise ValueError(f"frames is {frames!r}, expected START:STOP by frame number, such as 0:160 or 100:")
        start, stop = int(sides[1] or 0), int(sides[2]) if sides[2] else None
        if stop is not None and stop <= start:
            raise ValueError(f"frames is {frames!r}: it ends before it begins, expected START:STOP with STOP larger")
        if every < 1:
            raise ValueError(f"every is {every}, expected 1 (each frame) or more")
        return cls(start, stop, every)


def extract(
    sources: Sequence[Path],
    out: Path | None,
    *,
    size: int = 256,
    frames: str = "",
    every: int = 1,
    largest: bool = False,
    enhance: bool = False,
    detector: str = "blaze",
    label: str = "extract",
) -> FaceSet:
    """Find every face in pictures, videos and folders of them, and write (or extend) the face set `out`.

    size: pixels on each side of a crop, 64 to 512. frames: "start:stop" by frame number, in each video. every: look at
    each nth frame only. largest: only the largest face of each picture. enhance: small faces are enlarged by a network.
    detector: one of `mien.faces.finders.FINDERS`. A file that cannot be read is named on stderr and left out. Raises ValueError for
    bad options, or where no face is found or nothing can be read; no new folder is left then.
    """
    if out is None:
        raise ValueError("no folder was given, expected the face set to write")
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size is {size}, expected {SIZES[0]} to {SIZES[1]} pixels")
    out, span = Path(out), Span.parse(frames, every)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the face set")
    own = os.path.abspath(out) + os.sep
    wanted = {os.path.abspath(s.path): s for s in find_sources(sources)}
    wanted = {path: source for path, source in wanted.items() if not path.startswith(own)}
    with no_empty_folders(out / FACES, out / PARTS, out):
        found, entries = _set(out, wanted, How(span, size, largest, enhance, finder(detector)), label)
        _judge(found, entries)
    return found


@dataclass(frozen=True)
class How:
    """What was asked for."""

    span: Span
    size: int
    largest: bool
    enhance: bool
    finder: Finder


def _set(out: Path, wanted: dict[str, Source], how: How, label: str) -> tuple[FaceSet, list[Entry]]:
    """The finished set, and what was noted of each wanted source."""
    parts = Parts(out, stamp(how.size, COVER, f"{EMBEDDING} {card(EMBEDDING).sha256}"))
    whole = f"largest={how.largest}" + (f" enhanced by {card('mien-upscale').sha256[:12]}" if how.enhance else "") + how.finder.mark()
    options = {"picture": whole, "video": f"{whole} {how.span}"}
    todo = [(path, source, parts.entry(path, source, options[source.kind])) for path, source in wanted.items()]
    fresh = [(source, entry) for path, source, entry in todo if parts.latest.get(path, (None,))[0] != entry]
    if fresh:
        _work(parts, fresh, how, label)
    found = parts.assemble()
    if not len(found) and not is_set(out):
        parts.discard()
    return found, [parts.latest[path][0] for path in wanted]


def _work(parts: Parts, fresh: list[tuple[Source, Entry]], how: How, label: str) -> None:
    total = sum(_length(source, how.span) for source, _ in fresh)
    cut = Enhancer().align if how.enhance else align
    with Harvest(parts.folder / FACES, how.size, cut) as harvest, Progress(label, total, "frames") as bar:
        entries: list[Entry] = []
        for source, entry in fresh:
            video = source.kind == "video"
            if entries and (video or len(entries) == PICTURES):
                parts.write(harvest.take(), entries)
                entries = []
            if video:
                _follow(parts, harvest, source.path, entry, how, bar)
            else:
                entries.append(_look(harvest, source.path, entry, how))
                bar.advance(note=f"{harvest.faces} faces")
        if entries:
            parts.write(harvest.take(), entries)


def _look(harvest: Harvest, path: Path, entry: Entry, how: How) -> Entry:
    """The faces of a picture; what is to be noted."""
    try:
        image = read_picture(path)
    except (ValueError, PermissionError) as error:
        return replace(entry, problem=str(error))
    for track, face in enumerate(how.finder.photo(image)[: 1 if how.largest else None]):
        harvest.add(entry.path, entry.prefix, Frame(image, 0, 0, 0.0), track, face, follows=False)
    return replace(entry, looked=1)


def _follow(parts: Parts, harvest: Harvest, path: Path, entry: Entry, how: How, bar: Progress) -> None:
    """The faces of a video, from the last finished piece on."""
    unfinished = Unfinished(parts, entry)
    looked, follower, problem = unfinished.looked, unfinished.follower, ""
    follower.look = how.finder.frame
    span = replace(how.span, start=how.span.start + looked * how.span.every)
    if looked:
        say(f"going on at frame {span.start} of {path.name}")
        bar.advance(looked)
    try:
        for frame in _video(path, span):
            looked += 1
            for track, face in follower.step(frame.image)[: 1 if how.largest else None]:
                harvest.add(entry.path, entry.prefix, frame, track, face, follows=True)
            bar.advance(note=f"{harvest.faces} faces")
            if looked % PIECE == 0:
                unfinished.add(harvest.take(), looked, follower)
    except Unreadable as error:
        problem = str(error)
    parts.write(pa.concat_tables([*unfinished.tables(), harvest.take()]), [replace(entry, looked=looked, problem=problem)])
    unfinished.remove()


class Unreadable(Exception):  # noqa: N818 - a state of a file, reported in the end
    """A source that cannot be read, in words."""


def _video(path: Path, span: Span) -> Iterator[Frame]:
    read = read_video(path, skip=span.start)
    while True:
        try:
            frame = next(read, None)
        except (ValueError, PermissionError) as error:
            raise Unreadable(str(error)) from None
        if frame is None or (span.stop is not None and frame.index >= span.stop):
            return
        if (frame.index - span.start) % span.every == 0:
            yield frame


def _length(source: Source, span: Span) -> int:
    """Pictures to look at, as far as the file says."""
    try:
        frames = (probe(source.path).frames or 1) if source.kind == "video" else 1
    except (ValueError, OSError):
        return 1
    stop = frames if span.stop is None else min(span.stop, frames)
    return max(-(-(stop - span.start) // span.every), 1) if source.kind == "video" else 1


def _judge(found: FaceSet, entries: list[Entry]) -> None:
    """Name what could not be read; raise ValueError where nothing could, or no face came of it."""
    bad = [entry for entry in entries if entry.problem]
    for entry in bad:
        say(f"left out: {entry.problem}")
    if len(bad) == len(entries):
        first = bad[0].problem if bad else "all lie inside the set itself"
        raise ValueError(f"none of {len(entries)} sources could be read: {first}")
    ours = {entry.path for entry in entries}
    if not any(source in ours for source in found.column("source")):
        looked = sum(entry.looked for entry in entries)
        note = f" ({len(bad)} files could not be read)" if bad else ""
        raise ValueError(f"no face in {looked} pictures or frames{note}, expected at least one")
