"""The architectures as tables: all of them, and one layer by layer."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.models.catalog import Network
    from mien.nn.trace import Trace


@dataclass(frozen=True)
class Architecture:
    """One row of the list."""

    name: str
    parameters: int
    macs: int
    """Multiplications with additions for one input."""
    field: tuple[int, ...]
    """Receptive field in pixels along each axis: of the last map; the whole input where there is none."""
    input: tuple[int, ...]
    """Channels first."""
    paper: str


@dataclass(frozen=True)
class Architectures:
    """Every architecture mien can build."""

    networks: tuple[Architecture, ...]

    def __str__(self) -> str:
        rows = [("name", "parameters", "MACs", "field", "input", "paper")]
        for net in self.networks:
            rows.append((net.name, f"{net.parameters:,}", short(net.macs), square(net.field), by(net.input), net.paper))
        return aligned(rows, right=(1, 2, 3))


@dataclass(frozen=True)
class Row:
    """One layer."""

    name: str
    kind: str
    shape: tuple[int, ...]
    """Of the output, channels first."""
    parameters: int
    macs: int
    field: tuple[int, ...]
    """Receptive field in pixels along each axis."""
    stride: tuple[float, ...]
    """Pixels from one position to the next; 0 where the layer has no positions."""


@dataclass(frozen=True)
class Layers:
    """One architecture, layer by layer."""

    name: str
    paper: str
    input: tuple[int, ...]
    parameters: int
    macs: int
    field: tuple[int, ...]
    layers: tuple[Row, ...]

    def __str__(self) -> str:
        rows = [("layer", "kind", "output", "parameters", "MACs", "field", "stride")]
        for row in self.layers:
            parameters, stride = f"{row.parameters:,}" if row.parameters else "", square(row.stride) if any(row.stride) else ""
            rows.append((row.name, row.kind, by(row.shape), parameters, short(row.macs), square(row.field), stride))
        total = f"{self.parameters:,} parameters, {short(self.macs)} MACs, receptive field {square(self.field)}"
        return f"{self.name} ({self.paper}), input {by(self.input)}: {total}\n\n{aligned(rows, right=(3, 4, 5, 6))}"


def every() -> Architectures:
    """The list; each network is traced."""
    from mien.models.catalog import DETECTORS, NETWORKS
    from mien.progress import Progress

    networks, found = NETWORKS | DETECTORS, []
    with Progress("networks", len(networks)) as bar:
        for name, network in networks.items():
            result = _traced(network, network.shape)
            found.append(Architecture(name, result.parameters, result.macs, result.field, network.shape, network.paper))
            bar.advance(note=name)
    return Architectures(tuple(found))


def one(name: str, size: int | None) -> Layers:
    """The layers of `name`, for an input of `size` a side; ValueError for a name that is not known, or a size it does not take."""
    from mien.models.catalog import DETECTORS, NETWORKS

    networks = NETWORKS | DETECTORS
    if name not in networks:
        near = difflib.get_close_matches(name, networks, 3, 0.0)
        raise ValueError(f"no architecture is called {name!r}; the nearest: {', '.join(near)} (mien networks lists all)")
    if size is not None and size < 1:
        raise ValueError(f"the size is a number of pixels, not {size}")
    network = networks[name]
    shape = (network.shape[0], *[size] * (len(network.shape) - 1)) if size else network.shape
    result = _traced(network, shape)
    rows = tuple(Row(layer.name, layer.kind, layer.shape, layer.parameters, layer.macs, layer.field, layer.stride)
                 for layer in result.layers)  # fmt: skip
    return Layers(name, network.paper, shape, result.parameters, result.macs, result.field, rows)


def _traced(network: Network, shape: tuple[int, ...]) -> Trace:
    import torch

    from mien.nn.trace import trace

    with torch.device("meta"):
        net = network.build()
    return trace(net, shape, partial(network.run, net) if network.run else None)


def by(sizes: Sequence[float]) -> str:
    """A shape to read: `(64, 56, 56) -> "64x56x56"`."""
    return "x".join(f"{size:g}" for size in sizes)


def square(sizes: Sequence[float]) -> str:
    """A field to read: one number where it is the same along every axis."""
    return f"{sizes[0]:g}" if len(set(sizes)) == 1 else by(sizes)


def short(count: int) -> str:
    """`15_470_264_320 -> "15.47 G"`; nothing for 0."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= unit:
            return f"{count / unit:.2f}{name}"
    return str(count) if count else ""


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """Columns of equal width; those numbered in `right` end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    form = "  ".join(f"{{:{'>' if i in right else '<'}{width}}}" for i, width in enumerate(widths))
    return "\n".join(form.format(*row).rstrip() for row in rows)
