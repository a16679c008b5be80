"""Every card with what became of its file on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien import weights
from mien.weights.catalog import Card


@dataclass(frozen=True)
class Model:
    """One network mien knows, from its card."""

    name: str
    title: str
    parameters: int
    licence: str
    megabytes: float
    """Of the weights' file, in 10^6 bytes."""
    path: Path | None
    """The file on this machine; None: not here, or not whole."""
    problem: str
    """What is wrong with the file that was found; mostly empty."""
    large: bool = False
    """Fetched when it is first used: that it is not here is no fault."""
    obtain: str = ""
    """Where a person gets a file that cannot be fetched."""


def listed() -> tuple[Model, ...]:
    """Every network mien knows."""
    return tuple(_model(card) for card in weights.cards())


def _model(card: Card) -> Model:
    path, problem = None, ""
    try:
        path = weights.here(card.name)
    except RuntimeError as error:  # there, but not the file the card promises: worth a row, not the end of the list
        problem = str(error)
    return Model(card.name, card.title, card.parameters, card.licence, card.size / 1e6, path, problem, card.large, card.obtain)
