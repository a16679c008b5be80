"""`mien detect evaluate`: average precision, curves and kinds of mistakes of a detector or of a file of results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.data.detection_results import read_results, write_results
from mien.data.detection_sets import BoxSet, largest_alone, read_boxes
from mien.data.pictures import read_picture
from mien.data.proposals import KeptSearch
from mien.metrics.coco import coco_scores
from mien.metrics.detection import Curve, curves, mean
from mien.metrics.detection_errors import KINDS, Errors, costs, errors
from mien.metrics.localisation import localised
from mien.progress import Progress, say
from mien.runtime import Runtime
from mien.tasks.detect.plots import draw_curves, draw_errors
from mien.tasks.detect.results import ClassScore, ErrorKind, Evaluated
from mien.types import Detections

LEAST = 0.05
"""Score from which on a detection is asked for: below, hardly one changes an average precision."""


def evaluated(model: str, source: Path, split: str, out: Path | None, least: float, largest: bool, runtime: Runtime) -> Evaluated:
    """Everything; pictures and results are written where `out` is given. ValueError for a model or data that are none."""
    if not 0 <= least <= 1:
        raise ValueError(f"a score of {least:g}, expected 0 to 1")
    if out is not None and out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder")
    part = read_boxes(source, split)
    part = largest_alone(part) if largest else part
    found, seconds = told(model, part, runtime)
    found = [one.select(np.argsort(-one.scores, kind="stable")[:1]) for one in found] if largest else found
    count = len(part.names)
    every, coco, sorted_out = curves(part.truths, found, count), coco_scores(part.truths, found, count), errors(part.truths, found)
    if not any(curve.objects for curve in every):
        raise ValueError(f"every object of {source} ({split}) is difficult: there is nothing to measure")
    cost = costs(sorted_out, count)
    files = _written(out, part, found, every, sorted_out, cost) if out else ()
    scores = tuple(_score(name, curve, ap, least) for name, curve, ap in zip(part.names, every, coco.classes, strict=True))
    one = localised(part.truths, found) if largest else None
    return Evaluated(model, source, split, len(part), mean([one.ap for one in every]), mean([one.ap11 for one in every]), coco,
                     scores, least, _kinds(sorted_out, cost, count), one, seconds, files)  # fmt: skip


def told(model: str, part: BoxSet, runtime: Runtime) -> tuple[Sequence[Detections], float | None]:
    """What a detector, or a file of results, says of every picture, in the part's own classes; seconds a picture."""
    if model.lower().endswith(".json"):
        return read_results(Path(model), part), None
    from mien.models.detectors import opened

    detector = opened(model, runtime.device)
    detector.search = search = KeptSearch()
    label_of = _numbers(detector.plan.names, part.names, model)
    found, seconds = [], 0.0
    with Progress(f"measure {model}", len(part), "pictures") as bar:
        for path in part.files:
            image = read_picture(path)
            began = time.perf_counter()
            with runtime.autocast():
                one = detector(image, LEAST)
            seconds += time.perf_counter() - began
            labels = label_of[one.labels]
            found.append(Detections(one.boxes, labels, one.scores, one.difficult).select(labels >= 0))
            bar.advance()
    if search.at_hand:
        say(f"the proposals of {search.at_hand} of {len(part)} pictures were at hand: the seconds are without their search")
    return found, round(seconds / len(part), 4)


def _numbers(own: tuple[str, ...], names: tuple[str, ...], model: str) -> np.ndarray:
    """(len(own),) the data set's number of each of a detector's classes; -1 for one it does not have."""
    numbers = np.array([names.index(name) if name in names else -1 for name in own], np.int64)
    if (numbers < 0).all():
        raise ValueError(f"{model} finds {', '.join(own[:8])}, the data set has {', '.join(names[:8])}: no class in common")
    if absent := [name for name in names if name not in own]:
        say(f"{model} does not know {len(absent)} classes of the data set, which are all missed: {', '.join(absent[:8])}")
    return numbers


def _score(name: str, curve: Curve, ap: float, least: float) -> ClassScore:
    count = int((curve.scores >= least).sum())
    at = count - 1
    known = curve.objects > 0
    precision = float(curve.precision[at]) if known and count else float("nan")
    recall = float(curve.recall[at]) if known and count else 0.0 if known else float("nan")
    return ClassScore(name, curve.objects, curve.ap, curve.ap11, ap, precision, recall)


def _kinds(sorted_out: Errors, cost: dict[str, float], classes: int) -> tuple[ErrorKind, ...]:
    best = sorted_out.kinds[sorted_out.best(classes)]
    count = {kind: int((best == kind).sum()) for kind in KINDS} | {"missed": int(sorted_out.missed.sum())}
    return tuple(ErrorKind(kind, count[kind], cost[kind], what) for kind, what in KINDS.items())


def _written(out: Path, part: BoxSet, found: Sequence[Detections], every: Sequence[Curve], sorted_out: Errors,
             cost: dict[str, float]) -> tuple[str, ...]:  # fmt: skip
    files = tuple(str(out / name) for name in ("pr.png", "errors.png", "results.json"))
    draw_curves(every, part.names, out / "pr.png")
    draw_errors(sorted_out, cost, part.names, out / "errors.png")
    write_results(out / "results.json", part, found)
    return files
