"""Complete training configurations. `recipe_for` chooses; `compact`, `original` and `photo` can be taken and changed."""

from __future__ import annotations

from mien.nn.augment import Jitter
from mien.tasks.swap.training import Recipe

FEW = 10
"""Fewer faces of somebody than this cannot teach the encoder anything: only the decoders are trained."""


def compact() -> Recipe:
    """Two clips, minutes: encoder and decoders start from the pretrained base."""
    return Recipe(structure=2.0)


def photo() -> Recipe:
    """One or few photos a person: the encoder stays as it is, and what is shown is moved more."""
    return Recipe(encoder_rate=0.0, rate=1e-3, average=0.98,
                  jitter=Jitter(rotation=12, zoom=0.08, shift=0.06, colour=0.08, tint=0.05))


def original() -> Recipe:
    """The autoencoder of 2017 as it was published: 64 px, mean absolute error, Adam 5e-5 (0.5, 0.999), 64 faces a person."""
    return Recipe(network="original", pretrained=False, batch=64, rate=5e-5, encoder_rate=5e-5, betas=(0.5, 0.999),
                  structure=0.0, average=0.99, decay=False, jitter=Jitter(colour=0.0))


def recipe_for(network: str, faces: int) -> Recipe:
    """`faces`: of the person with the fewest."""
    if network == "original":
        return original()
    return photo() if faces < FEW else compact()
