"""What a person wants to see, as numbers of labels."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.models.generator import Plan


def numbers(text: str, plan: Plan, model: str) -> Tensor | None:
    """Words with commas between, such as cat,dog or 1,2,3 -> (N,) places in the plan's labels; None for no word.

    ValueError for a label that the model does not have.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        return None
    if not plan.labels:
        raise ValueError(f"{model} draws without being told what: leave --label {text} out, or choose a model with labels")
    return torch.tensor([_number(word, plan.labels) for word in words])


def _number(word: str, labels: tuple[str, ...]) -> int:
    names = [label.casefold() for label in labels]
    if word.casefold() in names:
        return names.index(word.casefold())
    if word.isdecimal() and int(word) < len(labels):
        return int(word)
    raise ValueError(f"found label {word}, expected one of {', '.join(labels)}")


def taken(wanted: Tensor | None, first: int, count: int) -> Tensor | None:
    """The labels of pictures `first` to `first + count` when those wanted are drawn in turn."""
    return None if wanted is None else wanted[torch.arange(first, first + count) % len(wanted)]
