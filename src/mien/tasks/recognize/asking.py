"""Who is in photos and videos: the answer, its evidence, and the line in the gallery's log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.faces.probe import Prober
from mien.gallery import Gallery
from mien.metrics.calibration import Calibration
from mien.tasks.recognize.evidence import Row, written
from mien.tasks.recognize.naming import NOBODY, Sighting, sightings, verdict
from mien.tasks.recognize.results import Identified, LeftOut, Sighted


def identified(sources: Sequence[Path], people: Gallery, prober: Prober, by: Calibration, every: int, out: Path | None) -> Identified:
    """Every face of every source, named or not; `out` gets the evidence. ValueError where the only source is no picture or video."""
    rows, left_out = [], []
    for one in sightings(sources, people, prober, every):
        if isinstance(one, Sighting):
            rows.append((one, *verdict(one, by), by.probability(one.hits[0].distance) if one.hits else 0.0))
        else:
            left_out.append(LeftOut(*one))
    if len(left_out) == len(sources) == 1 and not rows and sources[0].is_file() and left_out[0].why != NOBODY:
        raise ValueError(left_out[0].why)
    for who in {name for _, name, _, _ in rows if name}:
        people.log("identify", who, f"{sum(name == who for _, name, _, _ in rows)} faces")
    people.log("identify", "", f"{len(rows)} faces in {len(sources)} sources")
    files = written(rows, people, out) if out and rows else ()
    enrolled = len(people.people())
    return Identified(people.store.place, enrolled, people.space.model, by.threshold, by.false_match_rate,
                      tuple(map(_sighted, rows)), tuple(left_out), files)  # fmt: skip


def _sighted(row: Row) -> Sighted:
    sighting, name, why, chance = row
    nearest = sighting.hits[0] if sighting.hits else None
    x1, y1, x2, y2 = (round(side, 1) for side in sighting.probe.face.box)
    near = (chance, nearest.distance, nearest.name) if nearest else (None, None, None)
    return Sighted(sighting.source, (x1, y1, x2, y2), name, *near, why, sighting.start, sighting.stop)
