"""What a unit of any named module can see of the picture, from the library's tracer."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from mien.nn import trace
from mien.nn.explain.layers import Run
from mien.nn.explain.patches import Box, cut


def fields(net: nn.Module, shape: tuple[int, ...], names: Iterable[str], run: Run | None = None) -> dict[str, trace.Layer]:
    """The traced row of each named module: its own, or of a block that of the last operation inside it.

    `shape` is one picture's, without the batch; `run` calls the network where it takes more than that. Modules that nothing was
    computed in are left out.
    """
    rows = trace.trace(net, shape, run).layers
    found: dict[str, trace.Layer] = {}
    for name in names:
        inside = [row for row in rows if row.name == name or row.name.startswith((f"{name}.", f"{name}:"))]
        if inside:
            found[name] = inside[-1]
    return found


def box(row: trace.Layer, at: tuple[int, ...]) -> Box:
    """The receptive field of the unit at (row, column) of a map: y1, x1, y2, x2 in pixels, padding included."""
    (top, bottom), (left, right) = row.window(at)
    return top, left, bottom, right


def patch(row: trace.Layer | None, picture: Tensor, at: tuple[int, ...]) -> Tensor:
    """(C, H, W) -> what the unit at `at` sees of it: its receptive field, or the whole picture where that is no smaller."""
    if row is None or len(at) != 2 or not row.is_map or min(row.field) >= picture.shape[-1]:
        return picture
    return cut(picture, box(row, at))
