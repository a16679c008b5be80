"""How the face looked before: a whole photo, with the field of one crop undone in it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mien.metrics.similarity import psnr
from mien.nn.flow import inverse, sample

EDGE = 0.06
"""Share of the crop's side over which the field fades to nothing, so that no seam shows where the crop ends."""
REACH = 4
"""Pixels around the crop that bicubic sampling may look at."""
STILL = 0.05
"""Pixels of the photo: a face whose field is nowhere larger is returned as it is."""


def faded(side: int, edge: float = EDGE) -> Tensor:
    """(side, side) float32: 1 inside, down half a cosine to 0 at the four sides."""
    place = (torch.arange(side) + 0.5) / max(edge * side, 1e-6)
    ramp = torch.minimum(place, place.flip(0)).clamp(max=1)
    ramp = (1 - torch.cos(ramp * torch.pi)) / 2
    return ramp * ramp[:, None]


def enlarged(field: np.ndarray, side: int) -> Tensor:
    """(2, S, S) in pixels of a crop -> (1, 2, side, side) in pixels of the photo that the crop shows `side` pixels of."""
    told = torch.from_numpy(np.ascontiguousarray(field, np.float32))[None]
    shrinks = side < told.shape[-1]
    return F.interpolate(told, size=(side, side), mode="bilinear", align_corners=False, antialias=shrinks) * (side / told.shape[-1])


def undo(image: np.ndarray, crop: tuple[int, int, int], field: np.ndarray, reliability: np.ndarray | None = None) -> np.ndarray:
    """A photo (H, W, 3) uint8, where its crop lies (x0, y0, side), and the crop's field (2, S, S) -> the photo with that undone.

    The field fades out towards the crop's edge and, where `reliability` (S, S) in 0..1 is given, where it is not to be relied on. It
    is inverted at the photo's own size and the photo is resampled once; what lies outside the crop stays as it is, to the bit.
    """
    x0, y0, side = crop
    whole = enlarged(field, side) * faded(side)
    if reliability is not None:
        trust = torch.from_numpy(np.ascontiguousarray(reliability, np.float32))[None, None]
        whole = whole * F.interpolate(trust, size=(side, side), mode="bilinear", align_corners=False)
    if float(whole.abs().max()) < STILL:
        return image.copy()
    back = inverse(whole)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + side, image.shape[1]), min(y0 + side, image.shape[0])
    back = back[..., top - y0:bottom - y0, left - x0:right - x0]
    around = max(left - REACH, 0), max(top - REACH, 0), min(right + REACH, image.shape[1]), min(bottom + REACH, image.shape[0])
    part = _picture(image[around[1]:around[3], around[0]:around[2]])
    room = (left - around[0], around[2] - right, top - around[1], around[3] - bottom)
    seen = sample(part, F.pad(back, room), "bicubic")[0, :, room[2]:room[2] + bottom - top, room[0]:room[0] + right - left]
    restored = image.copy()
    moved = (back[0].abs().amax(0) > 0).numpy()[..., None]
    pixels = seen.permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    restored[top:bottom, left:right] = np.where(moved, pixels, image[top:bottom, left:right])
    return restored


def gain(original: np.ndarray, fake: np.ndarray, restored: np.ndarray) -> float:
    """Three (H, W, 3) uint8 -> decibels of PSNR against the original that undoing gained; below 0 where it did harm.

    Raises ValueError where the three differ in size.
    """
    if not original.shape == fake.shape == restored.shape:
        raise ValueError(f"found pictures of {original.shape}, {fake.shape} and {restored.shape}: expected three of one size")
    if np.array_equal(fake, restored):
        return 0.0
    before, after = (float(psnr(_picture(one) / 255, _picture(original) / 255)) for one in (fake, restored))
    return after - before


def _picture(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) in 0..255."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
