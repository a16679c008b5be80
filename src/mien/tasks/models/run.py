"""The networks that are at hand: list them, export them for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.weights.listing import Model


@dataclass(frozen=True)
class Models:
    """Every network mien knows."""

    models: tuple[Model, ...]

    def __str__(self) -> str:
        cells = [("name", "weights", "parameters", "MB", "licence", "what it is")]
        for model in self.models:
            absent = "damaged" if model.problem else "by hand" if model.obtain else "on use" if model.large else "missing"
            state = "here" if model.path else absent
            size = f"{model.megabytes:.1f}"
            cells.append((model.name, state, f"{model.parameters:,}", size, model.licence, model.title))
        name, state, count, size, licence, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
        form = f"{{:{name}}}  {{:{state}}}  {{:>{count}}}  {{:>{size}}}  {{:{licence}}}  {{}}"
        return "\n".join(form.format(*row) for row in cells)


@dataclass(frozen=True)
class Taken:
    """What was kept of a file."""

    name: str
    path: Path
    size: int
    """Bytes."""

    def __str__(self) -> str:
        return f"{self.name}: {self.size / 1e6:.0f} MB kept as {self.path}"


@dataclass(frozen=True)
class Exported:
    """A network as a file for other programs."""

    name: str
    out: Path
    opset: int
    """Of ONNX."""
    input: tuple[str, ...]
    """Length of each dimension; a name where any length will do."""
    output: tuple[str, ...]
    difference: float | None
    """Largest difference between what onnxruntime and mien make of the same input; None where onnxruntime is not installed."""
    size: int
    """Bytes."""


def models(*, fetch: bool = False) -> Models:
    """List the networks mien knows: name, whether the weights are here, parameters, size, licence, and what each is.

    Args:
        fetch: first get the weights that are not here yet (needs a network; kept in the cache); large ones come on first use.

    """
    from mien import weights
    from mien.weights.listing import listed

    if fetch:
        weights.fetch()
    return Models(listed())


def take(name: str, file: Path, /) -> Taken:
    """Keep the weights of a network from a file that you have: for those that cannot be fetched, such as vgg19-features.

    The file must be the one of the network's card, by its hash, whatever it is called. What mien needs of it goes into the cache, so
    the file may be deleted then.

    Args:
        name: as `mien models` lists them.
        file: the file, as its publisher offers it.

    """
    from mien import weights

    path = weights.take(name, Path(file))
    return Taken(name, path, path.stat().st_size)


def export(name: str, /, *, out: Path, scale: int = 2) -> Exported:
    """Write a bundled network, or a model file, as ONNX, and compare it with mien's own where onnxruntime is installed.

    Needs the packages onnx and onnxscript: pip install 'mien[onnx]'.

    Args:
        name: as `mien models` lists them, or a model file of mien's.
        out: the .onnx file.
        scale: of an enlarger, by how much it enlarges.

    """
    from mien.tasks.models.exporting import exported

    return exported(name, Path(out), scale)


COMMANDS = (models, take, export)
