"""The curves and the reliability diagrams of `benchmarks/tamper.py` as pictures.

    python benchmarks/tamper_figures.py benchmarks/results/tamper.json --out docs        # inspect-curves.png, inspect-reliability.png
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.train.figure import BLUE, GREY, INK, ORANGE, figure, quiet, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = {
    "by strength": ("Reshaped faces found", "mean displacement, pixels of a crop of 400", "log"),
    "by quality": ("Original or reshaped, saved as JPEG", "quality", "linear"),
    "by scale": ("Resized and back", "scale", "linear"),
}
CONDITIONS = {"plain": "not compressed", "saved": "JPEG 30 to 100", "worn": "in chains"}


def curve(axes: Axes, points: list[dict[str, Any]], title: str, label: str, scale: str) -> None:
    """Accuracy at even odds over what was varied, with its interval."""
    shown = [one for one in points if one["accuracy"]["total"] >= 5]
    at, rates = [one["at"] for one in shown], [one["accuracy"] for one in shown]
    quiet(axes, title)
    axes.fill_between(at, [one["low"] for one in rates], [one["high"] for one in rates], color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(at, [one["value"] for one in rates], color=BLUE, marker=".", linewidth=1.5)
    axes.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
    axes.set_ylim(0.3, 1.02)
    axes.set_xscale(scale)
    if scale == "log":
        axes.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
        axes.minorticks_off()
    axes.set_xlabel(label, fontsize=9, color=INK)


def reliability(axes: Axes, told: dict[str, Any], title: str) -> None:
    """How often a verdict was right over the probability it was given, with intervals; on the diagonal it is to be believed."""
    quiet(axes, title)
    axes.plot([0.3, 1], [0.3, 1], color=GREY, linewidth=1, linestyle=":")
    for name, colour in (("one temperature", ORANGE), ("calibrated", BLUE)):
        points = [(sure, rate) for sure, rate in told[name]["diagram"] if rate["total"] >= 5]
        values = [rate["value"] for _, rate in points]
        reach = [[rate["value"] - rate["low"] for _, rate in points], [rate["high"] - rate["value"] for _, rate in points]]
        axes.errorbar([sure for sure, _ in points], values, reach, color=colour, marker="o", markersize=4, linewidth=1.2, capsize=2,
                      label=f"{name}: error {told[name]['error']:.3f}")  # fmt: skip
    axes.set_xlim(0.3, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("probability of the verdict", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="lower right")


def main() -> None:
    """Two PNGs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    told = json.loads(given.result.read_text("utf-8").replace("NaN", "null"))
    page = figure(10.5, 3.2)
    for axes, (name, words) in zip(page.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        curve(axes, [one for one in told[name] if one["at"] is not None and math.isfinite(one["at"])], *words)
    write(page, given.out / "inspect-curves.png")
    page = figure(10.5, 3.4)
    for axes, (name, words) in zip(page.subplots(1, len(CONDITIONS), sharey=True), CONDITIONS.items(), strict=True):
        reliability(axes, told["calibration"][name], words)
    page.axes[0].set_ylabel("share right", fontsize=9, color=INK)
    write(page, given.out / "inspect-reliability.png")


if __name__ == "__main__":
    main()
