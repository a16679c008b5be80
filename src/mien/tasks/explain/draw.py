"""From tensors to pictures: tiles, sheets with half-clear gaps, heat in two palettes, boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from mien.data.files import atomic
from mien.nn.explain.patches import Box

HEAT = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))
"""Black, purple, red, yellow, at equal steps: from nothing to most."""
FOR = ((0, 0, 0), (180, 20, 20), (255, 120, 30), (255, 235, 170))
AGAINST = ((0, 0, 0), (20, 60, 190), (40, 150, 255), (190, 240, 255))
LINE = (128, 128, 128, 100)
"""Between tiles: seen on light and dark pages, and between white and between black tiles."""
CLIP = 99.5
"""Percentile of the absolute values that becomes full colour: one extreme pixel would darken all the rest."""
COLOURS = ((255, 214, 0), (255, 122, 0), (255, 45, 85), (175, 82, 222), (0, 145, 255), (0, 199, 140))
"""Of boxes, from shallow to deep."""


def rgb(picture: Tensor) -> np.ndarray:
    """(3 or 1, H, W) in 0..1 -> (H, W, 3) uint8."""
    bytes_ = (picture.clamp(0, 1) * 255).round().byte()
    return bytes_.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()


def flat(values: Tensor) -> Tensor:
    """(..., H, W) as it is; (..., D, H, W) as its slices side by side in rows, the last row filled with zeros."""
    if values.ndim == 3:
        return values
    across = math.ceil(values.shape[-3] ** 0.5)
    rows = -(-values.shape[-3] // across)
    full = torch.cat([values, values.new_zeros(*values.shape[:-3], across * rows - values.shape[-3], *values.shape[-2:])], -3)
    grid = full.unflatten(-3, (rows, across)).transpose(-3, -2)
    return grid.flatten(-2).flatten(-3, -2)


def curve(signal: Tensor, height: int, width: int, ground: np.ndarray | None = None) -> np.ndarray:
    """(C, L) -> (height, width, 3) uint8: each channel as a white line over a black or the given ground, by the signal's own range."""
    canvas = Image.fromarray(ground) if ground is not None else Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(canvas)
    low, high = float(signal.min()), float(signal.max())
    for channel in signal.tolist():
        places = [((i + 0.5) * width / len(channel), height * (0.92 - 0.84 * (value - low) / max(high - low, 1e-12)))
                  for i, value in enumerate(channel)]  # fmt: skip
        draw.line(places, fill=(255, 255, 255), width=2)
    return np.asarray(canvas)


def pictured(x: Tensor, side: int) -> np.ndarray:
    """What a network sees (C, L), (C, H, W) or (C, D, H, W) -> (side, side, 3) uint8, or half as high for a signal."""
    if x.ndim == 2:
        return curve(x, side // 2, side)
    if x.ndim == 4:  # voxels have any unit
        x = (x - x.min()) / (x.max() - x.min()).clamp(min=1e-12)
    return fitted(rgb(flat(x)), side)


def fitted(picture: np.ndarray, height: int, width: int = 0) -> np.ndarray:
    """(H, W, 3) -> (height, width or height, 3): pixels stay visible where there are few of them, and are smoothed where many."""
    few = max(picture.shape[:2]) <= 48
    how = Image.Resampling.NEAREST if few and max(picture.shape[:2]) < height else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize((width or height, height), how))


def sheet(rows: Sequence[Sequence[np.ndarray]], gap: int = 4) -> np.ndarray:
    """Rows of tiles (h, w, 3 or 4) -> (H, W, 4) uint8 with half-clear lines between the tiles, clear where there is none."""
    heights = [max(tile.shape[0] for tile in row) for row in rows]
    width = max(sum(tile.shape[1] for tile in row) + gap * (len(row) - 1) for row in rows)
    out = np.zeros((sum(heights) + gap * (len(rows) - 1), width, 4), np.uint8)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for tile in row:
            solid = np.dstack([tile[..., :3], tile[..., 3] if tile.shape[2] == 4 else np.full(tile.shape[:2], 255, np.uint8)])
            out[top : top + height + gap, left : left + tile.shape[1] + gap] = LINE
            out[top : top + tile.shape[0], left : left + tile.shape[1]] = solid
            left += tile.shape[1] + gap
        top += height + gap
    return out


def coloured(share: np.ndarray, anchors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """(H, W) in 0..1 -> (H, W, 3) uint8, between the anchors' colours."""
    steps = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(share, steps, channel) for channel in zip(*anchors, strict=True)], -1).round().astype(np.uint8)


def heat(values: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(H, W), positive or signed -> colours (H, W, 3) uint8 and strength (H, W) in 0..1; negative values are blue, positive red."""
    array = values.numpy().astype(np.float64)
    largest = max(float(np.percentile(np.abs(array), CLIP)), float(np.abs(array).max()) * 0.05, 1e-12)
    strength = np.clip(np.abs(array) / largest, 0, 1)
    if array.min() >= 0:
        return coloured(strength, HEAT), strength
    return np.where((array < 0)[..., None], coloured(strength, AGAINST), coloured(strength, FOR)), strength


def laid_over(picture: np.ndarray, values: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 and (H, W) -> the greyed picture with the heat over it, the stronger the less of it shows through."""
    colours, strength = heat(values)
    grey = np.asarray(Image.fromarray(picture).convert("L"))[..., None].astype(np.float64) * 0.6 + 60
    alpha = (strength**0.7 * 0.85)[..., None]
    return (grey * (1 - alpha) + colours * alpha).round().astype(np.uint8)


def boxed(picture: np.ndarray, boxes: Sequence[Box], scale: int) -> np.ndarray:
    """(H, W, 3) -> the picture `scale` times as large with each box in its own colour, on a canvas up to half a picture wider."""
    height, width = picture.shape[:2]
    reach = max((max(-y1, -x1, y2 - height, x2 - width, 0) for y1, x1, y2, x2 in boxes), default=0)
    margin = min(reach + 2, max(height, width) // 2)
    how = Image.Resampling.NEAREST if scale > 4 else Image.Resampling.BICUBIC
    large = Image.fromarray(picture).resize((width * scale, height * scale), how)
    canvas = Image.new("RGB", ((width + 2 * margin) * scale, (height + 2 * margin) * scale), (128, 128, 128))
    canvas.paste(large, (margin * scale, margin * scale))
    draw = ImageDraw.Draw(canvas)
    edge = canvas.width - 1, canvas.height - 1
    for (y1, x1, y2, x2), colour in reversed(list(zip(boxes, COLOURS * len(boxes), strict=False))):
        corners = [(side + margin) * scale for side in (x1, y1, x2, y2)]
        shown = [max(corners[0], 0), max(corners[1], 0), min(corners[2], edge[0]), min(corners[3], edge[1])]
        draw.rectangle([shown[0] - 1, shown[1] - 1, shown[2] + 1, shown[3] + 1], outline=(0, 0, 0), width=5)
        draw.rectangle(shown, outline=colour, width=3)
    return np.asarray(canvas)


def save(path: Path, picture: np.ndarray) -> Path:
    """Write (H, W, 3) or (H, W, 4) uint8 as PNG, all or nothing."""
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, format="PNG", optimize=True)
    with atomic(path) as draft:
        draft.write_bytes(encoded.getvalue())
    return path
