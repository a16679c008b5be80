"""A swap from one photo applied: which faces are meant, and how each is drawn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.data.pictures import read_picture
from mien.data.video import read_video
from mien.faces.blend import Blend, paste
from mien.faces.describe import Describer
from mien.faces.find import Measured, find_measured
from mien.faces.one_photo import Painter, Photo, face_of
from mien.faces.shape import NAME as SHAPE
from mien.faces.shape import face_shape
from mien.models.one_photo import OnePhoto
from mien.runtime import Runtime
from mien.tasks.swap.convert import Followed, Seen, Swapping
from mien.weights import card

AHEAD = 250
"""Frames of a video in which the face that is meant has to appear first."""


@dataclass(frozen=True)
class Meant:
    """Which faces."""

    number: int = 1
    """Counted from the largest, if nothing else is said."""
    like: Path | None = None
    """The person of this photo."""
    everyone: bool = False
    threshold: float = 0.6
    """How near a face must be to whom is meant, by dlib's network."""


class QuickSwapper(Swapping):
    """The person of one photo drawn over the faces that are meant."""

    def __init__(self, photo: Path, net: OnePhoto, runtime: Runtime, meant: Meant, blend: Blend | None = None, smooth: float = 1.0,
                 consent: str = "", eyes: str = "photo") -> None:
        """`eyes`: whose, "photo" or "frame". ValueError where the photo, or that of `meant.like`, does not show one person."""
        self.to, self.method, self.consent = photo.stem, "mien-swap-quick", consent
        self.meant, self.blend = meant, blend or Blend()
        image = read_picture(photo)
        landmarks = face_of(image, str(photo)).face.landmarks
        seen = Photo.of(image, landmarks, Describer(runtime.device, model="mien-face"), runtime.device)
        self.painter = Painter(seen, net, runtime, eyes=eyes, shape=face_shape())
        self._describer: Describer | None = None
        self._device = runtime.device
        self._wanted = self._described(meant.like) if meant.like else None
        super().__init__(smooth)

    @property
    def describer(self) -> Describer:  # pyright: ignore[reportIncompatibleVariableOverride]
        """dlib's, read only where faces have to be told apart."""
        if self._describer is None:
            self._describer = Describer(self._device)
        return self._describer

    def _described(self, like: Path) -> np.ndarray:
        image = read_picture(like)
        return self.describer(image, face_of(image, str(like)).face.landmarks[None])[0]

    def meet(self, source: Path) -> None:
        """Find the face that is meant, where that is a matter of size, in the first frame with so many faces."""
        if self.meant.everyone or self.meant.like:
            return
        self._wanted = None
        for frame in read_video(source):
            faces = find_measured(frame.image, thorough=frame.index == 0)
            if len(faces) >= self.meant.number:
                face = faces[self.meant.number - 1].face
                self._wanted = self.describer(frame.image, face.landmarks[None])[0]
                return
            if frame.index >= AHEAD:
                return

    def fingerprint(self) -> str:
        """The photo, whom is meant, and the weights."""
        digest = hashlib.sha256(self.painter.photos[0].crop.cpu().numpy().tobytes())
        digest.update((card(self.method).sha256 + card(SHAPE).sha256 + repr((self.meant, self.painter.kept))).encode())
        return digest.hexdigest()

    def refused(self, source: Path, nearest: float) -> str:
        """What was asked for and not there."""
        if self.meant.like:
            near = f" (nearest distance {nearest:.2f}, threshold {self.meant.threshold:g})" if nearest < float("inf") else ""
            return f"no face in {source} is like {self.meant.like}{near}: --everyone swaps every face"
        return f"{source} shows fewer than {self.meant.number} faces"

    def _meant(self, image: np.ndarray, faces: list[Measured]) -> list[Seen]:
        if self.meant.like and faces:
            vectors = self.describer(image, np.array([f.face.landmarks for f in faces]))
            seen = [self._decide(f, v) for f, v in zip(faces, vectors, strict=True)]
            nearest = min(seen, key=lambda s: s.distance)  # one photo, one face of a person
            return [replace(s, swap=s.swap and s is nearest) for s in seen]
        return [Seen(f, "", float("inf"), self.meant.everyone or i == self.meant.number - 1) for i, f in enumerate(faces)]

    def _looks(self, track: Followed) -> bool:
        return not self.meant.everyone and super()._looks(track)

    def _decide(self, face: Measured, vector: np.ndarray) -> Seen:
        if self.meant.everyone:
            return Seen(face, "", float("inf"), True)
        if self._wanted is None:
            return Seen(face, "", float("inf"), False)
        distance = float(np.linalg.norm(self._wanted - vector))
        return Seen(face, "", distance, distance < self.meant.threshold)

    def _swap(self, image: np.ndarray, landmarks: np.ndarray, track: Followed | None) -> np.ndarray:
        painted = self.painter(image, landmarks, track.state if track else None, self.blend.colour == "match")
        if track:
            track.state = painted.state
        return paste(image, painted.face, painted.matrix, landmarks, self.blend, painted.weight)
