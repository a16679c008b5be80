"""One operation of torch, as the rules of the receptive field see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mien.nn.reach.field import Field


@dataclass(frozen=True)
class Call:
    """One operation as it was called."""

    args: dict[str, Any]
    """By the names of the operation's schema, defaults filled in."""
    fields: Callable[[Tensor], Field | None]
    out: Any

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def dims(self, ndim: int) -> list[int]:
        """The argument `dim`, one number or several, counted from the front; every dimension where it is not given."""
        named = self.args.get("dim")
        chosen = [named] if isinstance(named, int) else named or range(ndim)
        return [d % ndim for d in chosen]

    def main(self) -> tuple[Field, Tensor]:
        """The first tensor that depends on the picture, and its field."""
        for tensor in tensors(self.args.values()):
            field = self.fields(tensor)
            if field:
                return field, tensor
        raise AssertionError("rules are asked only where an input depends on the picture")


Rule = Callable[[Call], Field | list[Field] | None]
"""One field for all that comes out, or one for each; None where nothing of the picture is in it."""


def tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    """All tensors among values and lists of them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors(value)
