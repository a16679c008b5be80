"""A photo bent to lie over a face: its points on the face's points, its colours those of the face's light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from mien.faces.align import MIRROR
from mien.faces.mask import face_mask, grow
from mien.faces.reshape.sliders import FOREHEAD, with_forehead
from mien.nn.thin_plate import places

ANCHORS = torch.tensor([(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 0.5), (1.0, 0.5), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0)])
"""Of the window's border: they stay."""
MIRROR_ALL = np.concatenate([MIRROR, 68 + np.arange(FOREHEAD)[::-1]])
"""Where the points of `window_points` go when a picture is mirrored."""
POINTS = 68 + FOREHEAD
"""Of `window_points`."""
GAIN = (0.7, 1.4)
"""How much the contrast of a photo's colours may change."""


def window_points(landmarks: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """(68, 2) of a picture and its transform to a window of `size` pixels -> (77, 2) float32 in windows, the forehead's with them."""
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return (with_forehead(points.astype(np.float64)) / size).astype(np.float32)


def mirrored_points(points: Tensor) -> Tensor:
    """(..., 77, 2) in windows -> those of the mirrored picture."""
    return points[..., MIRROR_ALL, :] * points.new_tensor([-1, 1]) + points.new_tensor([1, 0])


def grid(source: Tensor, target: Tensor, size: int) -> Tensor:
    """(B, 77, 2) twice, in windows -> (B, size, size, 2) for `grid_sample`: `source` moved to `target`, the border kept."""
    edge = ANCHORS.to(source)[None].expand(len(source), -1, -1)
    return places(torch.cat([source, edge], 1), torch.cat([target, edge], 1), size)


def bent(photo: Tensor, source: Tensor, target: Tensor, size: int, cover: float = 1.0, sharp: bool = False) -> Tensor:
    """(B, C, H, W) 0..1 -> (B, C, size, size) with `source` (B, 77, 2) moved to `target`, both in windows.

    cover: how many windows the photo spans a side; sharp: bicubic, which keeps more detail and takes longer.
    """
    where = grid(source, target, size) / cover
    if not sharp:
        return F.grid_sample(photo, where, padding_mode="border", align_corners=False)
    return F.grid_sample(photo, where, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)


@dataclass(frozen=True)
class Tones:
    """Colours inside a face, for each of a batch."""

    mean: Tensor
    """(B, 3, 1, 1)"""
    spread: Tensor
    """(B, 3, 1, 1)"""

    def mix(self, other: Tones, share: float) -> Tones:
        """`share` of `other`, the rest of this: smooths tones over time."""
        return Tones(self.mean.lerp(other.mean, share), self.spread.lerp(other.spread, share))


def tones(faces: Tensor, mask: Tensor) -> Tones:
    """(B, 3, H, W) and (B, 1, H, W) -> the colours where the mask is."""
    whole = mask.sum((2, 3), keepdim=True).clamp(min=1e-3)
    mean = (faces * mask).sum((2, 3), keepdim=True) / whole
    return Tones(mean, ((faces - mean).square() * mask).sum((2, 3), keepdim=True).div(whole).sqrt() + 1e-3)


def toned(faces: Tensor, have: Tones, want: Tones) -> Tensor:
    """Colours of one tone given another's mean and spread (after Reinhard et al. 2001, on RGB).

    One gain for all colours: one for each would tint what is darker or lighter than the mean, brows green, say.
    """
    gain = (want.spread.mean(1, keepdim=True) / have.spread.mean(1, keepdim=True)).clamp(*GAIN)
    return ((faces - have.mean) * gain + want.mean).clamp(0, 1)


def softened(mask: Tensor, sigma: float) -> Tensor:
    """(B, 1, H, W) blurred by a Gaussian of `sigma` pixels, in two passes."""
    reach = max(int(3 * sigma + 0.5), 1)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=mask.device) / sigma) ** 2)
    taps = (taps / taps.sum()).to(mask)
    mask = F.conv2d(F.pad(mask, (reach, reach, 0, 0), mode="replicate"), taps.view(1, 1, 1, -1))
    return F.conv2d(F.pad(mask, (0, 0, reach, reach), mode="replicate"), taps.view(1, 1, -1, 1))


def region(points: np.ndarray, size: int) -> np.ndarray:
    """(77, 2) in windows -> (size, size) uint8: where a face may be drawn."""
    return face_mask(points[:68] * size, (size, size))


EYES, MOUTH = (slice(36, 42), slice(42, 48)), (slice(60, 68),)
"""Points that bound the eyes between their lids, and the mouth between its lips."""


def openings(points: np.ndarray, size: int, parts: tuple[slice, ...] = (*EYES, *MOUTH), by: float = 1.1) -> np.ndarray:
    """(77, 2) in windows -> (size, size) uint8: the openings, scaled about their middles."""
    canvas = Image.new("L", (size, size))
    draw = ImageDraw.Draw(canvas)
    for part in parts:
        draw.polygon([(float(x), float(y)) for x, y in grow(points[part] * size, by)], fill=255)
    return np.asarray(canvas)
