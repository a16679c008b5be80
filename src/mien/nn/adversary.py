"""What a network that restores or draws pictures learns from a judge, beside the losses of the game itself (`mien.nn.gan`).

The judge's inner features say what to change, its score only how much is missing; a picture counts where it matters alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = 0.5
"""What a judge is shown where a picture does not count."""


def feature_matching(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) of pictures made and of what each should be -> () mean absolute difference, averaged over the maps.

    Wang et al. 2018 (arXiv 1711.11585), equation 3. What is real has no gradient here. ValueError for another number of maps.
    """
    if len(made) != len(real) or not made:
        raise ValueError(f"found {len(made)} maps made and {len(real)} real ones, expected as many, and one at least")
    return torch.stack([F.l1_loss(x.float(), y.detach().float()) for x, y in zip(made, real, strict=True)]).mean()


def moment_matching(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) of pictures that are no pairs -> () mean squared difference of the channels' means, averaged over the maps.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.1. The number of pictures may differ. What is real has no gradient here.
    """
    if len(made) != len(real) or not made:
        raise ValueError(f"found {len(made)} maps made and {len(real)} real ones, expected as many, and one at least")
    return torch.stack([F.mse_loss(x.float().mean((0, 2, 3)), y.detach().float().mean((0, 2, 3)))
                        for x, y in zip(made, real, strict=True)]).mean()  # fmt: skip


def only(pictures: Tensor, mask: Tensor) -> Tensor:
    """(B, C, H, W) in 0..1, (B, 1, H, W) in 0..1 -> the same, grey where the mask is 0: what a judge cannot see it cannot judge."""
    return GREY + (pictures - GREY) * mask


def unlikeness(vectors: Tensor, wanted: Tensor) -> Tensor:
    """(B, D) and (B, D) or (D,) -> () mean of 1 - cosine: 0 for the same person, 2 for vectors that point away from each other."""
    return (1 - F.cosine_similarity(vectors.float(), wanted.float().expand_as(vectors), dim=1)).mean()


def ramp(steps: int, length: int) -> float:
    """A new loss's factor when it has been on for `steps`: from 0 to 1 over `length`, since a judge begins knowing nothing."""
    return min(steps / length, 1.0) if length > 0 else 1.0
