"""Figures without global state: no pyplot, no backend, quiet axes; written as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mien.data.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK, PALE = "#2a6fbb", "#e07b00", "#8a8a8a", "#222222", "#e6e6e6"
DPI = 130


def figure(width: float, height: float) -> Figure:
    """An empty page, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    page = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(page)
    return page


def quiet(axes: Axes, title: str = "") -> Axes:
    """No box round the drawing, a pale grid behind it, the title at the left."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9, color=GREY, which="both")
    axes.grid(color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    return axes


def write(page: Figure, path: Path) -> None:
    """Draw the page into a PNG."""
    with atomic(Path(path)) as draft:
        page.savefig(draft, format="png", dpi=DPI)
