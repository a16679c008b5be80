"""Find objects in pictures; check and measure what that is learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.detect.results import Checked, Evaluated


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
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.runtime import choose
    from mien.tasks.detect.evaluating import evaluated

    return evaluated(model, Path(data), split, out, least, choose(device, precision))


COMMANDS = (check, evaluate)
