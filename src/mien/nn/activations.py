"""Activations by name, and Maxout."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

PIECES = 2
"""Linear pieces of Maxout where nothing else is said."""


class Maxout(nn.Module):
    """The largest of k linear functions of the input (Goodfellow et al. 2013, section 2): a convex function that is learnt."""

    def __init__(self, n_in: int, n_out: int, pieces: int = PIECES) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"Maxout needs one linear piece at least, not {pieces}")
        self.pieces = pieces
        self.linear = nn.Linear(n_in, n_out * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """(..., n_in) -> (..., n_out)."""
        return self.linear(x).unflatten(-1, (-1, self.pieces)).amax(-1)


ACTIVATIONS: dict[str, Callable[[int], nn.Module]] = {
    "sigmoid": lambda width: nn.Sigmoid(),
    "tanh": lambda width: nn.Tanh(),
    "relu": lambda width: nn.ReLU(),
    "leaky_relu": lambda width: nn.LeakyReLU(0.01),
    "elu": lambda width: nn.ELU(),
    "maxout": lambda width: Maxout(width, width),
}
"""Name -> a function that makes the activation of a layer of that width."""


def activation(name: str, width: int) -> nn.Module:
    """The activation of a dense layer of `width` units; ValueError for an unknown name."""
    if name not in ACTIVATIONS:
        raise ValueError(f"there is no activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](width)
