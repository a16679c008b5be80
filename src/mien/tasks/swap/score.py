"""How good is a swap: the same frames and the same protocol for any model.

For each frame of a person, inside the face's outline in the aligned 128-px window, or a larger one where the network draws larger (a
network's smaller window is enlarged bicubically): SSIM (11 x 11 Gaussian, RGB) and PSNR of the face restored by its own decoder. Then
the frame is swapped and blended as a user would get it, faces are found in it anew, and compared with the frame before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mien.data.pictures import read_picture
from mien.data.sources import find_sources
from mien.data.video import read_video
from mien.faces.align import STABLE, align, alignment
from mien.faces.extract import Span
from mien.faces.find import Measured, find_measured
from mien.faces.follow import Follower
from mien.faces.mask import face_mask
from mien.metrics.similarity import psnr, ssim
from mien.tasks.swap.convert import Drawer, Swapper
from mien.tasks.swap.flicker import Flicker

SIDE = 128
"""Pixels a side of the window in which a restored face is compared, at least."""
EXPRESSIVE = np.r_[17:27, 36:68]
"""Brows, eyes and mouth."""


@dataclass(frozen=True)
class Restored:
    """A person drawn by the person's own decoder."""

    ssim: float
    psnr: float
    frames: int


@dataclass(frozen=True)
class Swapped:
    """One person's frames with the other's face."""

    identity_transfer: float
    """Share of swapped faces nearer to the target person than to the source, by embedding."""
    identity_margin: float
    """Mean of (distance to the source - distance to the target); positive is good."""
    expression_error: float
    """% of the distance between the outer eye corners: brows, eyes and mouth, each relative to its own mean over the frames."""
    pose_error: float
    """% of the same: how far eyes and nose moved as a whole."""
    flicker: float
    """Grey levels: mean change from frame to frame inside the face that the video did not have before."""
    frames: int
    lost: int
    """Frames in which no face was found after the swap."""


@dataclass(frozen=True)
class Look:
    """One frame of a person, and its largest face."""

    image: np.ndarray
    face: Measured
    follows: bool
    """Whether it is the next frame of the same video."""


def looks(paths: Sequence[Path], frames: str = "") -> Iterator[Look]:
    """The frames of pictures and videos that show a face."""
    span = Span.parse(frames, every=1)
    for source in find_sources(paths):
        if source.kind == "picture":
            image = read_picture(source.path)
            if found := find_measured(image):
                yield Look(image, found[0], False)
            continue
        follower, before = Follower(), -2
        for frame in read_video(source.path):
            if span.stop is not None and frame.index >= span.stop:
                break
            if frame.index >= span.start and (faces := follower.step(frame.image)):
                yield Look(frame.image, faces[0][1], frame.index == before + 1)
                before = frame.index


def restored(draw: Drawer, shown: Sequence[Look], person: str) -> Restored:
    """SSIM and PSNR of the person's own faces, in the size that the network draws, or `SIDE` if that is larger."""
    side = max(SIDE, draw.size)
    true, made, masks = [], [], []
    for look in shown:
        points = look.face.face.landmarks
        window, matrix = align(look.image, points, side)
        small = window if draw.size == side else align(look.image, points, draw.size)[0]
        drawn = Image.fromarray(draw(small[None], person)[0]).resize((side, side), Image.Resampling.BICUBIC)
        true.append(window)
        made.append(np.asarray(drawn))
        masks.append(face_mask(points @ matrix[:, :2].T + matrix[:, 2], (side, side)))
    x, y = (torch.from_numpy(np.stack(v)).permute(0, 3, 1, 2).float() / 255 for v in (made, true))
    mask = (torch.from_numpy(np.stack(masks))[:, None] > 127).float()
    return Restored(round(float(ssim(x, y, mask).mean()), 4), round(float(psnr(x, y, mask).mean()), 2), len(shown))


def again(image: np.ndarray, before: Measured) -> Measured | None:
    """The face of the swapped frame: found from nothing, not from where it was."""
    middle = before.face.landmarks.mean(0)
    near = [f for f in find_measured(image, thorough=False) or find_measured(image)
            if np.linalg.norm(f.face.landmarks.mean(0) - middle) < before.face.size / 2]
    return near[0] if near else None


def swapped(swapper: Swapper, shown: Sequence[Look], source: str, target: str) -> Swapped:
    """Swap every frame of `source` and measure what came out."""
    people = list(swapper.model.people)
    centres = swapper.model.centres()
    margins, before, after = [], [], []
    flicker, lost = Flicker(), 0
    for look in shown:
        if not look.follows:
            swapper.begin()
            flicker.cut()
        result = swapper.frame(look.image)
        flicker.see(look.image, result, look.face.face.landmarks)
        face = again(result, look.face)
        if face is None:
            lost += 1
            continue
        vector = swapper.describer(result, face.face.landmarks[None])[0]
        distances = dict(zip(people, np.linalg.norm(centres - vector, axis=1), strict=True))
        margins.append(distances[source] - distances[target])
        before.append(look.face.face.landmarks)
        after.append(face.face.landmarks)
    if not margins:
        raise ValueError(f"no face was found in the {len(shown)} swapped frames of {source}")
    expression, pose = landmark_errors(np.array(before), np.array(after))
    return Swapped(round(float(np.mean(np.array(margins) > 0)), 4), round(float(np.mean(margins)), 4), round(expression, 2),
                   round(pose, 2), round(flicker.mean, 3), len(shown), lost)


def landmark_errors(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """(N, 68, 2) twice -> (expression error, pose error) in % of the distance between the outer eye corners.

    Pose: mean shift of the points that expression moves least. Expression: points aligned to the average face, each less its
    mean over the frames, so that the two people's different proportions do not count, and a frozen face does.
    """
    eyes = np.linalg.norm(before[:, 36] - before[:, 45], axis=1)
    pose = np.linalg.norm((after - before)[:, STABLE].mean(1), axis=1) / eyes
    aligned = [_aligned(points) for points in (before, after)]
    unit = np.linalg.norm(aligned[0][:, 36] - aligned[0][:, 45], axis=1).mean()
    moves = [p - p.mean(0) for p in aligned]
    expression = np.linalg.norm((moves[1] - moves[0])[:, EXPRESSIVE], axis=2) / unit
    return float(100 * expression.mean()), float(100 * pose.mean())


def _aligned(points: np.ndarray) -> np.ndarray:
    """(N, 68, 2) -> the same in the canonical window."""
    return np.stack([p @ m[:, :2].T + m[:, 2] for p in points for m in [alignment(p, 1)]])


def share(values: Sequence[Look], most: int) -> list[Look]:
    """At most `most` of them: a run from the middle, so that neighbours stay neighbours."""
    extra = max(len(values) - most, 0) // 2
    return list(values[extra : extra + most])


