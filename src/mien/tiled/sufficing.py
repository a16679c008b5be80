"""Whether memory and disk suffice for a picture, before it is computed."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path

from mien.data.written import WHOLE, Shape
from mien.runtime import memory
from mien.tiled.cutting import Plan, amount


def suffices(planned: Plan, held: int, output: Path, name: str, shape: Shape) -> Plan:
    """The plan with the memory that writing takes; `held`: bytes of it that the process has already.

    RuntimeError or OSError where memory or disk will not do, ValueError where they would for a PNG.
    """
    size = shape[0] * shape[1]
    whole = replace(planned, memory=planned.memory + (0 if name == "PNG" else WHOLE * size))
    free = memory()[1]
    if free is not None and whole.memory - held > free:
        more, png = amount(whole.memory - held), planned.memory - held
        if png <= free:
            raise ValueError(f"{output}: a {name} of this size takes about {more} of memory, {amount(free)} are free: write .png, "
                             f"which takes {amount(png)}")  # fmt: skip
        raise RuntimeError(f"about {more} of memory are needed, {amount(free)} are free: choose smaller tiles")
    needed = size * shape[2] * shape[3] // 8
    place = next(folder for folder in output.resolve().parents if folder.is_dir())
    there = shutil.disk_usage(place).free
    if needed > there:
        raise OSError(errno.ENOSPC, f"about {amount(needed)} of disk are needed meanwhile, {amount(there)} are free", str(place))
    return whole
