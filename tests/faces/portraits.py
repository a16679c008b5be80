"""Two portraits in the public domain that come with packages, and the mark for tests that need the networks."""

from functools import cache

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage import data

from mien.weights import find

NETWORKS = ("blazeface-full", "blazeface-short", "blazeface-back", "face-mesh")
needs_networks = pytest.mark.skipif(
    any(find(name) is None for name in NETWORKS), reason="no BlazeFace weights here (mien models --fetch)"
)


@cache
def grace() -> np.ndarray:
    """(300, 256, 3) Grace Hopper, halved."""
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return np.asarray(Image.open(str(path)).convert("RGB").reduce(2))


@cache
def eileen() -> np.ndarray:
    """(256, 256, 3) Eileen Collins, halved."""
    return np.asarray(Image.fromarray(data.astronaut()).reduce(2))


def place(face: np.ndarray, x: int, y: int, size: tuple[int, int] = (640, 360), fill: int = 90) -> np.ndarray:
    """A grey picture (width, height) with `face` at x, y."""
    canvas = Image.new("RGB", size, (fill, fill, fill))
    canvas.paste(Image.fromarray(face), (x, y))
    return np.asarray(canvas)
