"""The multi-layer perceptron: dense layers of any widths (Rumelhart et al. 1986)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from mien.nn.activations import activation


def mlp(*widths: int, act: str = "relu") -> nn.Sequential:
    """(B, ...) with widths[0] numbers an example -> (B, widths[-1]) logits; `mlp(256, 10)` is one layer of 256 inputs, 10 outputs.

    `act` stands between the layers: a name of `mien.nn.activations`. ValueError for fewer than two widths.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"an MLP needs the widths of its input and its output at least, all positive, not {widths}")
    layers: list[nn.Module] = [nn.Flatten()]
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        if i > 0:
            layers.append(activation(act, n_in))
        layers.append(nn.Linear(n_in, n_out))
    return nn.Sequential(*layers)


def mlp_classifier(classes: int = 10, widths: Sequence[int] = (3072, 200, 150), act: str = "relu") -> nn.Sequential:
    """`mlp(*widths, classes)`: `widths` are those of the input and the hidden layers."""
    return mlp(*widths, classes, act=act)
