"""mien: deep learning on faces and images. Importing this costs nothing; each task loads on first use.

`from mien import swap` gives the verbs of a task as functions: `swap.train(...)`, `swap.apply(...)`.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

TASKS = ("swap",)
"""Tasks whose verbs are here by their short name; the others are at `mien.tasks.<task>.run`, because a room has their name."""


def __getattr__(name: str) -> ModuleType:
    if name in TASKS:
        return importlib.import_module(f"mien.tasks.{name}.run")
    raise AttributeError(f"module 'mien' has no attribute {name!r}")
