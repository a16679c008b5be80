"""How good is a swap from one photo, on people no network here has seen; for the network and for warping and blending alone.

A frame is swapped and blended as a user would get it, and the face is found in it anew. Retrieval: its vector by dlib's network, which
neither drew nor taught, is nearer to the photo's person than to anybody else enrolled, the frame's own person included. Expression and
pose as in `mien.tasks.swap.score`; sharpness: mean gradient inside the face in the aligned 128-px window, in % of the frame's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.data.warp import transform
from mien.faces.align import align
from mien.faces.blend import Blend, paste
from mien.faces.describe import Describer
from mien.faces.mask import face_mask
from mien.faces.one_photo import Painted
from mien.tasks.swap.flicker import Flicker
from mien.tasks.swap.score import Look, again, landmark_errors
from mien.tasks.swap.steady import Steady

FPS = 25.0
"""Of the videos, for the smoothing of landmarks."""


@dataclass(frozen=True)
class Score:
    """Of one method; means over frames."""

    retrieval: float
    """Share of swapped faces whose nearest enrolled person is the photo's."""
    margin: float
    """Distance to the frame's own person less that to the photo's; positive is good."""
    expression_error: float
    pose_error: float
    flicker: float
    sharpness: float
    frames: int
    lost: int
    """Frames in which no face was found after the swap; they count as not retrieved."""


@dataclass(frozen=True)
class Enrolled:
    """Everybody a swapped face may be taken for."""

    names: list[str]
    vectors: np.ndarray
    """(N, 128) by dlib's network."""

    def nearest(self, vector: np.ndarray) -> str:
        """Whose vector is nearest."""
        return self.names[int(np.linalg.norm(self.vectors - vector, axis=1).argmin())]

    def distance(self, vector: np.ndarray, name: str) -> float:
        """To somebody."""
        return float(np.linalg.norm(self.vectors[self.names.index(name)] - vector))


@dataclass(frozen=True)
class Task:
    """Frames of one person, to be given another's face."""

    painter: Callable[[np.ndarray, np.ndarray, Any], Painted]
    """A picture, the (68, 2) of its face, and what the frame before left -> the face to paste."""
    shown: Sequence[Look]
    source: str
    target: str


def sharpness(image: np.ndarray, landmarks: np.ndarray) -> float:
    """Mean absolute gradient inside the face, grey levels a pixel of the aligned window."""
    window, matrix = align(image, landmarks, 128)
    inside = face_mask(transform(matrix, landmarks), (128, 128))[1:, 1:] > 127
    grey = window.mean(2)
    gradient = np.abs(np.diff(grey, axis=0))[:, 1:] + np.abs(np.diff(grey, axis=1))[1:]
    return float(gradient[inside].mean())


def swapped(task: Task, blend: Blend | None = None) -> list[np.ndarray]:
    """The frames with the face swapped; tones follow from frame to frame of a video."""
    out, state, steady = [], None, Steady(FPS)
    for look in task.shown:
        if not look.follows:
            state, steady = None, Steady(FPS)
        landmarks = steady(look.face.face.landmarks)
        painted = task.painter(look.image, landmarks, state)
        state = painted.state
        out.append(paste(look.image, painted.face, painted.matrix, landmarks, blend or Blend(), painted.weight))
    return out


def score(tasks: Sequence[Task], enrolled: Enrolled, describer: Describer) -> Score:
    """All tasks together; expression and pose are averaged over tasks, since each stands for one pair of people."""
    hits, margins, sharp, errors, lost, frames, flicker = [], [], [], [], 0, 0, Flicker()
    for task in tasks:
        before, after = [], []
        for look, result in zip(task.shown, swapped(task), strict=True):
            frames += 1
            if not look.follows:
                flicker.cut()
            flicker.see(look.image, result, look.face.face.landmarks)
            face = again(result, look.face)
            if face is None:
                lost += 1
                hits.append(False)
                continue
            vector = describer(result, face.face.landmarks[None])[0]
            hits.append(enrolled.nearest(vector) == task.target)
            margins.append(enrolled.distance(vector, task.source) - enrolled.distance(vector, task.target))
            sharp.append(sharpness(result, look.face.face.landmarks) / sharpness(look.image, look.face.face.landmarks))
            before.append(look.face.face.landmarks)
            after.append(face.face.landmarks)
        if len(before) > 1:
            errors.append(landmark_errors(np.array(before), np.array(after)))
    expression, pose = np.mean(errors, axis=0) if errors else (float("nan"), float("nan"))
    return Score(round(float(np.mean(hits)), 4), round(float(np.mean(margins)), 4), round(float(expression), 2), round(float(pose), 2),
                 round(flicker.mean, 3), round(100 * float(np.mean(sharp)), 1), frames, lost)
