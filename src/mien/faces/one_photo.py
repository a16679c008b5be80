"""One photo's person drawn over faces of any size: by mien's network, or warped and blended alone, which it has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mien.data.warp import scale_of
from mien.faces.align import COVER, align, alignment
from mien.faces.bending import EYES, MOUTH, Tones, bent, mirrored_points, openings, region, softened, toned, tones, window_points
from mien.faces.describe import Describer
from mien.faces.find import Measured, find_measured
from mien.faces.shape import FaceShape, moved
from mien.faces.sides import bent_both
from mien.models.one_photo import SIZE, OnePhoto, compose
from mien.runtime import Runtime
from mien.weights import load

NAME = "mien-swap-quick"
SIZES = (128, 192, 256, 384, 512)
"""Pixels a side at which a face may be put together; the network always sees 128."""
STEADY = 0.1
"""How much of a frame's tone and proportions is taken over: light may change, but must not flicker, nor a face tremble."""
SOFT = 0.8
"""Pixels of the network's window over which the photo's lips and lids give way to the frame's mouth and eyes."""
CLEARLY = 0.8
"""The mirrored photo is taken where its points lie nearer by this factor."""


@dataclass(frozen=True)
class Photo:
    """The photo's face."""

    crop: Tensor
    """(1, 3, H, H) in 0..1, spans `COVER` windows."""
    points: Tensor
    """(1, 77, 2) in windows."""
    who: Tensor
    """(1, 128) of mien's own face network."""

    @property
    def mirrored(self) -> Photo:
        """As a mirror shows it: for faces that look the other way."""
        return Photo(self.crop.flip(3), mirrored_points(self.points), self.who)

    @staticmethod
    def of(image: np.ndarray, landmarks: np.ndarray, describer: Describer, device: torch.device | str = "cpu") -> Photo:
        """(H, W, 3) uint8 and the face's (68, 2); `describer` is of mien's own network."""
        native = SIZE / scale_of(alignment(landmarks, SIZE))
        side = round(COVER * min(max(native, SIZE), SIZES[-1]))
        crop, _ = align(image, landmarks, side, COVER)
        points = window_points(landmarks, alignment(landmarks, 1), 1)
        who = describer(image, landmarks[None])
        return Photo(pixels(crop, device), torch.from_numpy(points)[None].to(device), torch.from_numpy(who).to(device))


