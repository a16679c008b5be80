"""The pictures of a measurement: precision over recall, and what kinds of mistakes there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.metrics.detection import Curve
from mien.metrics.detection_errors import KINDS, RIGHT, Errors
from mien.train.figure import GREY, INK, PALE, figure, quiet, write

COLOURS = ("#2a6fbb", "#e07b00", "#2f8f5b", "#b3478c", "#7a5cc0", "#8c6d31", "#d1495b", "#4f7d86")
"""Of classes and of kinds of mistakes: told apart in print and by most kinds of colour vision."""
SHOWN = len(COLOURS)
"""Classes that are drawn by themselves: those with the most objects."""


def draw_curves(curves: Sequence[Curve], names: Sequence[str], path: Path) -> None:
    """Precision over recall, one line a class."""
    order = [place for place in np.argsort([-curve.objects for curve in curves], kind="stable") if curves[place].objects][:SHOWN]
    page = figure(6.4, 4.4)
    known = [curve.ap for curve in curves if curve.objects]
    rest = f" (drawn: {SHOWN} of {len(known)} classes)" if len(known) > SHOWN else ""
    axes = quiet(page.subplots(), f"Precision and recall at IoU 0.5, mean AP {np.mean(known):.3f}{rest}")
    for colour, place in zip(COLOURS, order, strict=False):
        curve = curves[place]
        precision = curve.precision if len(curve.precision) else np.zeros(1)
        recall, precision = np.append(0, curve.recall), np.append(precision[:1], curve.precision)
        axes.plot(recall, precision, color=colour, linewidth=1.6, drawstyle="steps-pre",
                  label=f"{names[place]} ({curve.objects}): AP {curve.ap:.3f}")  # fmt: skip
    axes.set(xlim=(0, 1.01), ylim=(0, 1.02))
    axes.set_xlabel("recall: share of the objects that are found", fontsize=9, color=INK)
    axes.set_ylabel("precision: share of the detections that are right", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=8, loc="lower left", labelcolor=INK)
    write(page, path)


def draw_errors(told: Errors, costs: dict[str, float], names: Sequence[str], path: Path) -> None:
    """Left: of each class the surest detections, as many as it has objects, by kind (Hoiem et al. 2012). Right: each kind's cost."""
    count = np.bincount(told.objects, minlength=len(names))
    labels = [int(label) for label in np.argsort(-count, kind="stable") if count[label]][:SHOWN]
    best = told.best(len(names))
    page = figure(9.6, max(0.42 * len(labels), 2.2) + 1.5)
    left, right = page.subplots(1, 2, width_ratios=(3, 2))
    quiet(left, "The surest detections, as many as there are objects")
    start = np.zeros(len(labels))
    tints = dict(zip((RIGHT, *KINDS), (PALE, *COLOURS), strict=False))
    for kind in (RIGHT, *KINDS):
        if kind == "missed":
            continue
        share = np.array([(told.kinds[best & (told.labels == label)] == kind).sum() / count[label] for label in labels])
        left.barh(range(len(labels)), share, left=start, color=tints[kind], label=kind, height=0.7)
        start += share
    left.set_yticks(range(len(labels)), [f"{names[label]} ({count[label]})" for label in labels], fontsize=9)
    left.set(xlim=(0, 1), ylim=(len(labels) - 0.4, -0.6))
    left.set_xlabel("share; what is white was not detected at all", fontsize=9, color=INK)
    page.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=8, ncols=6, loc="outside lower left", labelcolor=INK)
    quiet(right, "What AP would gain without them")
    gains = [costs[kind] for kind in KINDS]
    right.barh(range(len(KINDS)), gains, color=[tints[kind] for kind in KINDS], height=0.7)
    for place, gain in enumerate(gains):
        right.annotate(f"{gain:.3f}", (max(gain, 0), place), (3, 0), textcoords="offset points", va="center", fontsize=8, color=GREY)
    right.set_yticks(range(len(KINDS)), list(KINDS), fontsize=9)
    left.grid(False, axis="y")
    right.grid(False, axis="y")
    right.set(xlim=(0, max(*gains, 0.01) * 1.2), ylim=(len(KINDS) - 0.4, -0.6))
    write(page, path)
