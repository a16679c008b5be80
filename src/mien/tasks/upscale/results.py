"""What enlarging and measuring give back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """One picture's score."""

    name: str
    psnr: float
    """dB."""
    ssim: float


@dataclass(frozen=True)
class Evaluated:
    """An enlarger on a folder of pictures; means over pictures on top."""

    model: str
    scale: int
    psnr: float
    """dB."""
    ssim: float
    protocol: str
    images: tuple[Image, ...]

    def __str__(self) -> str:
        width = max(len(one.name) for one in self.images)
        rows = [f"{one.name:{width}}  {one.psnr:6.2f} dB  {one.ssim:.4f}" for one in self.images]
        return "\n".join([*rows, f"{f'mean of {len(self.images)}':{width}}  {self.psnr:6.2f} dB  {self.ssim:.4f}", self.protocol])
