"""Run any recipe, and search its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from mien.types import Learned, LearnedDetector, LearnedEmbedder, LearnedEnlarger, LearnedGAN, LearnedGenerator, LearnedStylizer

TOP_LEVEL = True


@dataclass(frozen=True)
class Listed:
    """One recipe."""

    name: str
    what: str


@dataclass(frozen=True)
class Recipes:
    """What `mien train` can run."""

    recipes: tuple[Listed, ...]

    def __str__(self) -> str:
        width = max(len(r.name) for r in self.recipes)
        return "\n".join(f"{r.name:{width}}  {r.what}" for r in self.recipes)


@dataclass(frozen=True)
class Tuned:
    """What a search found."""

    out: Path
    trials: int
    score: float
    """Of the best trial: accuracy on the dev pictures."""
    settings: dict[str, Any]
    """Of the best trial."""
    files: tuple[str, ...]


def recipes() -> Recipes:
    """List the recipes that `mien train` and `mien tune` run."""
    from mien.tasks.training.known import known

    return Recipes(tuple(Listed(name, " ".join((function.__doc__ or "").split())) for name, function in known().items()))


def train(
    recipe: str,
    *,
    data: Path | None = None,
    out: Path | None = None,
    minutes: float | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> Learned | LearnedEmbedder | LearnedEnlarger | LearnedStylizer | LearnedGenerator | LearnedGAN | LearnedDetector:
    """Train as a recipe says. Ctrl-C ends the step, saves and reports; the same line with --resume goes on.

    OUT then holds model.safetensors, its card, curves, checkpoints and TensorBoard's log; of a classifier the confusion matrix and the
    worst mistakes, of a network that tells people apart the distances of people it has not seen.
    Several processes: torchrun --nproc-per-node 2 -m mien train RECIPE ...

    Args:
        recipe: as `mien recipes` lists them, for example classify/lenet5.
        data: the folder the recipe's data is in; by default the one named by MIEN_DATA.
        out: the run folder; by default runs/RECIPE.
        minutes: stop after so many, the schedule fitted to them if the recipe's epochs would take longer.
        set_: change a setting of the recipe: --set lr=0.01 --set epochs=3 (repeatable).
        resume: go on with a run that was stopped.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.data.folder import data_folder
    from mien.runtime import choose
    from mien.tasks.training.known import find
    from mien.train.adain_recipe import AdaINRecipe
    from mien.train.adain_session import learn_adain
    from mien.train.detect_recipe import DetectRecipe
    from mien.train.detect_session import learn_detector
    from mien.train.enlarge_session import learn_enlarger
    from mien.train.gan_recipe import GANRecipe
    from mien.train.gan_session import learn_gan
    from mien.train.generate_recipe import GenerateRecipe
    from mien.train.generate_session import learn_generator
    from mien.train.metric_session import learn_embedder
    from mien.train.recipe import AdversarialEnlargeRecipe, EnlargeRecipe, MetricRecipe, Recipe, settings
    from mien.train.session import learn
    from mien.train.style_recipe import StyleRecipe
    from mien.train.style_session import learn_styles

    chosen = settings(set_, find(recipe))
    source = (data or data_folder()) / chosen.data
    folder = out or Path("runs") / recipe.replace("/", "-")
    learners: dict[type, Any] = {Recipe: learn, MetricRecipe: learn_embedder, EnlargeRecipe: learn_enlarger,
                                 AdversarialEnlargeRecipe: learn_enlarger, AdaINRecipe: learn_adain,
                                 StyleRecipe: learn_styles, GenerateRecipe: learn_generator, GANRecipe: learn_gan,
                                 DetectRecipe: learn_detector}  # fmt: skip
    return learners[type(chosen)](
        chosen, source, folder, minutes=minutes, runtime=choose(device, precision), resume=resume, label=recipe
    )


def tune(
    recipe: str,
    ranges: Annotated[tuple[str, ...], Parameter(name="--range", consume_multiple=True)],
    *,
    data: Path | None = None,
    out: Path | None = None,
    trials: int = 40,
    minutes: float | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    device: str = "auto",
    precision: str = "auto",
) -> Tuned:
    """Search a recipe's settings: a random pass over the ranges given, then finer ones around the best; the score is of dev pictures.

    OUT then holds every trial as a table, the best settings, and a parallel-coordinates picture. Started again, it goes on.

    Args:
        recipe: as `mien recipes` lists them.
        ranges: --range lr=1e-3..1:log --range batch=32..512:log:whole --range optimiser=sgd|adam
        data: the folder the recipe's data is in; by default the one named by MIEN_DATA.
        out: where trials are kept; by default runs/tune-RECIPE.
        trials: how many.
        minutes: a trial's time; by default what the recipe says.
        set_: change a setting for all trials: --set epochs=1 (repeatable).
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.tasks.training.trials import search_recipe

    return search_recipe(
        recipe, ranges, data, out or Path("runs") / f"tune-{recipe.replace('/', '-')}", trials, minutes, set_, device, precision
    )


COMMANDS = (recipes, train, tune)
