"""Explain what a network sees: pixels, filters, feature maps, units, receptive fields."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """A class with its probability, or a named number."""

    name: str
    value: float


@dataclass(frozen=True)
class LayerLine:
    """One layer."""

    name: str
    kind: str
    shape: tuple[int, ...]
    """Of its output, without the batch."""
    receptive_field: int | None
    """Pixels of the input, rows; None where a unit has no place."""
    stride: float | None
    """Pixels of the input between neighbouring units."""


@dataclass(frozen=True)
class Explained:
    """Where the page is and the numbers on it."""

    page: Path
    pictures: tuple[Path, ...]
    model: str
    trained: bool
    asked: str
    """What the attributions explain."""
    predicted: str | None
    """The most probable class, of classifiers."""
    answers: tuple[Answer, ...]
    """The five most probable classes, or what the network measures."""
    completeness_gap: float
    """By what share the sum of integrated gradients misses the change of the score."""
    layers: tuple[LayerLine, ...]
    seconds: float

    def __str__(self) -> str:
        said = "\n".join(f"  {one.name}: {one.value:.3f}" for one in self.answers)
        return (f"{self.page}: {len(self.pictures)} pictures, {len(self.layers)} layers, {self.seconds:.0f} s"
                f"{'' if self.trained else '; the network is NOT TRAINED'}\n{said}\nexplained: {self.asked}\n"
                f"completeness of integrated gradients: off by {self.completeness_gap:.2%}")  # fmt: skip


def explain(
    model: str,
    image: Path,
    *,
    out: Path,
    layer: str | None = None,
    unit: int | None = None,
    target: str | None = None,
    data: Path | None = None,
    most: int = 2000,
    steps: int = 96,
) -> Explained:
    """Show what a network sees in a picture: one HTML page, its pictures as PNG beside it.

    Saliency, integrated gradients, Grad-CAM and occlusion for one score; the first layer's filters; feature maps; what units
    look for, as pictures made by gradient ascent and as pieces of a data set; receptive fields drawn on the picture.

    Args:
        model: A trained classifier (name, file or run folder), a trained swap, swap-base, dlib-face, mien-face, or the name of an
            architecture, which is then shown untrained.
        image: The picture; for networks of signals or volumes a .npy array.
        out: The folder to write index.html and the pictures to.
        layer: Look into this layer only; the page lists all names.
        unit: Explain this unit of the layer instead of the network's answer.
        target: Of classifiers the class to explain, by name or number (else the predicted one); of swaps the person to draw;
            of dlib-face and mien-face a photo to compare with.
        data: A data set, folder of pictures or face set, to find the pieces that excite units most.
        most: Look at this many pictures of the data, evenly chosen, at most.
        steps: Of gradient ascent for each picture of what a unit looks for; 0 leaves them out.

    """
    from mien.tasks.explain.report import make

    return make(model, Path(image), Path(out), layer, unit, target, data, most, steps)


COMMANDS = (explain,)
