"""Who is it: a face as 128 numbers, by dlib's network (weights CC0) or mien's own, aligned as dlib aligns them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from mien.models import mien_face
from mien.models.dlib_face import SIZE, dlib_face, fold, quick
from mien.nn.fuse import fused
from mien.nn.packed import packable
from mien.types import Space
from mien.weights import card, load

SAME_PERSON = 0.6
"""Two faces nearer than this are the same person, by dlib's own choice on LFW."""
PADDING = 0.25
"""The share of the mean shape's width that the chip shows on every side of it."""
POINTS = (*range(27, 55), *range(60, 65))
"""Nose, eyes and mouth without the lower lip: what brows and speech move least (dlib's choice)."""
# Where those points are on the mean face, in a unit square: facts that dlib's network was trained with, published in
# dlib/image_transforms/interpolation.h, get_face_chip_details (Boost Software License 1.0).
MEAN_X = (0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373,
          0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516,
          0.79751, 0.719335, 0.254149, 0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104,
          0.290379, 0.428096, 0.490127, 0.552157, 0.689874)  # fmt: skip
MEAN_Y = (0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326,
          0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423,
          0.244077, 0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233,
          0.784792, 0.778746, 0.785343, 0.778746, 0.784792)  # fmt: skip


def placement(landmarks: np.ndarray, size: int = SIZE, padding: float = PADDING) -> tuple[np.ndarray, np.ndarray]:
    """Where each chip lies in its picture: landmarks (N, 68, 2) in pixels -> centre (N,) and step (N,), both complex.

    Chip pixel (u, v) shows the picture at centre + step * ((u + iv) - (size - 1)(1 + i) / 2); |step| is picture pixels
    a chip pixel, its angle the turn. In the plane the best similarity (Umeyama 1991) is one complex regression.
    """
    to = landmarks[:, POINTS, 0] + 1j * landmarks[:, POINTS, 1].astype(np.float64)
    unit = np.array(MEAN_X) + 1j * np.array(MEAN_Y)
    at = (unit + padding * (1 + 1j)) / (2 * padding + 1) * size
    spread = at - at.mean()
    turn = (to - to.mean(1, keepdims=True)) @ spread.conj() / np.vdot(spread, spread).real
    centre = to.mean(1) + turn * (size / 2 * (1 + 1j) - at.mean())
    # dlib spans the chip from the first to the last pixel's centre, not from edge to edge
    length = np.abs(turn)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise ValueError("landmarks hold no face: expected finite points that do not all coincide")
    return centre, turn / length * (size * length - 1) / (size - 1)


