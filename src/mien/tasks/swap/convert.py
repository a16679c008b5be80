"""Swap the faces of pictures and of a video's frames: find, decide whose face it is, draw, blend."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mien.data.warp import scale_of
from mien.faces.align import align
from mien.faces.blend import Blend, Tone, paste, recolour, skin_weight, tone
from mien.faces.describe import Describer
from mien.faces.enhance import WORTH, Enhancer
from mien.faces.find import Measured, find_measured
from mien.faces.follow import Follower
from mien.faces.mask import face_mask
from mien.models.swap_model import SwapModel
from mien.runtime import Runtime, with_parity
from mien.tasks.swap.steady import Steady

LOOKS = 5
"""How many frames of a track are looked at to decide whose face it is,"""
APART = 12
"""and how many frames lie between them."""


@dataclass(frozen=True)
class Seen:
    """A face, whose it is, and whether it is to be swapped."""

    face: Measured
    nearest: str
    distance: float
    swap: bool


class Drawer:
    """Faces in, faces of one person out."""

    def __init__(self, model: SwapModel, to: str, runtime: Runtime) -> None:
        net = model.net.to(runtime.device).to(memory_format=torch.channels_last).eval()  # pyright: ignore[reportCallIssue]
        sample = torch.rand(1, 3, net.size, net.size)
        with torch.inference_mode():
            self.runtime = with_parity(runtime, lambda x: net(x, to), sample, 4 / 255)
        self.net, self.to, self.size = net, to, net.size

    @torch.inference_mode()
    def __call__(self, faces: np.ndarray, to: str | None = None) -> np.ndarray:
        """(N, S, S, 3) uint8 aligned windows -> the same, drawn as the person."""
        x = torch.from_numpy(faces.copy()).permute(0, 3, 1, 2).to(self.runtime.device).float() / 255
        with self.runtime.autocast():
            y = self.net(x.contiguous(memory_format=torch.channels_last), to or self.to).float()
        return (y.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


@dataclass
class Followed:
    """What is remembered of one followed face."""

    steady: Steady
    looks: list[np.ndarray] = field(default_factory=list)
    last_look: int = -APART
    have: Tone | None = None
    want: Tone | None = None
    state: Any = None
    """Whatever else one frame leaves to the next."""


class Swapping:
    """`photo(image)` for pictures; `frame(image)` for each frame of one video in order, after `begin()`."""

    to: str
    """Whom is drawn,"""
    method: str
    """by what,"""
    consent: str
    """and who agreed to it."""
    describer: Describer
    """Says whose a followed face is."""

    def __init__(self, smooth: float) -> None:
        self.smooth = smooth
        self.seen: list[Seen] = []
        """The faces of the last picture or frame."""
        self.begin()

    def begin(self, fps: float = 25.0) -> None:
        """Forget the video before."""
        self._follower, self._tracks, self._frame, self._fps = Follower(), {}, 0, fps

    def meet(self, source: Path) -> None:
        """Before a video's first frame: whatever has to be known of the whole."""

    def fingerprint(self) -> str:
        """What a half-finished video was made with: another one starts anew."""
        raise NotImplementedError

    def refused(self, source: Path, nearest: float) -> str:
        """In words why none of the faces in `source` was swapped, the nearest being that far from anybody who was meant."""
        raise NotImplementedError

    def photo(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> the same with the faces swapped."""
        faces = find_measured(image)
        self.seen = self._meant(image, faces)
        for seen in self.seen:
            if seen.swap:
                image = self._swap(image, seen.face.face.landmarks, None)
        return image

    def frame(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8, the next frame -> the same with the faces swapped."""
        self.seen = []
        result = image
        for number, face in self._follower.step(image):
            track = self._tracks.setdefault(number, Followed(Steady(self._fps, self.smooth)))
            points = track.steady(face.face.landmarks)
            if self._looks(track):
                track.looks.append(self.describer(image, face.face.landmarks[None])[0])
                track.last_look = self._frame
            self.seen.append(seen := self._decide(face, np.mean(track.looks, axis=0) if track.looks else np.zeros(0)))
            if seen.swap:
                result = self._swap(result, points, track)
        self._frame += 1
        return result

    def _looks(self, track: Followed) -> bool:
        """Whether a followed face is to be described in this frame."""
        return len(track.looks) < LOOKS and self._frame - track.last_look >= APART

    def _meant(self, image: np.ndarray, faces: list[Measured]) -> list[Seen]:
        """Which of a photo's faces are to be swapped."""
        raise NotImplementedError

    def _decide(self, face: Measured, vector: np.ndarray) -> Seen:
        """Whether a face with this mean vector is to be swapped."""
        raise NotImplementedError

    def _swap(self, image: np.ndarray, landmarks: np.ndarray, track: Followed | None) -> np.ndarray:
        """(H, W, 3) uint8 with one face swapped; `track` of a video's face."""
        raise NotImplementedError


class Swapper(Swapping):
    """By a trained model: the faces of the people it knows become the face of one of them."""

    def __init__(self, model: SwapModel, to: str, runtime: Runtime, blend: Blend | None = None, everyone: bool = False,
                 threshold: float = 0.6, smooth: float = 1.0, enhancer: Enhancer | None = None) -> None:
        """`everyone` swaps every face; else those nearer than `threshold` to one of the model's other people.

        enhancer: doubles drawn faces that are smaller than those they are put in place of.
        """
        self.enhancer = enhancer
        self.model, self.to, self.everyone, self.threshold = model, to, everyone, threshold
        self.method, self.consent = f"mien swap {model.network}", str(model.record.get("consent", ""))
        self.blend = blend or Blend()
        self.draw = Drawer(model, to, runtime)
        self.describer = Describer(runtime.device)
        super().__init__(smooth)

    def fingerprint(self) -> str:
        """A hash of the weights."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.net.state_dict().items()):
            digest.update(name.encode() + np.ascontiguousarray(value.cpu().float().numpy()).tobytes())
        return digest.hexdigest()

    def refused(self, source: Path, nearest: float) -> str:
        """Whom the model knows, and how to swap everybody."""
        known = " or ".join(p for p in self.model.people if p != self.to) or "anybody else"
        near = f" (nearest distance {nearest:.2f}, threshold {self.threshold:g})" if nearest < float("inf") else ""
        return f"no face in {source} is {known}{near}: --everyone swaps every face"

    def _decide(self, face: Measured, vector: np.ndarray) -> Seen:
        names = list(self.model.people)
        distances = np.linalg.norm(self.model.centres() - vector, axis=1)
        best = int(distances.argmin())
        known = names[best] != self.to and distances[best] < self.threshold
        return Seen(face, names[best], float(distances[best]), self.everyone or bool(known))

    def _meant(self, image: np.ndarray, faces: list[Measured]) -> list[Seen]:
        vectors = self.describer(image, np.array([f.face.landmarks for f in faces])) if faces else []
        seen = [self._decide(f, v) for f, v in zip(faces, vectors, strict=True)]
        if self.everyone is False and len(self.model.people) == 1 and len(faces) == 1:
            return [Seen(s.face, s.nearest, s.distance, True) for s in seen]
        return seen

    def _swap(self, image: np.ndarray, landmarks: np.ndarray, track: Followed | None) -> np.ndarray:
        drawn, matrix, weight = self.drawn(image, landmarks, track)
        return paste(image, drawn, matrix, landmarks, self.blend, weight)

    def drawn(self, image: np.ndarray, landmarks: np.ndarray,
              track: Followed | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """What is pasted: a face (T, T, 3) in the tones of its place, the (2, 3) matrix there, and the weight of each pixel (T, T)."""
        window, matrix = align(image, landmarks, self.draw.size)
        drawn = self.draw(window[None])[0]
        points = landmarks @ matrix[:, :2].T + matrix[:, 2]
        if self.blend.colour == "match":
            mask = face_mask(points, (self.draw.size, self.draw.size), 0.0)
            have, want = tone(drawn, mask), tone(window, mask)
            if track is not None:  # a tenth a frame: light may change, but must not flicker
                have = track.have.mix(have, 0.1) if track.have else have
                want = track.want.mix(want, 0.1) if track.want else want
                track.have, track.want = have, want
            drawn = recolour(drawn, have, want)
        weight = skin_weight(drawn, window, points)
        if self.enhancer is not None and scale_of(matrix) * WORTH < 1:
            drawn, matrix = self.enhancer.enlarged(drawn, 2), 2 * matrix
            weight = np.asarray(Image.fromarray(weight).resize(drawn.shape[1::-1], Image.Resampling.BILINEAR))
        return drawn, matrix, weight
