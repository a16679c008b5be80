"""How well people are told apart on pictures with names, and what threshold follows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import mien
from mien.data.files import atomic
from mien.faces.describe import space
from mien.faces.probe import Prober, Unread
from mien.metrics.calibration import Calibration, calibrate
from mien.tasks.recognize.calibrated import KEY, calibration
from mien.tasks.recognize.evaluation import evaluate, labelled_pairs, look_at
from mien.tasks.recognize.figures import Evaluated, Look, Seen
from mien.tasks.recognize.opening import opened
from mien.tasks.recognize.pairs import read_labelled
from mien.tasks.recognize.report import write_report
from mien.tasks.recognize.results import Calibrated

EVALUATE = 1e-2
"""The shipped threshold that is measured where no other is asked for."""


def looking(prober: Prober) -> Look:
    """The largest face of every photo; one too poor to decide by counts as none, as `verify` has it."""

    def look(paths: Sequence[Path]) -> list[Seen]:
        seen = []
        for _, found in prober.photos(paths):
            if isinstance(found, Unread):
                seen.append(Seen(None, found.why))
            elif not found:
                seen.append(Seen(None, "no face"))
            elif faults := found[0].quality.faults:
                seen.append(Seen(None, "; ".join(faults), found[0].crop))
            else:
                seen.append(Seen(found[0].vector, "", found[0].crop))
        return seen

    return look


def evaluated(pictures: Path, images: Path | None, out: Path | None, file: Path | None, rate: float | None, model: str) -> Evaluated:
    """Every figure at the threshold of a calibration, and the report."""
    by, labelled = calibration(space(model), rate, EVALUATE, file), read_labelled(pictures, images)
    source = f"{file or 'what comes with mien'}, for a false-match rate of {by.asked:g}"
    measured = evaluate(labelled, looking(Prober(model, search="largest")), by.threshold, source)
    if out:
        write_report(out, measured, by, foot=f"{model}, mien {mien.__version__}")
    return measured.evaluated


def calibrated(pictures: Path, images: Path | None, rate: float, out: Path | None, where: str, key: str, model: str) -> Calibrated:
    """A calibration into a file or into a gallery, for whose network it then is."""
    if (out is None) == (not where):
        raise ValueError("say where to keep the calibration: --out FILE, or --gallery GALLERY, one of them")
    if not where:
        assert out
        made, left_out = _made(pictures, images, rate, model)
        with atomic(out) as draft:
            draft.write_text(made.to_json() + "\n", encoding="utf-8")
        return _told(made, left_out, str(out))
    with opened(where, key) as gallery:
        made, left_out = _made(pictures, images, rate, gallery.space.model)
        gallery.note(KEY, json.loads(made.to_json()))
        gallery.log("calibrate", "", f"threshold {made.threshold:.4f} for {rate:g}")
        return _told(made, left_out, gallery.store.place)


def _made(pictures: Path, images: Path | None, rate: float, model: str) -> tuple[Calibration, int]:
    """A calibration, and how many photos had no usable face."""
    labelled, prober = read_labelled(pictures, images), Prober(model, search="largest")
    seen = look_at(labelled.paths, looking(prober))
    _, _, pairs, _ = labelled_pairs(labelled, seen)
    return calibrate(pairs, rate, prober.space.key, labelled.protocol), sum(one.vector is None for one in seen)


def _told(made: Calibration, left_out: int, kept: str) -> Calibrated:
    false, true = (rate.value if rate else None for rate in (made.held_out_false_match, made.held_out_true_match))
    counts = made.people, made.same_pairs, made.different_pairs, left_out
    return Calibrated(made.threshold, made.asked, made.true_match.value, false, true, *counts, made.protocol, kept)
