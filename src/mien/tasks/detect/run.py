"""Find objects in pictures; check and measure what that is learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.detect.results import Checked, Detected, DetectedFolder, DetectedVideo, Evaluated
from mien.types import LearnedDetector


def detect(
    source: Path,
    /,
    *,
    model: str = "faces",
    out: Path | None = None,
    results: Path | None = None,
    like: Path | None = None,
    least: float = 0.5,
    overlap: float = 0.5,
    scale: float | None = None,
    quality: int = 95,
    device: str = "auto",
    precision: str = "auto",
) -> Detected | DetectedVideo | DetectedFolder:
    """Find objects in a picture, a video or a folder of them, and draw boxes around them.

    Pictures may have any size: the network sees them reduced to the size it learnt at, or with --scale in overlapping tiles.

    Args:
        source: a picture, a video or a folder.
        model: faces, cells (blood cells), a model file, or the run folder of a training.
        out: where boxes are drawn: a picture (.png, .jpg, .webp), a video (.mp4) or a folder.
        results: a .json of everything found, as COCO writes results; classes are numbered from 1, in the model's order.
        like: a data set (COCO JSON, or a folder with boxes) whose numbers for classes and pictures --results takes.
        least: the score from which on something is told, 0 to 1.
        overlap: the overlap (IoU) above which two boxes of a class are one.
        scale: look at it in so many times its size, tile by tile: for small objects in large pictures.
        quality: of JPEG and WebP, 1 to 100.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.data.detection_results import numbered
    from mien.data.detection_sets import read_annotations
    from mien.models.detectors import opened
    from mien.runtime import choose
    from mien.tasks.detect.detecting import How, detect_source

    if like is not None and results is None:
        raise ValueError(f"--like {like} says how results are numbered, but no --results are asked for")
    runtime = choose(device, precision)
    detector = opened(model, runtime.device)
    numbering = numbered(detector.plan.names, read_annotations(Path(like)) if like else None, like)
    how = How(detector, runtime, numbering, least, overlap, scale, quality)
    return detect_source(Path(source), Path(out) if out else None, Path(results) if results else None, how)


def train(
    data: Path,
    /,
    *,
    minutes: float = 30.0,
    out: Path = Path("runs/detect"),
    start: str = "",
    upright: bool = True,
    side: int = 240,
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> LearnedDetector:
    """Train mien's small Faster R-CNN on a data set of your own: VOC XML or COCO JSON, divided as its files say.

    OUT then holds model.safetensors (for --model), its card and its curves. `mien detect check` says beforehand what is wrong with a
    data set; `mien train detect/own` has every setting. Ctrl-C ends it early, --resume goes on.

    Args:
        data: a folder with VOC XML files or a COCO JSON.
        minutes: how long; the learning rate falls to its end in this time.
        out: the run folder.
        start: a model file, a run folder, faces or cells to learn on from.
        upright: whether up and down matter: not so for cells or photos from above.
        side: pixels of a picture's shorter side as the network sees it; objects should have 12 to 250 there.
        resume: go on with a run that was stopped.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from dataclasses import replace

    from mien.runtime import choose
    from mien.tasks.detect.recipes import own
    from mien.train.detect_session import learn_detector

    recipe = replace(own(), data=str(data), start=start, upright=upright, side=side, longest=2 * side)
    return learn_detector(recipe, Path(data), Path(out), minutes=minutes, runtime=choose(device, precision), resume=resume,
                          label=f"detect {Path(data).name}")  # fmt: skip


def check(source: Path, /, *, quick: bool = False) -> Checked:
    """Look through a data set of boxes before anything learns from it: what is wrong, and what is made of it.

    Args:
        source: a folder with VOC XML files or a COCO JSON, or the JSON.
        quick: read only the first bytes of each picture; one that is cut off is not noticed.

    """
    from mien.tasks.detect.checking import checked

    return checked(Path(source), quick)


def evaluate(
    model: str,
    data: Path,
    /,
    *,
    split: Literal["train", "val", "trainval", "test", "all"] = "test",
    out: Path | None = None,
    least: float = 0.5,
    largest: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> Evaluated:
    """Measure a detector, or another program's results, as PASCAL VOC and COCO do, and sort its mistakes by kind.

    Difficult objects (VOC) and crowds (COCO) neither have to be found nor count as false.

    Args:
        model: a bundled detector, a model file, the run folder of a training, or a COCO results file (.json).
        data: a folder with VOC XML files or a COCO JSON, or the JSON.
        split: which part: train, val, trainval, test or all.
        out: a folder for precision over recall (pr.png), the kinds of mistakes (errors.png) and the results (results.json).
        least: the score of which precision and recall are told.
        largest: classification with localisation: of every picture the largest object and the surest detection alone.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.runtime import choose
    from mien.tasks.detect.evaluating import evaluated

    return evaluated(model, Path(data), split, out, least, largest, choose(device, precision))


COMMANDS = (detect, train, check, evaluate)
