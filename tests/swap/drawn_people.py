"""Faces of two drawn people."""

import numpy as np
import torch
from torch import Tensor


def drawn_faces(seed: int, count: int = 20) -> Tensor:
    """(N, 4, 40, 40) uint8: a bright disc with two eyes, whose mouth opens; each person has its own colours."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(60, 220, (3, 3))
    y, x = np.mgrid[:40, :40]
    faces = np.zeros((count, 40, 40, 4), np.uint8)
    faces[..., :3] = colours[0]
    faces[..., 3] = 26
    disc = (x - 20) ** 2 + (y - 20) ** 2 < 15**2
    faces[:, disc, :3] = colours[1]
    faces[:, disc, 3] = 255
    for i, face in enumerate(faces):
        face[(abs(x - 20) == 6) & (abs(y - 15) < 2), :3] = colours[2]
        face[(abs(x - 20) < 5) & (abs(y - 27) <= i % 4), :3] = colours[2]
    return torch.from_numpy(faces).permute(0, 3, 1, 2).contiguous()
