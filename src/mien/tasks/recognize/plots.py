"""The pictures of a measurement, each a PNG that can be read alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.metrics.calibration import Calibration
from mien.metrics.verification import Pairs
from mien.tasks.recognize.figures import Measured
from mien.train.figure import BLUE, GREY, INK, ORANGE, PALE, figure, quiet, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 6.4, 4.0
"""Inches."""
BINS = 60


def draw_all(measured: Measured, folder: Path, calibration: Calibration | None = None) -> dict[str, Path]:
    """Every plot the measurement has figures for, by name; written into `folder`."""
    able = {
        "roc": True, "scores": True, "ranks": measured.cmc is not None, "strangers": measured.open_set is not None,
        "groups": bool(measured.evaluated.groups), "probability": calibration is not None,
    }  # fmt: skip
    files = {name: Path(folder) / f"{name}.png" for name, has in able.items() if has}
    for name, path in files.items():
        if name == "probability" and calibration is not None:
            probability(calibration, measured.pairs, path)
        else:
            DRAWN[name](measured, path)
    return files


def roc(measured: Measured, path: Path) -> None:
    """True accept rate over the false accept rate on a logarithmic axis; what too few pairs support is shaded."""
    found, curve = measured.evaluated, measured.curve
    page = figure(WIDTH, HEIGHT)
    axes = quiet(page.subplots(), f"Same person accepted, at each rate of false accepts (area {found.auc.value:.4f})")
    least = 1 / found.different_pairs
    far = np.maximum(curve.far, least / 2)
    axes.plot(far, curve.tar, color=BLUE, linewidth=1.8, drawstyle="steps-post")
    for line in found.tar_at_far:
        if line.supported:
            axes.errorbar(line.asked, line.tar.value, yerr=_arms(line.tar.value, line.tar.low, line.tar.high), color=INK, fmt="o",
                          markersize=4, linewidth=1, capsize=2)  # fmt: skip
    axes.axvspan(least / 2, min(3 * least, 1), color=PALE, alpha=0.6, linewidth=0)
    axes.annotate("too few pairs", (least / 2 * 1.15, 0.01), xycoords=("data", "axes fraction"), fontsize=8, color=GREY, va="bottom")
    axes.scatter([found.false_match.value or least / 2], [1 - found.false_non_match.value], s=70, facecolors="none", edgecolors=ORANGE,
                 linewidths=1.8, zorder=4, label=f"threshold {found.threshold:.3f}")  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(least / 2, 1)
    axes.xaxis.set_major_formatter(_plain_percent())
    sure = [line.tar.low for line in found.tar_at_far if line.supported]
    _shares(axes, min([*sure, 1 - found.false_non_match.value]))
    _labels(axes, "false accepts: different people taken for one (log)", "true accepts: one person recognised")
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=INK)
    write(page, path)


def scores(measured: Measured, path: Path) -> None:
    """How far apart two pictures of one person, and of two people, are; and where the line is drawn."""
    found, pairs = measured.evaluated, measured.pairs
    page = figure(WIDTH, HEIGHT)
    axes = quiet(page.subplots(), "Distances of pairs, and the threshold")
    edges = np.linspace(0, max(pairs.distances.max(), found.threshold) * 1.02, BINS + 1)
    for kind, colour, name in ((pairs.same, BLUE, "same person"), (~pairs.same, ORANGE, "different people")):
        counts = np.histogram(pairs.distances[kind], edges)[0] / kind.sum()
        axes.stairs(counts, edges, fill=True, color=colour, alpha=0.35)
        axes.stairs(counts, edges, color=colour, linewidth=1.2, label=f"{name}: {kind.sum():,} pairs")
    axes.axvline(found.threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=f"threshold {found.threshold:.3f}")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_percent())
    _labels(axes, "distance: left is more alike", "share of the pairs of its kind")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    write(page, path)


def ranks(measured: Measured, path: Path) -> None:
    """Cumulated match characteristic: how often the right person is among the nearest 1, 2, ... people."""
    assert measured.cmc is not None
    page = figure(WIDTH, HEIGHT)
    axes = quiet(page.subplots(), f"The right person is among the nearest ... (first: {measured.cmc[0]:.2%})")
    places = np.arange(1, len(measured.cmc) + 1)
    axes.plot(places, measured.cmc, color=BLUE, marker="o", markersize=4, linewidth=1.8, clip_on=False)
    axes.set_xticks(places)
    _shares(axes, float(measured.cmc[0]))
    _labels(axes, "people looked at, nearest first", "pictures whose person is among them")
    write(page, path)


def strangers(measured: Measured, path: Path) -> None:
    """Detection and identification rate over the share of strangers that are given a name."""
    assert measured.open_set is not None
    curve = measured.open_set
    page = figure(WIDTH, HEIGHT)
    axes = quiet(page.subplots(), "Enrolled people named rightly, and strangers named wrongly")
    least = max(curve.false_alarm[curve.false_alarm > 0].min() / 2, 1e-5)
    axes.plot(np.maximum(curve.false_alarm, least), curve.identified, color=BLUE, linewidth=1.8, drawstyle="steps-post")
    for line, colour in zip(measured.evaluated.strangers, (ORANGE, INK, GREY), strict=False):
        rate, x = line.identified, max(line.false_alarm.value, least)
        axes.errorbar(x, rate.value, yerr=_arms(rate.value, rate.low, rate.high), color=colour, fmt="o", markersize=5, linewidth=1,
                      capsize=2, label=f"threshold {line.threshold:.3f}", zorder=4)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(least, 1)
    axes.xaxis.set_major_formatter(_plain_percent())
    _shares(axes, min(line.identified.low for line in measured.evaluated.strangers))
    _labels(axes, "strangers that are given a name (log)", "enrolled people given their own name")
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=INK)
    write(page, path)


def groups(measured: Measured, path: Path) -> None:
    """Both errors of each group with their intervals, at the threshold used for all."""
    found = measured.evaluated.groups
    page = figure(2 * 4.6, max(1.3 + 0.42 * len(found), 2.2))
    panels = page.subplots(1, 2, sharey=True)
    kinds = (("false_match", "Different people taken for one", ORANGE), ("false_non_match", "One person not recognised", BLUE))
    for axes, (field, title, colour) in zip(panels, kinds, strict=True):
        quiet(axes, title)
        for row, group in enumerate(found):
            rate = getattr(group, field)
            if not rate.total:
                axes.annotate("no pair", (0, row), fontsize=8, color=GREY, va="center", xytext=(4, 0), textcoords="offset points")
                continue
            axes.barh(row, rate.value, height=0.5, color=colour, alpha=0.45)
            arms = _arms(rate.value, rate.low, rate.high)
            axes.errorbar(rate.value, row, xerr=arms, color=INK, fmt="|", markersize=9, linewidth=1, capsize=3)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(_percent())
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(range(len(found)), [f"{one.name} ({one.people} people)" for one in found])
    panels[0].set_ylim(max(len(found), 2) - 0.5, -0.5)
    write(page, path)


def probability(calibration: Calibration, pairs: Pairs, path: Path) -> None:
    """The calibrated curve, and beside it what the pairs show, both kinds weighing the same."""
    page = figure(WIDTH, HEIGHT)
    axes = quiet(page.subplots(), "Probability that two faces are one person")
    edges = np.linspace(0, float(pairs.distances.max()) * 1.02, 31)
    own, other = (np.histogram(pairs.distances[kind], edges)[0] / kind.sum() for kind in (pairs.same, ~pairs.same))
    seen = own + other > 0
    middles = ((edges[:-1] + edges[1:]) / 2)[seen]
    axes.scatter(middles, (own / np.maximum(own + other, 1e-12))[seen], s=16, color=ORANGE, label="seen in the pairs")
    x = np.linspace(0, edges[-1], 400)
    axes.plot(x, calibration.probability(x), color=BLUE, linewidth=1.8, label="calibrated")
    axes.axvline(calibration.threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 3)),
                 label=f"threshold {calibration.threshold:.3f}")  # fmt: skip
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(_percent())
    _labels(axes, "distance: left is more alike", "probability, both answers equally likely beforehand")
    axes.legend(frameon=False, fontsize=9, loc="upper right", labelcolor=INK)
    write(page, path)


def _arms(value: float, low: float, high: float) -> np.ndarray:
    return np.array([[max(value - low, 0)], [max(high - value, 0)]])


def _percent():
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=None)


def _plain_percent():
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{100 * value:g}%")


def _shares(axes: Axes, low: float) -> None:
    """A vertical axis of shares that shows where the curve is: from 0 only where it gets that low."""
    bottom = next(edge for edge in (0.98, 0.95, 0.9, 0.8, 0.5, 0.0) if low - (1 - edge) * 0.15 >= edge or edge == 0)
    axes.set_ylim(bottom, 1 + (1 - bottom) * 0.03)
    axes.yaxis.set_major_formatter(_percent())


def _labels(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)


DRAWN = {"roc": roc, "scores": scores, "ranks": ranks, "strangers": strangers, "groups": groups}
