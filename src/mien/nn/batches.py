"""Augmentation of whole batches: one gather mirrors and shifts, straight from the stored bytes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Changes:
    """What is done to each of B pictures; `changes[i]` are those of some of them."""

    mirrored: Tensor
    """(B,) bool."""
    offset: Tensor
    """(B, 2) pixels down and right."""
    hole: Tensor
    """(B, 2) centre of the blanked square."""

    def __getitem__(self, which: slice | Tensor) -> Changes:
        return Changes(self.mirrored[which], self.offset[which], self.hole[which])


def seeded(*place: int) -> torch.Generator:
    """Random numbers that are a function of where they are drawn: seed, kind, epoch or step."""
    seed = 0
    for number in place:
        seed = (seed * 1_000_003 + number + 1) % 2**62
    return torch.Generator().manual_seed(seed)


def draw(count: int, size: tuple[int, int], shift: int, random: torch.Generator) -> Changes:
    """Random changes for `count` pictures of `size` (height, width)."""
    hole = torch.rand(count, 2, generator=random) * torch.tensor(size)
    return Changes(
        torch.rand(count, generator=random) < 0.5, torch.randint(-shift, shift + 1, (count, 2), generator=random), hole.long()
    )


def reflected(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 come back in, the edge itself not doubled: -1 -> 1, size -> size - 2."""
    return (size - 1) - ((size - 1) - index.abs()).abs()


def gather(images: Tensor, which: Tensor, changes: Changes | None = None, cutout: int = 0) -> Tensor:
    """(N, H, W, C) uint8, (B,) -> (B, C, H, W) uint8 laid out channels_last, changed as asked.

    `cutout`: side of a mid-grey square; 0: none.
    """
    if changes is None:
        return images.index_select(0, which).permute(0, 3, 1, 2)
    height, width = images.shape[1:3]
    rows = reflected(torch.arange(height) + changes.offset[:, :1], height)
    columns = torch.arange(width).expand(len(which), width)
    columns = torch.where(changes.mirrored[:, None], width - 1 - columns, columns)
    columns = reflected(columns + changes.offset[:, 1:], width)
    device = images.device
    batch = images[which[:, None, None], rows[:, :, None].to(device), columns[:, None, :].to(device)]
    if cutout:
        near = [(torch.arange(n) - changes.hole[:, i : i + 1] + cutout // 2) for i, n in enumerate((height, width))]
        down, across = ((d >= 0) & (d < cutout) for d in near)
        batch[(down[:, :, None] & across[:, None, :]).to(device)] = 128
    return batch.permute(0, 3, 1, 2)
