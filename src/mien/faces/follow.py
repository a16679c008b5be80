"""Follow faces through a video: the mesh of one frame is where the next frame looks first."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mien.faces import blaze, find
from mien.faces.find import Measured, measured, settle
from mien.faces.mesh import around_mesh
from mien.metrics.flicker import CUT


def glance(image: np.ndarray) -> list[Measured]:
    """The packaged detectors' quick look."""
    return find.find_measured(image, thorough=False)


@dataclass
class Track:
    """One face from frame to frame."""

    number: int
    last: Measured


@dataclass
class Follower:
    """`step(image)` for each frame in order; a new `Follower` for each video."""

    detect_every: int = 3
    tracks: list[Track] = field(default_factory=list)
    begun: int = 0
    """How many tracks there were so far; the next one gets this number."""
    _frame: int = 0
    _thumb: np.ndarray | None = None
    look: Callable[[np.ndarray], list[Measured]] = glance
    """Finds faces in a frame; `dump` does not keep it."""

    def step(self, image: np.ndarray) -> list[tuple[int, Measured]]:
        """(H, W, 3) uint8 -> (track number, face) for every face in this frame, largest first."""
        if self._cut(image):
            self.tracks = []
        followed = []
        for track in self.tracks:
            points, present = settle(image, around_mesh(track.last.mesh), rounds=1)
            if present >= find.PRESENT and _plausible(points, track.last.mesh):
                track.last = measured(points, present)
                followed.append(track)
        lost = len(followed) < len(self.tracks)
        self.tracks = _apart(followed)
        if lost or not self.tracks or self._frame % self.detect_every == 0:
            self._admit(self.look(image))
        self._frame += 1
        return sorted(((t.number, t.last) for t in self.tracks), key=lambda pair: -pair[1].face.size)

    def dump(self) -> bytes:
        """Where it stands; `load` goes on from there as if nothing had come between."""
        file = io.BytesIO()
        np.savez(
            file,
            numbers=np.array([t.number for t in self.tracks], int),
            meshes=np.array([t.last.mesh for t in self.tracks], np.float32),
            scores=np.array([t.last.face.score for t in self.tracks], float),
            counts=np.array([self.detect_every, self.begun, self._frame]),
            thumb=np.zeros(0, np.float32) if self._thumb is None else self._thumb,
        )
        return file.getvalue()

    @classmethod
    def load(cls, state: bytes) -> Follower:
        """What `dump` gave."""
        with np.load(io.BytesIO(state)) as kept:
            rows = zip(kept["numbers"].tolist(), kept["meshes"], kept["scores"].tolist(), strict=True)
            tracks = [Track(number, measured(mesh, score)) for number, mesh, score in rows]
            every, begun, frame = kept["counts"].tolist()
            return cls(every, tracks, begun, frame, kept["thumb"] if kept["thumb"].size else None)

    def _admit(self, faces: list[Measured]) -> None:
        known = np.array([t.last.face.box for t in self.tracks]).reshape(-1, 4)
        for face in faces:
            if not len(known) or blaze.overlap(np.array([face.face.box]), known).max() < 0.3:
                self.tracks.append(Track(self.begun, face))
                self.begun += 1

    def _cut(self, image: np.ndarray) -> bool:
        step = max(min(image.shape[:2]) // 32, 1)
        thumb = image[::step, ::step].astype(np.float32)
        before, self._thumb = self._thumb, thumb
        return before is not None and (before.shape != thumb.shape or float(np.abs(thumb - before).mean()) > CUT)


def _plausible(points: np.ndarray, before: np.ndarray) -> bool:
    """A face does not jump by half its size, nor change its size by a third, within a frame."""
    points, before = points[:, :2], before[:, :2]
    size, was = np.ptp(points, axis=0).max(), np.ptp(before, axis=0).max()
    return bool(np.linalg.norm(points.mean(0) - before.mean(0)) < was / 2 and 0.7 < size / was < 1.4)


def _apart(tracks: list[Track]) -> list[Track]:
    """Two tracks on one face: the older stays."""
    kept: list[Track] = []
    for track in tracks:
        boxes = np.array([t.last.face.box for t in kept]).reshape(-1, 4)
        if not kept or blaze.overlap(np.array([track.last.face.box]), boxes).max() < 0.5:
            kept.append(track)
    return kept
