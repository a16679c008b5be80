"""A search as one picture: parallel coordinates (Inselberg 1985), one axis a setting, one line a trial, the score at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from mien.tasks.training.space import Choice, Range, Settings, Space
from mien.train.figure import GREY, INK, ORANGE, figure, write

FAILED = -0.12
"""Height at which the lines of failed trials end."""


def parallel_coordinates(trials: Sequence[tuple[Settings, float | None]], space: Space, path: Path) -> None:
    """(settings, score or None) of every trial, as a PNG: colour by the rank of the score, the best one thick.

    Log ranges have log axes. By rank, since one bad trial would else take all of the colours.
    """
    from matplotlib import colormaps

    scored = sorted((one for one in trials if one[1] is not None), key=lambda one: one[1] or 0.0)
    scores = [score for _, score in scored if score is not None]
    spread = max(scores) - min(scores)
    axis = Range(min(scores) - spread * 0.001, max(scores) + spread * 0.001) if spread else None
    page = figure(2.4 + 1.7 * len(space), 4.6)
    axes = page.subplots()
    axes.set(xlim=(-0.3, len(space) + 0.8), ylim=(FAILED - 0.03 if len(scores) < len(trials) else -0.05, 1.05))
    axes.axis("off")
    places = range(len(space) + 1)
    for settings, score in trials:
        if score is None:
            axes.plot(places, [*_heights(settings, space, 0.0), FAILED], color=GREY, linewidth=0.8, alpha=0.5, linestyle=":")
    shades = colormaps["viridis_r"]
    for rank, (settings, score) in enumerate(scored, 1):
        share, best = rank / len(scored), rank == len(scored)
        heights = [*_heights(settings, space, share), axis.place(score) if axis and score is not None else 0.5]
        colour = ORANGE if best else shades(0.05 + 0.9 * share)
        axes.plot(places, heights, color=colour, linewidth=3.2 if best else 1.1, alpha=1 if best else 0.35 + 0.5 * share)
    for place, (name, one) in enumerate({**space, "score": axis}.items()):
        axes.plot([place, place], [0, 1], color=INK, linewidth=1)
        axes.text(place, 1.06, name, ha="center", va="bottom", fontsize=10, color=INK)
        side, towards = (1, "left") if place == len(space) else (-1, "right")  # behind the last axis there are no lines
        for height, label in ticks(one, scores[-1]):
            axes.plot([place, place + side * 0.02], [height, height], color=INK, linewidth=1)
            axes.text(place + side * 0.04, height, label, ha=towards, va="center", fontsize=8, color=INK,
                      bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.8})  # fmt: skip
    beside = {"x": len(space) + 0.38, "va": "center", "fontsize": 9}
    axes.text(s=f"best\n{scores[-1]:.4g}", y=axis.place(scores[-1]) if axis else 0.5, color=ORANGE, **beside)
    if len(scores) < len(trials):
        axes.text(s=f"{len(trials) - len(scores)} failed", y=FAILED, color=GREY, **beside)
    write(page, path)


def _heights(settings: Settings, space: Space, share: float) -> list[float]:
    """0..1 for every axis; lines through the same option are spread a little, by `share`, the better the higher."""
    heights = []
    for name, one in space.items():
        value = settings[name]
        if isinstance(one, Choice):
            heights.append(_option_height(one, one.options.index(value) + 0.5 * (share - 0.5)))
        else:
            heights.append(one.place(float(value)))
    return heights


def _option_height(choice: Choice, place: float) -> float:
    return (place + 0.5) / len(choice.options)


def ticks(one: Range | Choice | None, score: float = 0.0) -> list[tuple[float, str]]:
    """Heights and labels of an axis; `score` is the label where all scores are the same."""
    if one is None:
        return [(0.5, f"{score:.4g}")]
    if isinstance(one, Choice):
        return [(_option_height(one, place), str(option)) for place, option in enumerate(one.options)]
    if not one.log:
        from matplotlib.ticker import MaxNLocator

        found = [float(value) for value in MaxNLocator(6, integer=one.whole).tick_values(one.low, one.high)]
    else:
        decades = range(math.floor(math.log10(one.low)), math.ceil(math.log10(one.high)) + 1)
        steps = (1,) if len(decades) > 4 else (1, 3) if len(decades) > 3 else (1, 2, 5)
        found = [step * 10.0**decade for decade in decades for step in steps]
    near = {value: one.place(value) for value in found}
    return [(height, f"{value:g}") for value, height in near.items() if -1e-9 <= height <= 1 + 1e-9]
