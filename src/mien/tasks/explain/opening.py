"""What a person may call a MODEL, and how each is opened."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mien.models import classifier
from mien.models.catalog import NETWORKS
from mien.tasks.explain import faces, pictures
from mien.tasks.explain.subject import Subject, unknown
from mien.weights import cards

NAMED = {"swap-base": faces.open_base} | {name: partial(faces.open_recognition, name) for name in faces.RECOGNITION}
"""Networks with a card that are no classifiers."""
FILES = ("model.safetensors", "swap.safetensors")
"""What a folder made by a training holds: a classifier, a swap."""


def open_subject(model: str, image: Path, target: str | None) -> Subject:
    """The network that `model` names, about to be asked about a picture. ValueError where it is none, in words.

    A card's name; a file or folder of a trained classifier or swap; an architecture of the catalog, untrained.
    """
    subject = _open(model, image, target)
    subject.net.eval().requires_grad_(False)  # only pixels are asked for gradients
    return subject


def _open(model: str, image: Path, target: str | None) -> Subject:
    if model in NAMED:
        return NAMED[model](image, target)
    if model in classifier.bundled():
        return pictures.open_classifier(model, image, target)
    path = Path(model)
    file = next((path / name for name in FILES if (path / name).is_file()), path)
    if file.is_file():
        kind = _kind(file)
        return faces.open_swap(file, image, target) if kind == "mien" else pictures.open_classifier(file, image, target)
    if model in NETWORKS:
        return pictures.open_untrained(model, image, target)
    if path.is_dir() or path.suffix:
        raise ValueError(f"{model} {f'holds none of {FILES}' if path.is_dir() else 'does not exist'}, expected a trained model")
    if model in {card.name for card in cards()}:
        raise ValueError(f"{model} is a LiteRT program, without gradients to explain it by; expected one of {', '.join(known())}")
    raise unknown("model", model, known())


def known() -> list[str]:
    """Every name that can be explained without a file."""
    return [*NAMED, *classifier.bundled(), *NETWORKS]


def _kind(file: Path) -> str:
    """Which of mien's headers a file has: "mien" (a swap) or `classifier.HEADER`; ValueError for none."""
    try:
        with safe_open(str(file), framework="pt") as opened:
            header = opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file} is damaged or no model file: {error}") from None
    kind = next((key for key in ("mien", classifier.HEADER) if key in header), None)
    if kind is None:
        raise ValueError(f"{file} holds weights, but neither a classifier nor a swap of mien")
    return kind
