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


@dataclass(frozen=True)
class Patch:
    """A piece of a picture that excites a unit."""

    picture: str
    """Its file's name, or the data set's and its number there."""
    box: tuple[int, int, int, int]
    """x1, y1, x2, y2 in pixels of the picture as it was shown to the network; may reach over its edge."""
    activation: float


@dataclass(frozen=True)
class UnitSeen:
    """A unit, with the patches that excite it most, strongest first."""

    unit: int
    patches: tuple[Patch, ...]


@dataclass(frozen=True)
class LayerSeen:
    """A layer, with the units that stand out most over the pictures."""

    name: str
    kind: str
    units: int
    receptive_field: int | None
    """Pixels of the input; None where a unit has no place."""
    seen: tuple[UnitSeen, ...]


@dataclass(frozen=True)
class LayersSeen:
    """Where the page is, and what excites which unit."""

    page: Path
    pictures: tuple[Path, ...]
    model: str
    looked_at: int
    """Pictures shown to the network."""
    layers: tuple[LayerSeen, ...]
    seconds: float

    def __str__(self) -> str:
        lines = [f"  {one.name}: units {', '.join(str(unit.unit) for unit in one.seen)}"
                 f"{f' (sees {one.receptive_field} px)' if one.receptive_field else ''}" for one in self.layers]
        return "\n".join([f"{self.page}: {self.model}, {self.looked_at} pictures, {self.seconds:.0f} s", *lines])


def layers(
    model: str,
    *,
    pictures: Path,
    out: Path,
    layers: str | None = None,
    units: int = 6,
    size: int = 224,
    most: int = 100,
    steps: int = 48,
) -> LayersSeen:
    """Show what a network's layers see, from edges to things: one HTML page, its pictures as PNG beside it.

    For some units of some layers: the pieces of given pictures that excite them most, each cut to exactly what the unit sees
    (Zeiler and Fergus 2014), and a picture made from noise that excites them (Erhan et al. 2009, Olah et al. 2017). Units are chosen
    that answer to a few of the pictures far more than to the others.

    Args:
        model: vgg16-features or vgg19-features; a bundled classifier, mien-face, dlib-face or swap-base; a trained classifier's
            file or run folder.
        pictures: a folder of pictures, or a data set.
        out: the folder to write index.html and the pictures to.
        layers: names, with commas between (else five from shallow to deep): conv1_1,conv3_3.
        units: how many of each layer.
        size: of VGG, which looks at whole pictures: pixels of their shorter side.
        most: look at this many of the pictures, evenly chosen, at most.
        steps: of gradient ascent for each picture made; 0 leaves them out.

    """
    from mien.tasks.explain.walk import walk

    return walk(model, Path(pictures), Path(out), layers, units, size, most, steps)


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


COMMANDS = (explain, layers)
