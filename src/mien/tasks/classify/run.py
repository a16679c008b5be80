"""Say what a picture shows; train and measure classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mien.types import Learned


@dataclass(frozen=True)
class Guess:
    """A class and how sure the network is of it."""

    label: str
    probability: float


@dataclass(frozen=True)
class Seen:
    """What one picture shows."""

    image: Path
    guesses: tuple[Guess, ...]
    """The likeliest first."""

    def __str__(self) -> str:
        return f"{self.image}: " + ", ".join(f"{g.label} {g.probability:.1%}" for g in self.guesses)


@dataclass(frozen=True)
class Classified:
    """What pictures show."""

    model: str
    classes: tuple[str, ...]
    """All the model can say."""
    images: tuple[Seen, ...]

    def __str__(self) -> str:
        names = ", ".join(self.classes[:20]) + (f" and {len(self.classes) - 20} more" if len(self.classes) > 20 else "")
        caution = f"{self.model} knows only {names}: whatever else it is shown gets one of these names."
        return "\n".join([*map(str, self.images), caution])


@dataclass(frozen=True)
class ClassScore:
    """How well one class is found."""

    label: str
    pictures: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Measured:
    """A classifier on labelled pictures."""

    model: str
    pictures: int
    accuracy: float
    top5: float
    loss: float
    """Mean negative log likelihood, nats."""
    calibration_error: float
    """Expected, 15 bins (Guo et al. 2017)."""
    images_per_second: float
    per_class: list[ClassScore]
    files: tuple[str, ...] = ()


def classify(
    images: tuple[Path, ...], /, *, model: str = "speednet-cifar10", top: int = 5, device: str = "auto", precision: str = "auto"
) -> Classified:
    """Say what pictures show: the likeliest classes with their probabilities.

    Args:
        images: pictures, or folders of them.
        model: a bundled classifier (mien models lists them), a model file, or the run folder of a training.
        top: how many classes to name.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.tasks.classify.predict import classified

    return classified(images, model, top, device, precision)


def evaluate(
    data: Path,
    /,
    *,
    model: str = "speednet-cifar10",
    part: Literal["train", "dev", "test", "all"] = "test",
    out: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Measured:
    """Measure a classifier on labelled pictures: accuracy, top 5, calibration, every class; with --out also pictures of its mistakes.

    Args:
        data: a folder of folders, IDX files, Parquet or .npz; class names or numbers must be those of the model.
        model: a bundled classifier, a model file, or the run folder of a training.
        part: test, train or all.
        out: a folder for the confusion matrix and the worst mistakes.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.tasks.classify.predict import measured

    return measured(data, model, part, out, device, precision)


def train(
    folder: Path,
    /,
    *,
    out: Path,
    start: str = "speednet-cifar10",
    minutes: float | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> Learned:
    """Train a classifier on your own pictures: a folder with one folder of pictures for each class.

    A tenth of the pictures tests it and another tenth decides when to stop, unless the folder has train/ and test/ below.

    Args:
        folder: a folder of folders (Parquet, IDX or .npz work too).
        out: the run folder: model, card, curves, confusion matrix, worst mistakes.
        start: the classifier to start from (its last layer is made anew); "nothing" for random weights.
        minutes: stop after so many.
        set_: change a setting: --set epochs=60 --set size=64 (repeatable; mien train classify/photos has the same ones).
        resume: go on with a run that was stopped.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.tasks.classify.own import train_own

    return train_own(folder, out, start, minutes, set_, resume, device, precision)


COMMANDS = (classify, evaluate, train)
