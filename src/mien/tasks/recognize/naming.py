"""Who is on photos and in videos: every face against the gallery, every track of a video as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mien.data.sources import find_sources
from mien.data.video import probe as look_at
from mien.data.video import read_video
from mien.faces.follow import Follower
from mien.faces.probe import Probe, Prober, Seen, Unread
from mien.gallery import Gallery, Hit
from mien.metrics.calibration import Calibration
from mien.progress import Progress

LOOKS = 6
"""Frames of a track that decide who it is: the sharpest ones, at least `APART` frames from each other."""
APART = 5
NOBODY = "no face"
NEAR = 5
"""People asked for around every vector."""


@dataclass(frozen=True)
class Sighting:
    """One face of a photo, or one track of a video, and who it may be."""

    source: Path
    probe: Probe
    """Of a track, the sharpest."""
    hits: tuple[Hit, ...]
    """The nearest people, best first; of a track with the median distance of its looks."""
    start: float | None = None
    """Seconds of the video in which it is seen."""
    stop: float | None = None
    frames: int = 1


@dataclass
class _Track:
    """The best looks at one face of a video so far."""

    start: float
    stop: float = 0.0
    frames: int = 0
    looks: list[tuple[int, Seen]] = field(default_factory=list)

    def add(self, index: int, seen: Seen) -> None:
        """Keep it if it is among the sharpest, one in every stretch of `APART` frames."""
        near = [place for place, (other, _) in enumerate(self.looks) if index - other < APART]
        if near and self.looks[near[0]][1].quality.sharpness >= seen.quality.sharpness:
            return
        for place in reversed(near):
            del self.looks[place]
        self.looks.append((index, seen))
        if len(self.looks) > LOOKS:
            del self.looks[min(range(len(self.looks)), key=lambda place: self.looks[place][1].quality.sharpness)]


def sightings(paths: Sequence[Path], gallery: Gallery, prober: Prober, every: int = 3) -> Iterator[Sighting | tuple[Path, str]]:
    """Every face of photos, folders and videos; a file that cannot be read, or shows nobody, comes as (path, why).

    `every`: of a video each nth frame is looked at.
    """
    sources = find_sources(paths)
    with Progress("identify", total=len(sources), unit="files") as bar:
        photos = [source.path for source in sources if source.kind == "picture"]
        for path, found in prober.photos(photos):
            bar.advance(note=path.name)
            yield from _on_photo(path, found, gallery)
        for source in sources:
            if source.kind == "video":
                yield from _in_video(source.path, gallery, prober, every)
                bar.advance(note=source.path.name)


def _on_photo(path: Path, found: list[Probe] | Unread, gallery: Gallery) -> Iterator[Sighting | tuple[Path, str]]:
    if isinstance(found, Unread):
        yield path, found.why
    elif not found:
        yield path, NOBODY
    else:
        for probe, hits in zip(found, gallery.search(np.stack([probe.vector for probe in found]), NEAR), strict=True):
            yield Sighting(path, probe, tuple(hits))


def _in_video(path: Path, gallery: Gallery, prober: Prober, every: int) -> Iterator[Sighting | tuple[Path, str]]:
    tracks: dict[int, _Track] = {}
    follower, broken = Follower(detect_every=1), ""
    try:
        with Progress(path.name, total=look_at(path).frames, unit="frames") as bar:
            for frame in read_video(path):
                if frame.index % every == 0:
                    for number, found in follower.step(frame.image):
                        track = tracks.setdefault(number, _Track(frame.time))
                        track.stop, track.frames = frame.time, track.frames + 1
                        track.add(frame.index, prober.cut(frame.image, found))
                bar.advance(note=f"{len(tracks)} faces")
    except ValueError as error:
        broken = str(error)
        yield path, broken
    described = prober.described([[seen for _, seen in track.looks] for track in tracks.values()])
    for track, looks in zip(tracks.values(), described, strict=True):
        yield _decided(path, track, looks, gallery)
    if not tracks and not broken:
        yield path, NOBODY


def _decided(path: Path, track: _Track, looks: list[Probe], gallery: Gallery) -> Sighting:
    """People by the median of their distances to the looks; one that is not near enough to be listed counts as far away."""
    best = max(looks, key=lambda probe: probe.quality.sharpness)
    usable = [probe for probe in looks if not probe.quality.faults] or [best]
    by_name: defaultdict[str, list[Hit]] = defaultdict(list)
    for hits in gallery.search(np.stack([probe.vector for probe in usable]), NEAR):
        for hit in hits:
            by_name[hit.name].append(hit)
    ranked = []
    for name, hits in by_name.items():
        apart = sorted([hit.distance for hit in hits] + [float("inf")] * (len(usable) - len(hits)))
        middle = apart[len(apart) // 2]
        nearest = min(hits, key=lambda hit: hit.distance)
        ranked.append(Hit(name, middle, nearest.record, nearest.source))
    ranked.sort(key=lambda hit: hit.distance)
    return Sighting(path, best, tuple(ranked), round(track.start, 2), round(track.stop, 2), track.frames)


def verdict(sighting: Sighting, by: Calibration) -> tuple[str | None, str]:
    """A name, or None for nobody enrolled; and why nobody, in words."""
    if faults := sighting.probe.quality.faults:
        return None, "; ".join(faults)
    if not sighting.hits:
        return None, "nobody is enrolled"
    best = sighting.hits[0]
    if not by.same(best.distance):
        return None, f"nearest {best.name} at {best.distance:.2f}, the same person is under {by.threshold:.2f}"
    return best.name, ""
