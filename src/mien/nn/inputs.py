"""The input layer: what is done to a picture before the first weights, fitted on the training pictures and kept with the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

KINDS = ("none", "mean", "standard", "pca", "zca")
WHITENED = ("pca", "zca")
LARGEST = 4096
"""Numbers in a picture that whitening can still take: its matrix is square in them."""
AT_ONCE = 1000
"""Pictures converted to float at once."""


class InputLayer(nn.Module):
    """(B, C, H, W) uint8, or float in 0..1 -> float.

    "none" hands 0..1 on; "mean" removes each channel's mean; "standard" also divides by each channel's standard deviation; "pca"
    rotates a picture's numbers onto the principal axes and gives each unit variance (a flat vector in the shape of a picture, the
    strongest axis first); "zca" rotates that back, so that it is a picture again (Krizhevsky 2009, appendix A).
    """

    mean: Tensor
    scale: Tensor
    matrix: Tensor

    def __init__(self, shape: Sequence[int], kind: str = "standard", eps: float = 1e-5) -> None:
        """`shape` without the batch; `eps`, a variance of pixels in 0..1, keeps directions without any from being blown up.

        Whitening adds it (rounding to 256 levels alone makes 1.3e-6), "standard" takes no variance for smaller. ValueError for an
        unknown kind, and where a picture has too many numbers for whitening.
        """
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"there is no input layer {kind!r}; known: {', '.join(KINDS)}")
        self.shape, self.kind, self.eps = tuple(shape), kind, eps
        count = math.prod(self.shape)
        if kind in WHITENED:
            if count > LARGEST:
                raise ValueError(f"{kind} whitening takes up to {LARGEST} numbers a picture, not {count}: choose smaller pictures")
            self.register_buffer("mean", torch.zeros(count))
            self.register_buffer("matrix", torch.eye(count))
        elif kind != "none":
            per_channel = (self.shape[0], *[1] * (len(self.shape) - 1))
            self.register_buffer("mean", torch.zeros(per_channel))
            if kind == "standard":
                self.register_buffer("scale", torch.ones(per_channel))

    def extra_repr(self) -> str:
        """Shape and kind."""
        return f"{self.shape}, {self.kind!r}"

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Statistics of (N, C, H, W), uint8 or 0..1; in double precision. ValueError for pictures of another shape, or none."""
        if tuple(images.shape[1:]) != self.shape or not len(images):
            raise ValueError(f"the input layer takes pictures of shape {self.shape}, not {tuple(images.shape)} with their number")
        if self.kind == "none":
            return
        total, square = _moments(images, self.kind in WHITENED)
        if self.kind in WHITENED:
            mean = total / len(images)
            values, vectors = torch.linalg.eigh(square / len(images) - torch.outer(mean, mean))
            values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
            whiten = (vectors / (values + self.eps).sqrt()).T
            self.matrix.copy_(vectors @ whiten if self.kind == "zca" else whiten)
        else:
            count = len(images) * math.prod(self.shape[1:])
            mean = total / count
            if self.kind == "standard":
                variance = square / count - mean.square()
                self.scale.copy_(variance.clamp_min(self.eps).rsqrt().view_as(self.scale))
        self.mean.copy_(mean.view_as(self.mean))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, float."""
        x = _floating(x, self.dtype)
        if self.kind == "none":
            return x
        if self.kind in WHITENED:
            return ((x.flatten(1) - self.mean) @ self.matrix.T).view_as(x)
        x = x - self.mean
        return x * self.scale if self.kind == "standard" else x

    @property
    def dtype(self) -> torch.dtype:
        """What uint8 pictures become: as the statistics are."""
        return torch.float32 if self.kind == "none" else self.mean.dtype


def _floating(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Bytes become 0..1; floating point stays as it is."""
    return x.to(dtype) / 255 if x.dtype == torch.uint8 else x


def _moments(images: Tensor, joint: bool) -> tuple[Tensor, Tensor]:
    """Sums of x and of x squared a channel, or with `joint` of all numbers and of their products, in float64."""
    totals, squares = [], []
    for part in images.split(AT_ONCE):
        x = _floating(part, torch.float64).double()
        x = x.flatten(1) if joint else x.transpose(0, 1).flatten(1).T
        totals.append(x.sum(0))
        squares.append(x.T @ x if joint else x.square().sum(0))
    return torch.stack(totals).sum(0), torch.stack(squares).sum(0)
