"""The folder of data sets on this machine: the environment variable MIEN_DATA, else ./data."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "MIEN_DATA"


def data_folder(name: str = "") -> Path:
    """The folder of data sets, or the data set `name` in it; ValueError says what to set where it is not there."""
    given = os.environ.get(VARIABLE)
    folder = Path(given) if given else Path("data")
    if not folder.is_dir():
        found = f"{VARIABLE} names {folder}, no folder" if given else f"{VARIABLE} is not set and {folder.absolute()} is no folder"
        raise ValueError(f"data sets are needed, but {found}: set {VARIABLE} to the folder that holds them")
    if not (folder / name).exists():
        raise ValueError(f"the data set {name!r} is needed, but {folder} has none: set {VARIABLE} to the folder that holds it")
    return folder / name