def chips(image: np.ndarray, landmarks: np.ndarray, size: int = SIZE, padding: float = PADDING) -> Tensor:
    """(H, W, 3) uint8 RGB and (N, 68, 2) pixels -> (N, 3, size, size) float32 in 0..1, upright.

    Black outside the picture. Bilinear, after shrinking by area where a chip pixel covers two or more picture pixels.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"found a picture of {image.shape} {image.dtype}; expected (H, W, 3) uint8 RGB")
    if landmarks.ndim != 3 or landmarks.shape[1:] != (68, 2):
        raise ValueError(f"found landmarks of {landmarks.shape}; expected (N, 68, 2)")
    centre, step = placement(landmarks, size, padding)
    ramp = np.arange(size) - (size - 1) / 2
    grid = ramp[None, :] + 1j * ramp[:, None]
    out = [_sample(image, c + s * grid, int(abs(s))) for c, s in zip(centre, step, strict=True)]
    return torch.stack(out) if out else torch.zeros(0, 3, size, size)


def _sample(image: np.ndarray, at: np.ndarray, shrink: int) -> Tensor:
    """(H, W, 3) uint8 at complex positions (h, w) -> (3, h, w) in 0..1; touches only the pixels it needs."""
    height, width = image.shape[:2]
    shrink = max(shrink, 1)
    x, y = np.real(at), np.imag(at)
    left, top = (max(math.floor(part.min()) - shrink, 0) for part in (x, y))
    right, bottom = (min(math.ceil(part.max()) + shrink + 1, end) for part, end in ((x, width), (y, height)))
    if left >= right or top >= bottom:
        return torch.zeros(3, *at.shape)
    crop = torch.from_numpy(np.ascontiguousarray(image[top:bottom, left:right])).permute(2, 0, 1)[None].float() / 255
    if shrink > 1:
        crop = F.avg_pool2d(crop, shrink, ceil_mode=True, count_include_pad=False)
    # -1..1 from edge to edge: a pixel's centre lies half a pixel inside; a shrunk crop's last pixel may reach over
    scale = 2 / (shrink * np.array([crop.shape[3], crop.shape[2]]))
    corner = np.array([left - 0.5, top - 0.5])
    grid = torch.from_numpy(((np.stack([x, y], -1) - corner) * scale - 1).astype(np.float32))[None]
    return F.grid_sample(crop, grid, "bilinear", "zeros", align_corners=False)[0]


def _dlib() -> nn.Module:
    network = dlib_face()
    network.load_state_dict(fold(load("dlib-face")))
    return network.eval()


def _own() -> nn.Module:
    network = mien_face.mien_face()
    network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in load("mien-face").items()})
    return fused(network.eval())


@dataclass(frozen=True)
class Embedder:
    """A face network with its weights, and the chip it wants."""

    build: Callable[[], nn.Module]
    """The network in eval mode: (B, 3, size, size) in 0..1 -> (B, numbers)."""
    size: int
    same: float
    """Two of its vectors nearer than this are taken for one person where nobody asks for an error rate: about 1 false match in 100."""
    numbers: int = 128
    quick: Callable[[nn.Module], nn.Module] | None = None
    """That network for inference in float32 on a CPU."""


MODELS = {
    "dlib-face": Embedder(_dlib, SIZE, SAME_PERSON, quick=quick),
    "mien-face": Embedder(_own, mien_face.SIZE, 0.44, mien_face.NUMBERS),
}
ALIGNER = "face-mesh 468 to 68 points, 33 of them to dlib's mean face, padding 0.25, version 1"
"""Goes into every gallery: change it whenever the same photo would give other chips."""


def space(model: str) -> Space:
    """What vectors of `model` may be compared with. ValueError for a network that describes no faces."""
    if model not in MODELS:
        raise ValueError(f"{model!r} is no face network; known: {', '.join(MODELS)}")
    wanted = MODELS[model]
    return Space(model, card(model).sha256, ALIGNER, f"RGB in 0..1, {wanted.size} pixels", wanted.numbers)


class Describer:
    """A face network, loaded once. bfloat16 moves distances by less than 0.01; float32 gives dlib's own vectors."""

    def __init__(
        self, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32, batch: int = 32, model: str = "dlib-face"
    ) -> None:
        """`batch`: faces computed at once; `model`: a key of `MODELS`. The weights are fetched on first use."""
        self.space = space(model)
        self.size, self.device, self.dtype, self.batch = MODELS[model].size, torch.device(device), dtype, batch
        self.network = MODELS[model].build().requires_grad_(False).to(self.device, dtype)
        convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self._run, packed = self.network, MODELS[model].quick
        if packed and self.device.type == "cpu" and dtype == torch.float32 and packable():
            self._run = packed(self.network)

    @torch.inference_mode()
    def vectors(self, faces: Tensor) -> np.ndarray:
        """(N, 3, size, size) chips in 0..1 -> (N, 128) float32."""
        if faces.ndim != 4 or faces.shape[1:] != (3, self.size, self.size):
            raise ValueError(f"found chips of {tuple(faces.shape)}; expected (N, 3, {self.size}, {self.size})")
        parts = [
            self._run(part.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)).float().cpu()
            for part in faces.split(self.batch)
            if len(part)
        ]
        return torch.cat(parts).numpy() if parts else np.zeros((0, self.space.size), np.float32)

    def __call__(self, image: np.ndarray | Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """(N, 128) float32: N faces of one picture (H, W, 3), or one of each of N pictures; landmarks (N, 68, 2)."""
        if isinstance(image, np.ndarray) and image.ndim == 3:
            return self.vectors(chips(image, landmarks, self.size))
        if len(image) != len(landmarks):
            raise ValueError(f"found {len(image)} pictures and {len(landmarks)} faces; expected one face a picture")
        faces = [chips(one, points[None], self.size) for one, points in zip(image, landmarks, strict=True)]
        return self.vectors(torch.cat(faces) if faces else torch.zeros(0, 3, self.size, self.size))


def describe(
    image: np.ndarray | Sequence[np.ndarray],
    landmarks: np.ndarray,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """(N, 128) float32 by a `Describer` made for this one call; keep one for more."""
    return Describer(device, dtype)(image, landmarks)


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distance of (..., 128) and (..., 128), broadcast; under `SAME_PERSON`: the same person."""
    return np.linalg.norm(np.asarray(a, np.float32) - np.asarray(b, np.float32), axis=-1)