def pixels(image: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """(H, W, C) uint8 -> (1, C, H, W) in 0..1."""
    return torch.from_numpy(np.array(image, order="C")).permute(2, 0, 1)[None].to(device).float() / 255


def picture(x: Tensor) -> np.ndarray:
    """(1, C, H, W) in 0..1 -> (H, W, C) uint8."""
    return (x[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def network() -> OnePhoto:
    """Mien's own, with its bundled weights."""
    net = OnePhoto()
    net.load_state_dict({name: value.float() for name, value in load(NAME).items()})
    return net.eval()


def side_for(landmarks: np.ndarray, largest: int = SIZES[-1]) -> int:
    """Pixels a side at which this face is put together: as many as the picture has of it, within `SIZES`."""
    native = SIZE / scale_of(alignment(landmarks, SIZE))
    return next((s for s in SIZES if s >= min(0.9 * native, largest)), SIZES[-1])


@dataclass(frozen=True)
class State:
    """What one frame leaves to the next."""

    want: Tones
    """The frame's tone, as used."""
    mirrored: bool
    """Whether the photo was mirrored."""
    theirs: Tensor | None
    """(1, 77, 2): the proportions of the frame's person, as used."""


@dataclass(frozen=True)
class Painted:
    """A face to be pasted."""

    face: np.ndarray
    """(T, T, 3) uint8."""
    weight: np.ndarray
    """(T, T) uint8, 255 where it counts in full."""
    matrix: np.ndarray
    """(2, 3), from the picture to the window of T pixels."""
    state: State
    """For the next frame."""


class Painter:
    """`painter(image, landmarks)` draws the photo's person; `net` None: warp and blend alone."""

    def __init__(self, photo: Photo, net: OnePhoto | None, runtime: Runtime, largest: int = SIZES[-1], mirror: bool = True,
                 eyes: str = "photo", shape: FaceShape | None = None) -> None:
        """`largest`: pixels a side at most; `mirror`: whether the photo may be mirrored, whole or where it is stretched; `eyes`:
        whose, "photo" or "frame"; `shape` gives the face the photo's proportions, without it it keeps the frame's.
        """
        self.kept = (*MOUTH, *EYES) if eyes == "frame" else MOUTH
        self.photos, self.net, self.runtime, self.largest, self.mirror = (photo, photo.mirrored), net, runtime, largest, mirror
        self.shape = shape.to(runtime.device) if shape else None
        if net is not None:
            net.to(runtime.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @torch.inference_mode()
    def __call__(self, image: np.ndarray, landmarks: np.ndarray, before: State | None = None, match: bool = True) -> Painted:
        """(H, W, 3) uint8 and (68, 2); `before`: of the frame before; `match`: take the frame's colours over."""
        device, side = self.runtime.device, side_for(landmarks, self.largest)
        window, matrix = align(image, landmarks, side)
        marks = window_points(landmarks, matrix, side)
        frame, points = pixels(window, device), torch.from_numpy(marks)[None].to(device)
        mask = pixels(region(marks, side)[..., None], device)
        mirrored = self._mirrored(points, before)
        photo = self.photos[mirrored]
        inside, theirs = self._reshaped(points, photo, before)
        over = self._over(photo, inside, side)
        shown = frame if theirs is None else bent(frame, points, inside, side, sharp=True)
        seen = [x if side == SIZE else F.interpolate(x, size=(SIZE, SIZE), mode="area") for x in (shown, over, mask)]
        have, want = tones(seen[1], seen[2]), tones(seen[0], seen[2])
        want = before.want.mix(want, STEADY) if before else want
        if match:
            over, seen[1] = toned(over, have, want), toned(seen[1], have, want)
        face, change = self._drawn(shown, over, seen, photo.who)
        if self.net is not None:  # what is said, if wanted where somebody looks, too, is the frame's own
            opened = pixels(openings(inside[0].cpu().numpy(), side, self.kept, 1.0)[..., None], device)
            kept = softened(opened, SOFT * side / SIZE)
            face, change = torch.lerp(face, shown, kept), torch.maximum(change, kept) if theirs is not None else change * (1 - kept)
        return Painted(picture(face), picture(change)[..., 0], matrix, State(want, mirrored, theirs))

    def _over(self, photo: Photo, inside: Tensor, side: int) -> Tensor:
        """(1, 3, T, T): the photo bent to these points (1, 77, 2)."""
        if self.mirror:
            return bent_both(photo.crop, photo.points, inside, side, COVER)
        return bent(photo.crop, photo.points, inside, side, COVER, sharp=True)

    def _reshaped(self, points: Tensor, photo: Photo, before: State | None) -> tuple[Tensor, Tensor | None]:
        """(1, 77, 2) of the frame -> the same with the photo's proportions, and the frame's person's as they were found."""
        if self.shape is None:
            return points, None
        theirs = self.shape(points)
        if before is not None and before.theirs is not None:
            theirs = before.theirs.lerp(theirs, STEADY)
        return moved(points, theirs, self.shape(photo.points)), theirs

    def _drawn(self, frame: Tensor, over: Tensor, seen: list[Tensor], who: Tensor) -> tuple[Tensor, Tensor]:
        """Frame and bent photo (1, 3, T, T), both and the mask as the network sees them -> face and where it counts."""
        if self.net is None:
            return over, torch.ones_like(over[:, :1])
        small = [x.contiguous(memory_format=torch.channels_last) for x in seen[:2]]
        with self.runtime.autocast():
            raw = self.net(*small, softened(seen[2], 1.5), who).float()
        return compose(frame, over, torch.ones_like(frame[:, :1]), raw)

    def _mirrored(self, points: Tensor, before: State | None) -> bool:
        """Whether the mirrored photo holds the head more like (1, 77, 2); a video changes only where it does so clearly."""
        if not self.mirror:
            return False
        straight, mirrored = (float((photo.points - points).abs().mean()) for photo in self.photos)
        if before is not None:
            straight, mirrored = (straight * CLEARLY, mirrored) if not before.mirrored else (straight, mirrored * CLEARLY)
            return mirrored < straight
        return mirrored < CLEARLY * straight


def face_of(image: np.ndarray, name: str) -> Measured:
    """The one face of a photo; ValueError where there is none, or a second one about as large."""
    faces = find_measured(image)
    if not faces:
        raise ValueError(f"no face was found in {name}: expected a photo of one person")
    near = [f for f in faces[1:] if f.face.size > 0.6 * faces[0].face.size]
    if near:
        raise ValueError(f"{name} shows {len(near) + 1} faces of much the same size: cut out the one that is meant")
    return faces[0]
