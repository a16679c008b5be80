"""Put a drawn face into a picture: colours matched, edge feathered, everything outside the face untouched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mien.data.warp import invert, scale_of, transform, warp
from mien.faces.mask import face_mask

INNER = [*range(17, 27), 54, 9, 8, 7, 48]
"""Of the 68 points, those that bound brows, mouth and chin: what lies inside is always drawn."""
LIKE, UNLIKE = 24, 48
"""Grey levels by which a drawn pixel may be further from skin than what was there: up to the first it counts in full,
from the second on not at all."""


@dataclass(frozen=True)
class Blend:
    """How a drawn face is put into the picture."""

    colour: str = "match"
    """'match': mean and spread of each colour channel inside the face become those of the face that was there; 'keep': as drawn."""
    feather: float = 0.06
    """Width of the soft edge, as a share of the aligned window."""
    forehead: float = 0.35
    """How far above the brows the mask reaches, as a share of the nose's length."""
    sharpen: float = 0.0
    """Strength of an unsharp mask on the drawn face, 0..2."""


@dataclass(frozen=True)
class Tone:
    """Mean and spread (3,) of the colours inside a face, 0..255."""

    mean: np.ndarray
    spread: np.ndarray

    def mix(self, other: Tone, share: float) -> Tone:
        """`share` of `other`, the rest of this: smooths tones over time."""
        return Tone(self.mean + (other.mean - self.mean) * share, self.spread + (other.spread - self.spread) * share)


def tone(face: np.ndarray, mask: np.ndarray) -> Tone:
    """(S, S, 3) uint8 and (S, S) uint8."""
    inside = face[mask > 127].astype(np.float32)
    if not len(inside):
        inside = face.reshape(-1, 3).astype(np.float32)
    return Tone(inside.mean(0), inside.std(0) + 1e-3)


def recolour(face: np.ndarray, have: Tone, want: Tone) -> np.ndarray:
    """(S, S, 3) uint8: from one tone to another (Reinhard et al. 2001, on RGB); contrast changes by a quarter at most."""
    gain = (want.spread / have.spread).clip(0.8, 1.25)
    return ((face - have.mean) * gain + want.mean).clip(0, 255).round().astype(np.uint8)


def soft_mask(landmarks: np.ndarray, size: tuple[int, int], edge: float, forehead: float) -> np.ndarray:
    """(68, 2) and (width, height) -> (H, W) float32 in 0..1: 1 inside, falling to 0 within `edge` pixels towards the outline."""
    hard = Image.fromarray(face_mask(landmarks, size, forehead))
    if edge < 1:
        return np.asarray(hard, np.float32) / 255
    small = max(edge / 4, 1.0)  # the same blur on a smaller picture, in a fraction of the time
    w, h = (max(round(n / small), 1) for n in size)
    reach = edge / small / 2
    soft = hard.resize((w, h), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(reach))
    soft = np.asarray(soft.resize(size, Image.Resampling.BILINEAR), np.float32) / 255
    return ((soft - 0.5) * 2).clip(0, 1)  # the blur reaches half 0.5 at the outline: fade out there, not beyond


def skin_weight(drawn: np.ndarray, there: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(S, S, 3) uint8 twice and (68, 2) -> (S, S) uint8: 255 where the drawn face counts in full.

    At temples and cheeks it falls where the drawn pixel is further from its face's skin than what was there from its own: a
    network that saw hair or background beside a face draws them there too, as grey patches.
    """
    side = len(drawn)
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in landmarks[INNER]], fill=255)
    inside = np.asarray(canvas) > 0
    if not inside.any():
        return np.full((side, side), 255, np.uint8)
    ours, theirs = (np.abs(face - np.median(face[inside], axis=0)).mean(2) for face in (drawn, there))
    strange = Image.fromarray((255 * ((ours - theirs - LIKE) / (UNLIKE - LIKE)).clip(0, 1)).astype(np.uint8))
    core, strange = (np.asarray(picture.filter(ImageFilter.GaussianBlur(side / blur)), np.float32) / 255
                     for picture, blur in ((canvas, 32), (strange, 64)))
    return (255 * (1 - (1 - core) * strange)).round().astype(np.uint8)


def window_box(matrix: np.ndarray, side: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part x1, y1, x2, y2 of a picture that an aligned window touches."""
    corners = transform(invert(matrix), np.array([[0, 0], [side, 0], [0, side], [side, side]], float))
    x1, y1 = np.floor(corners.min(0)).astype(int)
    x2, y2 = np.ceil(corners.max(0)).astype(int)
    return max(x1, 0), max(y1, 0), min(x2, shape[1]), min(y2, shape[0])


def paste(image: np.ndarray, face: np.ndarray, matrix: np.ndarray, landmarks: np.ndarray, blend: Blend,
          weight: np.ndarray | None = None) -> np.ndarray:
    """Return `image` (H, W, 3) uint8 with the aligned `face` (S, S, 3) uint8 in place.

    `matrix` is the transform from the picture to the aligned window, `landmarks` (68, 2) the face's points in the picture;
    `weight` (S, S) uint8 says how much each pixel of the face counts, 255 unless given.
    """
    side = len(face)
    x1, y1, x2, y2 = window_box(matrix, side, image.shape)
    if x2 <= x1 or y2 <= y1:
        return image
    back = invert(matrix)
    back = np.hstack([back[:, :2], (back[:, 2] - (x1, y1))[:, None]])
    if blend.sharpen:
        sharp = ImageFilter.UnsharpMask(radius=side / 64, percent=round(100 * blend.sharpen), threshold=0)
        face = np.asarray(Image.fromarray(face).filter(sharp))
    layer = warp(face, back, (x2 - x1, y2 - y1)).astype(np.float32)
    edge = blend.feather * side / scale_of(matrix)
    mask = soft_mask(landmarks - (x1, y1), (x2 - x1, y2 - y1), edge, blend.forehead)
    window = warp(np.full((side, side), 255, np.uint8), back, (x2 - x1, y2 - y1), fine=False) > 250
    if weight is not None:
        mask *= warp(weight, back, (x2 - x1, y2 - y1), fine=False).astype(np.float32) / 255
    mask = (mask * window)[..., None]
    out = image.copy()
    part = out[y1:y2, x1:x2]
    out[y1:y2, x1:x2] = (part + mask * (layer - part)).round().astype(np.uint8)
    return out
