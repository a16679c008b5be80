"""Who proposes faces, by name; whoever does, the face mesh confirms them and measures their points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mien.faces.find import VIEW, Measured, confirm, find_in_photo, find_measured
from mien.faces.mesh import MARGIN, square

if TYPE_CHECKING:
    from mien.models.detector import Detector

LEAST = 0.3
"""Score from which on a box of the trained detector is looked at: the mesh refuses what is no face."""
ABOVE, LARGER = 0.08, 1.15
"""The learnt box bounds 68 points, from brows to chin; the head reaches higher by this share of it, and is larger by this factor."""


@dataclass(frozen=True)
class Finder:
    """A way to find faces."""

    photo: Callable[[np.ndarray], list[Measured]]
    """(H, W, 3) uint8 -> every face, largest first, as carefully as it can."""
    frame: Callable[[np.ndarray], list[Measured]]
    """The same for a frame of a video: at a glance."""
    mark: Callable[[], str]
    """What a face set notes of it: another network may find other faces. "" for the packaged one, as sets before had it."""


def by_network(image: np.ndarray, careful: bool) -> list[Measured]:
    """Faces that mien's own Faster R-CNN proposes: in the whole picture and, where careful, in parts twice as close."""
    detector = trained()
    factor = -(-max(image.shape[:2]) // VIEW)
    view = image if factor == 1 else np.asarray(Image.fromarray(image).reduce(factor))
    boxes = detector(view, LEAST).boxes
    if careful:
        from mien.models.detector import scale_for

        close = 2 * scale_for(view.shape[0], view.shape[1], detector.plan.side, detector.plan.longest)
        boxes = np.concatenate([boxes, detector(view, LEAST, scale=min(close, 2.0)).boxes])
    return confirm(image, [around(box) for box in boxes * factor], careful)


def around(box: np.ndarray) -> np.ndarray:
    """(4,) box of 68 points -> the (2, 3) transform to an upright crop of the whole head, as the mesh wants it."""
    side = float((box[2:] - box[:2]).max())
    centre = (box[:2] + box[2:]) / 2 - np.array([0, ABOVE * side])
    return square(centre, MARGIN * LARGER * side, np.array([1.0, 0.0]))


@cache
def trained() -> Detector:
    """The bundled face detector. ValueError where it is not here."""
    from mien.models.detectors import opened

    return opened("faces")


def _mark() -> str:
    from mien.models.detectors import NAMES
    from mien.weights import card

    return f" by {card(NAMES['faces']).sha256[:12]}"


FINDERS: Mapping[str, Finder] = {
    "blaze": Finder(find_in_photo, lambda image: find_measured(image, thorough=False), lambda: ""),
    "faster": Finder(lambda image: by_network(image, careful=True), lambda image: by_network(image, careful=False), _mark),
}
"""blaze: the packaged BlazeFace networks. faster: mien's own, trained Faster R-CNN."""


def finder(name: str) -> Finder:
    """One of `FINDERS`; ValueError for none of that name, or whose network is not here."""
    if name not in FINDERS:
        raise ValueError(f"no detector is called {name}: expected {', '.join(FINDERS)}")
    if name == "faster":
        trained()
    return FINDERS[name]
