"""A photo as recognition sees it: every face with its vector, its crop, and what speaks against trusting it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.photo import Photo, open_photo, whole
from mien.data.warp import scale_of
from mien.faces.align import align
from mien.faces.describe import Describer, chips
from mien.faces.find import VIEW, Measured, measured, settle
from mien.faces.mesh import around_mesh, pose
from mien.faces.quality import sharpness
from mien.faces.search import Search, search
from mien.types import Face

CROP = 160
"""Pixels a side of the crop that stands for the face in galleries and reports."""
SMALL, SOFT, TURNED, OUTSIDE = 10.0, 10.0, 60.0, 0.25
"""From here on a face is too poor to decide by: pixels between the eyes, variance of the Laplacian, degrees of yaw, and the share
of the face's box that lies outside the picture (docs/recognize.md says what was measured)."""
AHEAD = 32
"""Photos read ahead, and faces described at once."""


@dataclass(frozen=True)
class Quality:
    """What the vector of a face depends on beside the person."""

    eyes: float
    """Pixels between the centres of the eyes."""
    sharpness: float
    """See `mien.faces.quality.sharpness`."""
    yaw: float
    pitch: float
    """Degrees; see `mien.faces.mesh.pose`."""
    outside: float
    """Share of the face's box beyond the picture's edges."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Why it is too poor to decide by, in words; none where it is not."""
        checks = {
            f"too small: {self.eyes:.0f} pixels between the eyes, expected {SMALL:.0f} or more": self.eyes < SMALL,
            f"blurred: sharpness {self.sharpness:.0f}, expected {SOFT:.0f} or more": self.sharpness < SOFT,
            f"turned away by {abs(self.yaw):.0f} degrees, expected at most {TURNED:.0f}": abs(self.yaw) > TURNED,
            f"cut off: {self.outside:.0%} of it lies outside the picture": self.outside > OUTSIDE,
        }
        return tuple(words for words, poor in checks.items() if poor)


@dataclass(frozen=True)
class Probe:
    """One face of one photo, described."""

    face: Face
    quality: Quality
    crop: np.ndarray
    """(160, 160, 3) uint8 RGB, aligned."""
    vector: np.ndarray
    """(D,) float32; see `mien.faces.describe.distance`."""


@dataclass(frozen=True)
class Unread:
    """A photo that is none."""

    why: str


@dataclass(frozen=True)
class Seen:
    """A face before it is described: what of it is kept until then."""

    face: Face
    quality: Quality
    crop: np.ndarray
    chip: Tensor


def quality(height: int, width: int, found: Measured, crop: np.ndarray) -> Quality:
    """Of a face in a picture of that size; `crop`: the aligned face."""
    points = found.face.landmarks
    eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
    x1, y1, x2, y2 = found.face.box
    inside = max(min(x2, width) - max(x1, 0), 0) * max(min(y2, height) - max(y1, 0), 0)
    yaw, pitch, _ = pose(found.mesh)
    return Quality(eyes, sharpness(crop), yaw, pitch, 1 - inside / max((x2 - x1) * (y2 - y1), 1e-9))


class Prober:
    """Finds and describes faces; loads its network once."""

    def __init__(
        self,
        model: str = "dlib-face",
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        search: Search = "everybody",
    ) -> None:
        """`model`: a key of `mien.faces.describe.MODELS`; `search`: see `mien.faces.search`."""
        self.describer = Describer(device, dtype, AHEAD, model)
        self.space = self.describer.space
        self.search: Search = search

    def __call__(self, image: np.ndarray) -> list[Probe]:
        """(H, W, 3) uint8 RGB -> its faces, largest first; an empty list where there is none."""
        return self.described([self._look(whole(image, VIEW))])[0]

    def photo(self, path: Path) -> list[Probe]:
        """The same of a file, of which no more is decoded than is looked at; raises as `mien.data.pictures.read_picture` does."""
        return self.described([self._look(open_photo(path, VIEW))])[0]

    def cut(self, image: np.ndarray, found: Measured) -> Seen:
        """A face that was found already, by a `mien.faces.follow.Follower` for one."""
        return self._cut(image, found, image.shape[0], image.shape[1], found)

    def described(self, photos: Sequence[Sequence[Seen]]) -> list[list[Probe]]:
        """The faces of several photos, described in batches."""
        faces = [face for photo in photos for face in photo]
        if not faces:
            return [[] for _ in photos]
        vectors = iter(self.describer.vectors(torch.stack([face.chip for face in faces])))
        return [[Probe(one.face, one.quality, one.crop, next(vectors)) for one in photo] for photo in photos]

    def photos(self, paths: Iterable[Path]) -> Iterator[tuple[Path, list[Probe] | Unread]]:
        """Every photo in order, read and searched on a second thread, described in batches; what is no picture says why."""
        waiting = iter(paths)
        with ThreadPoolExecutor(2) as pool:
            while batch := list(islice(waiting, AHEAD)):
                seen = list(pool.map(self._read, batch))
                described = iter(self.described([one for one in seen if not isinstance(one, Unread)]))
                for path, one in zip(batch, seen, strict=True):
                    yield path, one if isinstance(one, Unread) else next(described)

    def _read(self, path: Path) -> list[Seen] | Unread:
        try:
            return self._look(open_photo(path, VIEW))
        except (ValueError, OSError) as error:
            return Unread(str(error))

    def _look(self, photo: Photo) -> list[Seen]:
        return [self._closer(photo, one) for one in search(photo.view, self.search)]

    def _closer(self, photo: Photo, found: Measured) -> Seen:
        """Cut out of the view where that has the pixels the networks want, else out of the original."""
        there = measured(found.mesh * photo.step, found.face.score)
        if photo.step == 1 or scale_of(around_mesh(found.mesh)) <= 1:
            return self._cut(photo.view, found, photo.height, photo.width, there)
        x1, y1, x2, y2 = there.face.box
        left, top = (max(int(edge - there.face.size), 0) for edge in (x1, y1))
        right, bottom = (min(int(edge + there.face.size), most) for edge, most in ((x2, photo.width), (y2, photo.height)))
        image, corner = photo.piece((left, top, right, bottom)), np.array([left, top, 0], np.float32)
        points, present = settle(image, around_mesh(there.mesh - corner), rounds=1)
        return self._cut(image, measured(points, present), photo.height, photo.width, measured(points + corner, present))

    def _cut(self, image: np.ndarray, here: Measured, height: int, width: int, there: Measured) -> Seen:
        """`here`: the face as it lies in `image`, a view or a piece of the photo; `there`: as it lies in the photo of that size."""
        crop, _ = align(image, here.face.landmarks, CROP)
        chip = chips(image, here.face.landmarks[None], self.describer.size)[0]
        return Seen(there.face, quality(height, width, there, crop), crop, chip)
