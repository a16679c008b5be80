"""An adversarial training from a data set to a run folder: model, card, curves, sheets from the same noise and their film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.data.examples import CIFAR10, read_examples
from mien.data.loose import read_images
from mien.data.moving import write_moving
from mien.data.pictures import read_picture
from mien.models.generator import save
from mien.runtime import Runtime
from mien.train import report
from mien.train.gan import GANTask
from mien.train.gan_recipe import GANRecipe
from mien.train.run_folder import (
    CARD,
    MODEL,
    PARTITION,
    RECIPE,
    computing,
    effort,
    first_process,
    trained,
    write_card,
)
from mien.train.types import Every, Fitted
from mien.types import LearnedGAN

SHEETS, FILM = "sheets", "sheets.webp"
FRAMES = 100
"""Sheets in a film, at most."""


def learn_gan(
    recipe: GANRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedGAN:
    """Train `recipe` on the data in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there, or the training came to nothing twice.
    """
    runtime = computing(runtime)
    images, labels, names = read_for(recipe, source)
    with trained(
        recipe, out, lambda: GANTask(recipe, images, labels, names, out / SHEETS if first_process() else None), {},
        lambda task: f"{len(images)} pictures, {task.steps} rounds of {recipe.judge_steps} x {task.items}",
        lambda task: Every(steps=max(task.steps // 40, 1), seconds=300), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, fitted, out)


def read_for(recipe: GANRecipe, source: Path) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Pictures, and of a conditional recipe labels and their names."""
    if not recipe.conditional:
        return read_images(source, recipe.size), None, ()
    found = read_examples(source, "train", recipe.size)
    plain = tuple(map(str, range(10))) == found.classes and recipe.data == "cifar10"
    return found.images, found.labels, CIFAR10 if plain else found.classes


def _conclude(task: GANTask, fitted: Fitted, out: Path) -> LearnedGAN:
    files = [MODEL, RECIPE, PARTITION]
    if first_process():
        task.settle()
        save(out / MODEL, task.result, task.plan)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files += ["curves.png", "preview.jpg"]
        film(sorted((out / SHEETS).glob("step-*.png")), out / FILM)
        files += [SHEETS, FILM]
    generator, judge = (sum(p.numel() for p in net.parameters()) for net in (task.net, task.judge))
    spread = fitted.history[-1].get("dev/spread") if fitted.history else None
    learned = LearnedGAN(
        out, task.recipe.network, generator, judge, len(task.train), len(task.plan.labels), fitted.steps,
        round(fitted.steps / task.epoch_steps, 2), round(fitted.seconds, 1),
        round(fitted.items_per_second * task.recipe.judge_steps, 1), None if spread is None else round(spread, 3),
        fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def film(sheets: Sequence[Path], path: Path) -> None:
    """The sheets one after the other, evenly thinned out to `FRAMES`; the last is among them."""
    places = np.unique(np.linspace(0, len(sheets) - 1, min(len(sheets), FRAMES)).round().astype(int))
    write_moving(path, [read_picture(sheets[place]) for place in places])


def describe(task: GANTask, learned: LearnedGAN) -> None:
    """Write the card of the model in the run folder."""
    plan, recipe = task.plan, task.recipe
    colour = "in colour" if plan.channels == 3 else "grey"
    told = {
        "title": f"{learned.network}, {plan.side} pixels",
        "what": f"draws pictures like those it learnt from, {plan.side} x {plan.side}, {colour}",
        "input": "a seed" + (f" and a label: {', '.join(plan.labels)}" if plan.labels else ""),
        "training_data": f"{learned.pictures} pictures of {recipe.data}",
        "parameters": learned.parameters,
        "kind": "generator",
    }
    spent = effort(f"{learned.steps} rounds, {learned.epochs:g} epochs", learned.seconds, learned.pictures_per_second)
    protocol = "mean distance of two of 64 samples (of one label), over that of real pictures; not a measure of how good they look"
    scores = [] if learned.spread is None else [("spread", learned.spread, protocol)]
    write_card(learned.out, recipe, told, spent, scores)
