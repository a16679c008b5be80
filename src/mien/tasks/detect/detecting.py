"""Objects in pictures, folders and videos: found, drawn, and written as COCO writes results."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.box_drawing import drawn
from mien.data.detection_results import Numbering
from mien.data.detection_results import rows as coco_rows
from mien.data.files import atomic
from mien.data.pictures import WRITABLE, read_picture, write_picture
from mien.data.sources import find_sources
from mien.data.video import MOVING, VideoWriter, batches, probe, read_video
from mien.models.detector import Detector
from mien.progress import Progress, say
from mien.provenance.container import is_video
from mien.provenance.outputs import checked, targets
from mien.runtime import Runtime
from mien.tasks.detect.results import Detected, DetectedFolder, DetectedVideo, Object
from mien.types import Detections

AT_ONCE = 8
"""Frames of a video that are looked at together."""
PLACES = 2
"""Decimal places of pixels in a file of results."""


@dataclass(frozen=True)
class How:
    """What was asked for, beside input and output."""

    detector: Detector
    runtime: Runtime
    numbering: Numbering
    """What classes and pictures are called in a file of results."""
    least: float = 0.5
    """Score from which on something is told."""
    overlap: float = 0.5
    """IoU above which two boxes of a class are one."""
    scale: float | None = None
    """Looked at in so many times its size, tile by tile."""
    quality: int = 95
    """Of JPEG and WebP."""

    def __post_init__(self) -> None:
        """ValueError for what cannot be."""
        wrong = {
            f"a score of {self.least:g}, expected 0 to 1": not 0 <= self.least <= 1,
            f"an overlap of {self.overlap:g}, expected more than 0 and less than 1": not 0 < self.overlap < 1,
            f"a scale of {self.scale}, expected more than 0 and 8 at most": self.scale is not None and not 0 < self.scale <= 8,
            f"a quality of {self.quality}, expected 1 to 100": not 1 <= self.quality <= 100,
        }
        if found := [text for text, bad in wrong.items() if bad]:
            raise ValueError(found[0])


def detect_source(source: Path, out: Path | None, results: Path | None, how: How) -> Detected | DetectedVideo | DetectedFolder:
    """Find objects in a picture, a video or a folder of both; `out`: where they are drawn, `results`: a JSON as COCO writes them.

    ValueError in one line for a source or an output that will not do; of a folder what cannot be read is a line and is passed over.
    """
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected a picture, a video or a folder of them")
    if results is not None and results.suffix.lower() != ".json":
        raise ValueError(f"{results}: results are written as .json")
    rows: list[dict[str, object]] = []
    if source.is_dir():
        found = _folder(source, out, how, rows)
    elif is_video(source):
        found = _video(source, out, how, rows, "")
    else:
        found = _picture(source, out, how, rows, source.stem)
    if results is not None:
        with atomic(results) as draft:
            draft.write_text(json.dumps(rows), encoding="utf-8")
    return found


def objects(found: Detections, names: Sequence[str]) -> tuple[Object, ...]:
    """As results hold them."""
    columns = zip(found.boxes.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
    return tuple(Object(names[int(label)], round(score, 4), (round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)))
                 for (x1, y1, x2, y2), label, score in columns)  # fmt: skip


def _picture(source: Path, out: Path | None, how: How, rows: list[dict[str, object]], key: str) -> Detected:
    began = time.perf_counter()
    if out is not None:
        checked([source], out, False)
    image = read_picture(source)
    with how.runtime.autocast():
        found = how.detector(image, how.least, how.overlap, how.scale)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_picture(out, drawn(image, found, how.detector.plan.names), how.quality)
    rows += coco_rows(found, key, how.numbering, source.name, PLACES)
    told = objects(found, how.detector.plan.names)
    return Detected(source, out, how.detector.name, image.shape[1], image.shape[0], told, round(time.perf_counter() - began, 3))


def _video(source: Path, out: Path | None, how: How, rows: list[dict[str, object]], prefix: str) -> DetectedVideo:
    began, info, names = time.perf_counter(), probe(source), how.detector.plan.names
    if out is not None and out.suffix.lower() not in MOVING:
        raise ValueError(f"{source.name} is a video: the output must end in {' or '.join(MOVING)}, not {out.name!r}")
    if out is not None and out.resolve() == source.resolve():
        raise ValueError(f"{out} is the video itself: choose another name, so that the original is kept")
    frames = seen = count = 0
    with ExitStack() as stack:
        bar = stack.enter_context(Progress(f"detect {source.name}", info.frames, "frames"))
        writer = None
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            writer = stack.enter_context(VideoWriter(out, info, sound=source))
        for group in batches(read_video(source), AT_ONCE):
            for frame, found in zip(group, _looked([frame.image for frame in group], how), strict=True):
                rows += coco_rows(found, f"{prefix}{frame.index}", how.numbering, places=PLACES)
                frames, seen, count = frames + 1, seen + bool(len(found)), count + len(found)
                if writer:
                    writer.write(drawn(frame.image, found, names), frame.pts)
                bar.advance()
    seconds = time.perf_counter() - began
    return DetectedVideo(source, out, how.detector.name, info.width, info.height, frames, seen, count, round(seconds, 2),
                         round(frames / max(seconds, 1e-9), 2))  # fmt: skip


def _looked(images: Sequence[np.ndarray], how: How) -> list[Detections]:
    with how.runtime.autocast():
        if how.scale is None:
            return how.detector.several(images, how.least, how.overlap)
        return [how.detector(image, how.least, how.overlap, how.scale) for image in images]


def _folder(source: Path, out: Path | None, how: How, rows: list[dict[str, object]]) -> DetectedFolder:
    if out is not None and (out.is_file() or out.suffix.lower() in (*WRITABLE, *MOVING)):
        raise ValueError(f"{source} is a folder, so the output must be one too, not {out}")
    if out is not None and out.resolve() == source.resolve():
        raise ValueError(f"{out} is the folder itself: choose another, so that the originals are kept")
    began, inside = time.perf_counter(), out.resolve() if out else None
    files = [one for one in find_sources([source]) if inside is None or inside not in one.path.resolve().parents]
    goals = targets(files, source, out, False) if out else [None] * len(files)
    made: list[Detected | DetectedVideo] = []
    skipped: list[str] = []
    with Progress("detect", len(files), "files") as bar:
        for one, goal in zip(files, goals, strict=True):
            key = one.path.relative_to(source).with_suffix("").as_posix()
            try:
                made.append(_video(one.path, goal, how, rows, f"{key}/") if one.kind == "video"
                            else _picture(one.path, goal, how, rows, key))  # fmt: skip
            except (ValueError, PermissionError) as error:
                skipped.append(" ".join(str(error).split()))
                say(f"skipped: {skipped[-1]}")
            bar.advance(note=one.path.name)
    if not made:
        raise ValueError(f"nothing in {source} could be looked at" + (f"; the first: {skipped[0]}" if skipped else ""))
    return DetectedFolder(source, out, how.detector.name, tuple(made), tuple(skipped), round(time.perf_counter() - began, 2))
