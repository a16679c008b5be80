"""What every enlarger is to those who use it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Enlarger(Protocol):
    """What enlarges pictures, a network or not."""

    @property
    def name(self) -> str:
        """Of the model."""
        ...

    @property
    def scale(self) -> int:
        """Pixels of the result along one of the input: 2, 3, 4."""
        ...

    @property
    def halo(self) -> int:
        """Pixels of the input around its own that a result depends on."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """(B, 3, h, w) RGB in 0..1 -> (B, 3, scale h, scale w)."""
        ...
