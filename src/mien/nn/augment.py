"""Batches of faces turned, zoomed, bent and recoloured; and the face swap's pairs: what the encoder sees, what shall be restored."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


@dataclass(frozen=True)
class Jitter:
    """How far things move; shares of the window unless said otherwise."""

    rotation: float = 10.0  # degrees
    zoom: float = 0.05
    shift: float = 0.05
    flip: float = 0.4  # probability
    warp: float = 5 / 160  # standard deviation of the 5 x 5 grid's points
    colour: float = 0.1  # brightness, contrast and channel gains of both pictures
    tint: float = 0.0  # the same, but only what the encoder sees

    def scaled(self, by: float) -> Jitter:
        """Everything moves `by` times as far (0..1)."""
        return Jitter(*(getattr(self, f.name) * by for f in fields(self)))


def uniform(rng: Generator, *shape: int) -> Tensor:
    """Values in -1..1."""
    return torch.rand(*shape, generator=rng) * 2 - 1


def places(batch: int, size: int, cover: float, jitter: Jitter, rng: Generator) -> Tensor:
    """(B, size, size, 2) sampling places in a crop that covers `cover` windows: turned, zoomed, shifted, mirrored."""
    angle = torch.deg2rad(uniform(rng, batch) * jitter.rotation)
    scale = (1 + uniform(rng, batch) * jitter.zoom) / cover
    mirror = 1 - 2 * (torch.rand(batch, generator=rng) < jitter.flip).float()
    cos, sin = angle.cos() * scale, angle.sin() * scale
    shift = uniform(rng, batch, 2) * jitter.shift * 2 / cover
    matrix = torch.stack([torch.stack([cos * mirror, -sin, shift[:, 0]], -1),
                          torch.stack([sin * mirror, cos, shift[:, 1]], -1)], 1)
    return F.affine_grid(matrix, [batch, 1, size, size], align_corners=False)


def bend(batch: int, size: int, cover: float, sigma: float, rng: Generator) -> Tensor:
    """(B, size, size, 2) smooth displacement: a 5 x 5 grid of normal shifts, interpolated."""
    grid = torch.randn(batch, 2, 5, 5, generator=rng) * (2 * sigma / cover)
    return F.interpolate(grid, size=(size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def recolour(faces: Tensor, strength: float, rng: Generator, others: list[Tensor] | None = None) -> list[Tensor]:
    """(B, 3, H, W) -> brightness, contrast and channel gains changed alike in `faces` and `others`."""
    batch = len(faces)
    gain = 1 + uniform(rng, batch, 1, 1, 1) * strength + uniform(rng, batch, 3, 1, 1) * strength / 2
    shift = uniform(rng, batch, 1, 1, 1) * strength
    mean = faces.mean((2, 3), keepdim=True)
    return [((x - mean) * gain + mean + shift).clamp(0, 1) for x in [faces, *(others or [])]]


def training_pair(crops: Tensor, size: int, cover: float, jitter: Jitter, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(B, 4, H, W) uint8, RGB and weight -> warped (B, 3, S, S), target (B, 3, S, S), weight (B, 1, S, S), all 0..1.

    Random numbers come from the CPU generator `rng`, so a seed gives the same pairs on every device.
    """
    batch, device = len(crops), crops.device
    where = places(batch, size, cover, jitter, rng)
    bent = where + bend(batch, size, cover, jitter.warp, rng)
    crops = crops.float() / 255
    target = F.grid_sample(crops, where.to(device), padding_mode="border", align_corners=False)
    warped = F.grid_sample(crops[:, :3], bent.to(device), padding_mode="border", align_corners=False)
    target, weight = target[:, :3], target[:, 3:]
    if jitter.colour:
        target, warped = recolour(target, jitter.colour, rng, [warped])
    if jitter.tint:
        [warped] = recolour(warped, jitter.tint, rng)
    return warped, target, weight


def centre(crops: Tensor, size: int, cover: float) -> Tensor:
    """(B, C, H, W) uint8 -> (B, C, S, S) 0..1: the canonical window, nothing moved."""
    still = Jitter(0, 0, 0, 0, 0, 0)
    where = places(len(crops), size, cover, still, Generator()).to(crops.device)
    return F.grid_sample(crops.float() / 255, where, padding_mode="border", align_corners=False)


def moved(images: Tensor, turn: float, zoom: float, light: float, rng: Generator) -> Tensor:
    """(B, C, S, S) uint8 or 0..1 -> 0..1: each turned (degrees), zoomed, its contrast and brightness changed by up to so much."""
    images = images.float() / 255 if images.dtype == torch.uint8 else images
    if turn or zoom:
        where = places(len(images), images.shape[-1], 1.0, Jitter(turn, zoom, 0, 0, 0, 0), rng).to(images.device)
        images = F.grid_sample(images, where, padding_mode="border", align_corners=False)
    gain, shift = (uniform(rng, len(images), 1, 1, 1).to(images.device) * light for _ in range(2))
    mean = images.mean((1, 2, 3), keepdim=True)
    return ((images - mean) * (1 + gain) + mean + shift / 2).clamp(0, 1) if light else images
