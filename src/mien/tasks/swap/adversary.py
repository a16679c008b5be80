"""How a judge joins the training of a swap: every loss has its own weight, and a weight of 0 switches it off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mien.models.patch_judge import WIDTHS


@dataclass(frozen=True)
class Adversary:
    """Settings of `mien.tasks.swap.adversarial`; the losses are added to the restoration's."""

    adversarial: float = 0.1
    """Weight of how well restored and swapped faces pass for real ones."""
    features: float = 10.0
    """Of how differently the judge sees a restored face and the real one (feature matching, Wang et al. 2018)."""
    penalty: float = 1.0
    """Of the judge's squared steepness on real faces (R1's gamma, Mescheder et al. 2018)."""
    penalty_every: int = 8
    """Steps from one penalty to the next, each so many times as heavy (Karras et al. 2020)."""
    perceptual: float = 0.0
    """Of how differently the first layers of VGG16 see them. Costs more than all the rest on a CPU, hence 0."""
    identity: float = 0.5
    """Of 1 - cosine between a swapped face's vector and its person's, by mien's own face network; scores are by dlib's."""
    game: Literal["hinge", "non-saturating", "least-squares"] = "hinge"
    norm: Literal["spectral", "none"] = "spectral"
    widths: tuple[int, ...] = WIDTHS
    """Channels of the judge's stages."""
    faces: int = 8
    """Restored faces a person that the judge sees in one step, at most,"""
    swapped: int = 1
    """and faces of others drawn as that person, straight as they are used; 0: no swapped faces, and no identity loss."""
    rate: float = 4e-4
    """Of the judge; it falls as the network's does."""
    betas: tuple[float, float] = (0.5, 0.99)
    begin: float = 0.6
    """Share of the training after which it begins at the latest,"""
    patience: int = 3
    """or when the best of so many evaluations"""
    least_gain: float = 0.002
    """is less than so much above the best before."""
    ramp: int = 20
    """Steps over which its losses come in."""
