"""Variational autoencoders of pictures of 0 and 1 (Kingma and Welling 2014, arXiv 1312.6114): dense, convolutional, residual.

An encoder tells a Gaussian over latent vectors, a decoder the chance of each pixel. `bound` is what training minimises: an upper bound
of -log p(x) in nats; `nats` comes nearer to it by many samples (Burda et al. 2016, arXiv 1509.00519, equation 8).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from mien.nn.latent import binary, divergence, gaussian, moved

Kind = Literal["dense", "convolutional", "residual"]


class VAE(nn.Module):
    """(B, 1, side, side) of 0 and 1; `latent` numbers a picture."""

    def __init__(self, latent: int = 32, kind: Kind = "dense", side: int = 28, width: int = 400) -> None:
        """`width`: of the dense layers, or (a quarter, a half and all of it) channels; convolutions want a side that 4 divides."""
        super().__init__()
        if kind not in BODIES:
            raise ValueError(f"no VAE is {kind!r}: {', '.join(BODIES)}")
        if kind != "dense" and side % 4:
            raise ValueError(f"found {side} pixels a side, expected a multiple of 4")
        self.latent, self.side = latent, side
        self.encoder, self.decoder = BODIES[kind](latent, side, width)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layers whose outputs are answers."""
        return self.encoder[-1], self.decoder.get_submodule("answers")

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, S, S) -> mean and log variance, (B, Z) each."""
        mean, log_variance = self.encoder(2 * x - 1).chunk(2, 1)
        return mean, log_variance.clamp(-12, 8)

    def decode(self, z: Tensor) -> Tensor:
        """(B, Z) -> (B, 1, S, S) logits of a one."""
        return self.decoder(z).view(-1, 1, self.side, self.side)

    def bound(self, x: Tensor, noise: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
        """Reconstruction and `beta` times divergence, (B,) nats each; noise (B, Z) standard normal; beta: Higgins et al. 2017."""
        mean, log_variance = self.encode(x)
        return binary(self.decode(moved(mean, log_variance, noise)), x), beta * divergence(mean, log_variance)

    @torch.no_grad()
    def nats(self, x: Tensor, noise: Tensor) -> Tensor:
        """(B,): -log p(x) estimated by importance, noise (K, B, Z); on average no lower than the truth, nearer with more samples."""
        mean, log_variance = self.encode(x)
        weights = []
        for one in noise:
            z = moved(mean, log_variance, one)
            weights.append(gaussian(z) - gaussian(z, mean, log_variance) - binary(self.decode(z), x))
        return math.log(len(noise)) - torch.logsumexp(torch.stack(weights), 0)


def dense(latent: int, side: int, width: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Two hidden layers each way."""
    pixels = side * side
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
                            nn.Linear(width, 2 * latent))  # fmt: skip
    decoder = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
    decoder.add_module("answers", nn.Linear(width, pixels))
    return encoder, decoder


def convolutional(latent: int, side: int, width: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Halved twice, and back by sub-pixel convolution."""
    few, some, small = max(width // 4, 1), max(width // 2, 1), side // 4
    encoder = nn.Sequential(nn.Conv2d(1, few, 3, 2, 1), nn.SiLU(), nn.Conv2d(few, some, 3, 2, 1), nn.SiLU(),
                            nn.Conv2d(some, some, 3, 1, 1), nn.SiLU(), nn.Flatten(), nn.Linear(some * small * small, width), nn.SiLU(),
                            nn.Linear(width, 2 * latent))  # fmt: skip
    decoder = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, some * small * small), nn.SiLU(),
                            nn.Unflatten(1, (some, small, small)), nn.Conv2d(some, 4 * few, 3, 1, 1), nn.PixelShuffle(2), nn.SiLU(),
                            nn.Conv2d(few, 4 * few, 3, 1, 1), nn.PixelShuffle(2), nn.SiLU())  # fmt: skip
    decoder.add_module("answers", nn.Conv2d(few, 1, 3, 1, 1))
    return encoder, decoder


class Residual(nn.Module):
    """Maps (B, C, H, W) -> the same: what two 3 x 3 make of them is added (He et al. 2016, arXiv 1603.05027, without norms)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Added to what came in."""
        return x + self.body(x)


def residual(latent: int, side: int, width: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Half and a quarter of the side, most of the work at the quarter; 16 numbers a place there meet the latent ones."""
    half, small, few = width // 2, side // 4, 16
    encoder = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, half, 3, 1, 1), Residual(half), nn.Conv2d(half, width, 3, 2, 1),
                            Residual(width), nn.SiLU(), nn.Conv2d(width, few, 1), nn.SiLU(), nn.Flatten(),
                            nn.Linear(few * small**2, 2 * latent))  # fmt: skip
    decoder = nn.Sequential(nn.Linear(latent, few * small**2), nn.SiLU(), nn.Unflatten(1, (few, small, small)),
                            nn.Conv2d(few, width, 1), Residual(width), Residual(width), nn.SiLU(),
                            nn.Conv2d(width, 4 * half, 3, 1, 1), nn.PixelShuffle(2), Residual(half), nn.SiLU(),
                            nn.Conv2d(half, 4 * few, 3, 1, 1), nn.PixelShuffle(2), nn.SiLU())  # fmt: skip
    decoder.add_module("answers", nn.Conv2d(few, 1, 3, 1, 1))
    return encoder, decoder


BODIES: dict[str, Callable[[int, int, int], tuple[nn.Sequential, nn.Sequential]]] = {
    "dense": dense, "convolutional": convolutional, "residual": residual,
}  # fmt: skip
"""Kind -> encoder and decoder for latent numbers, side and width."""
