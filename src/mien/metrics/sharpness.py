"""How sharp pictures are against real ones: how much detail of each fineness they have.

The power spectrum is averaged over circles of one frequency: of photographs it falls about with the square of the frequency (Field
1987), of blurred ones faster. Networks that restore on average lack the high ones (Durall et al. 2020, arXiv 2003.01826, section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""
FINE = 0.25
"""Cycles a pixel from which detail is called fine: half of what a picture can hold (0.5)."""


def radial_spectrum(pictures: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, 3, S, S) RGB in 0..1 -> (B, S // 2) mean power of brightness at k / S cycles a pixel, k = 1 .. S // 2.

    mask (B, 1, S, S) in 0..1: what counts; its mean is taken off, so that its outline does not count as an edge of the picture's.
    Everything fades to the border by a Hann window. ValueError for pictures that are not square.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or pictures.shape[2] != pictures.shape[3]:
        raise ValueError(f"found pictures of {tuple(pictures.shape)}, expected square ones (B, 3, S, S)")
    side = pictures.shape[-1]
    luma = (pictures.float() * torch.tensor(LUMA, device=pictures.device).view(3, 1, 1)).sum(1)
    hann = torch.hann_window(side, periodic=False, device=pictures.device)
    weight = (hann[:, None] * hann[None]).expand_as(luma) * (1 if mask is None else mask[:, 0])
    total = weight.sum((1, 2), keepdim=True).clamp(min=1e-12)
    mean = (luma * weight).sum((1, 2), keepdim=True) / total
    power = torch.fft.fft2((luma - mean) * weight).abs().square() / weight.square().sum((1, 2), keepdim=True).clamp(min=1e-12)
    along = torch.fft.fftfreq(side, 1 / side, device=pictures.device)
    ring = (along[:, None].square() + along[None].square()).sqrt().round().long().flatten()
    inside = (ring >= 1) & (ring <= side // 2)
    sums = torch.zeros(len(power), side // 2, device=pictures.device).index_add_(1, ring[inside] - 1, power.flatten(1)[:, inside])
    return sums / torch.bincount(ring[inside] - 1, minlength=side // 2)


def fine_detail(pictures: Tensor, real: Tensor, mask: Tensor | None = None) -> tuple[float, float]:
    """Two batches (B, 3, S, S) -> fine detail of the first as a share of the second's, and the mean distance of the spectra in dB.

    Share: power at `FINE` cycles a pixel and above; 1 is as sharp as real, 0 has none. Distance: mean over all frequencies of the
    absolute difference, 0 the same; noise would make the share right, but not this. `mask` goes for both.
    """
    made, true = (radial_spectrum(x, mask).mean(0) for x in (pictures, real))
    fine = torch.arange(1, len(true) + 1, device=true.device) / pictures.shape[-1] >= FINE
    share = made[fine].sum() / true[fine].sum().clamp(min=1e-20)
    apart = 10 * (torch.log10(made.clamp(min=1e-20)) - torch.log10(true.clamp(min=1e-20)))
    return float(share), float(apart.abs().mean())
