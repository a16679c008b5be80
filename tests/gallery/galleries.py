"""What the tests of galleries share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mien.gallery import Gallery, Record
from mien.types import Space

SPACE = Space("tiny", "a" * 64, "eyes-1", "none", 8)
KEY = bytes(range(32))
KINDS = {"sqlite": (False, None), "sqlite-sealed": (False, KEY), "postgres": (True, None), "postgres-sealed": (True, KEY)}
Again = Callable[[], Gallery]


def record(*numbers: float, **also: object) -> Record:
    """A record whose vector begins with some numbers."""
    vector = np.zeros(SPACE.size, np.float32)
    vector[: len(numbers)] = numbers
    return Record(vector, **also)  # pyright: ignore[reportArgumentType]
