"""How the lessons' pictures look: the same colours and quiet axes in all of them."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.data.folder import VARIABLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, VIOLET, GREY = "#2a6fbb", "#e07b00", "#2e8b57", "#c23b3b", "#7d5ba6", "#8a8a8a"
SETTINGS: dict[str, Any] = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11, "axes.titlelocation": "left",
    "font.size": 10, "legend.frameon": False, "lines.linewidth": 1.8, "figure.constrained_layout.use": True, "figure.figsize": (10, 4),
    "figure.dpi": 100, "savefig.dpi": 130, "image.cmap": "gray",
}  # fmt: skip


def apply() -> None:
    """Set matplotlib's defaults to the lessons' look."""
    import matplotlib as mpl
    from cycler import cycler

    settings: Any = {**SETTINGS, "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, VIOLET, GREY])}
    mpl.rcParams.update(settings)


def execute(path: Path, picture: Path | None = None, data: Path | None = None,
            moving: Path | None = None) -> tuple[dict[str, float], Figure]:
    """Run the lesson in `path` without a window: its numbers and its figure, which is written to `picture`.

    `data` is the folder of data sets, if not the usual one; `moving` the file for the animation of a lesson that has `frames`.
    """
    import matplotlib as mpl

    mpl.use("Agg", force=True)
    import matplotlib.pyplot as plt

    plt.close("all")
    with mpl.rc_context(), _environment(VARIABLE, data):
        apply()
        names = runpy.run_path(str(path))
        figures = [plt.figure(number) for number in plt.get_fignums()]
        assert len(figures) == 1, f"{path} drew {len(figures)} figures"
        if picture:
            figures[0].savefig(picture)  # within the context: "C0" is looked up when it is drawn
        plt.close("all")
        if moving and "frames" in names:
            from mien.data.moving import write_moving

            write_moving(moving, names["frames"])
    return {name: float(value) for name, value in names["numbers"].items()}, figures[0]


@contextmanager
def _environment(name: str, value: Path | None) -> Iterator[None]:
    """The environment variable set for a while, where a value is given."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = str(value)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def open_picture(path: Path) -> bool:
    """Show a file in the system's own viewer; False where there is no display or no viewer."""
    import shutil
    import subprocess

    if sys.platform == "win32":
        os.startfile(path)
        return True
    viewer = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if viewer is None or not has_display():
        return False
    subprocess.Popen([viewer, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return True


def has_display() -> bool:
    """Whether a window could open here."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
