"""Which calibration counts: the one given, the gallery's own, or the one that comes with mien."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mien.metrics.calibration import Calibration
from mien.types import Space

if TYPE_CHECKING:
    from mien.gallery import Gallery

SHIPPED = Path(__file__).with_name("calibrations")
STRANGERS = 1e-2
KEY = "calibration"
"""Of the gallery's note that holds its own."""


def shipped(model: str) -> list[Calibration]:
    """Those that come with mien for a network, the loosest first; empty where there is none."""
    path = SHIPPED / f"{model}.json"
    if not path.is_file():
        return []
    return [Calibration.from_json(json.dumps(one), path.name) for one in json.loads(path.read_text(encoding="utf-8"))]


def calibration(
    space: Space, rate: float | None, default: float, file: Path | None = None, gallery: Gallery | None = None
) -> Calibration:
    """The calibration for a false-match rate (None: the one of `file` or of the gallery, else `default`).

    Raises ValueError where there is none for that rate, or it is of another network.
    """
    own = read(file) if file else noted(gallery) if gallery else None
    if own and own.space != space.key:
        where = str(file or "the gallery's calibration")
        raise ValueError(f"{where} was made for other vectors than those of {space.model} (key {own.space}, expected {space.key}): "
                         "calibrate again")  # fmt: skip
    if own and (file or rate is None or abs(own.asked - rate) < 1e-12):
        if rate is not None and abs(own.asked - rate) > 1e-12:
            raise ValueError(f"{file} stands for a false-match rate of {own.asked:g}, asked was {rate:g}: calibrate for that rate")
        return own
    wanted, there = default if rate is None else rate, [one for one in shipped(space.model) if one.space == space.key]
    for one in there:
        if abs(one.asked - wanted) < 1e-12:
            return one
    known = ", ".join(f"{one.asked:g}" for one in there) or "none"
    raise ValueError(f"mien comes with no calibration of {space.model} for a false-match rate of {wanted:g} (there is {known}): "
                     "make one from your own pictures with mien recognize calibrate")  # fmt: skip


def people_rate(gallery: Gallery) -> float:
    """The false-match rate at which of strangers about `STRANGERS` are given a name, every stranger being compared with everybody."""
    allowed = STRANGERS / max(len(gallery.people()), 1)
    rates = [one.asked for one in shipped(gallery.space.model)] or [STRANGERS]
    return max((rate for rate in rates if rate <= allowed * 1.001), default=min(rates))


def read(path: Path) -> Calibration:
    """One that `mien recognize calibrate` wrote."""
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist, expected a calibration (mien recognize calibrate writes one)")
    return Calibration.from_json(Path(path).read_text(encoding="utf-8"), str(path))


def noted(gallery: Gallery) -> Calibration | None:
    """The one kept with a gallery."""
    kept = gallery.noted(KEY)
    return Calibration.from_json(json.dumps(kept), "the gallery's calibration") if kept else None
