"""The training of a generator from a data set to a run folder: model, card, curves, a sheet of what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.data.examples import read_examples
from mien.models.generator import load, save
from mien.runtime import Runtime
from mien.train import report
from mien.train.generate import GenerateTask
from mien.train.generate_recipe import GenerateRecipe
from mien.train.run_folder import (
    CARD,
    MODEL,
    PARTITION,
    RECIPE,
    computing,
    effort,
    first_process,
    starting_file,
    trained,
    write_card,
)
from mien.train.types import Every, Fitted
from mien.types import LearnedGenerator


def learn_generator(
    recipe: GenerateRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedGenerator:
    """Train `recipe` on the data in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there.
    """
    runtime = computing(runtime)
    images = read_examples(source, "train", recipe.size, 1).images
    if len(images) <= recipe.dev:
        raise ValueError(f"{source} has {len(images)} pictures, of which dev={recipe.dev} are held back: none is left to learn from")
    held = np.sort(np.random.default_rng(recipe.seed).permutation(len(images))[:recipe.dev])
    rest = np.setdiff1d(np.arange(len(images)), held)
    start = load(starting_file(recipe.start, "generator")) if recipe.start else None
    with trained(
        recipe, out, lambda: GenerateTask(recipe, images[rest], images[held], start), {"dev": held.tolist()},
        lambda task: f"{len(rest)} pictures, {task.steps} steps of {task.items}",
        lambda task: Every(steps=max(task.steps // 20, 1), seconds=300), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, fitted, out)


def _conclude(task: GenerateTask, fitted: Fitted, out: Path) -> LearnedGenerator:
    files = [MODEL, RECIPE, PARTITION]
    if first_process():
        save(out / MODEL, task.result, task.plan)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files += ["curves.png", "preview.jpg"]
    last = fitted.history[-1] if fitted.history else {}
    learned = LearnedGenerator(
        out, task.recipe.network, sum(p.numel() for p in task.net.parameters()),
        {"train": len(task.train), "dev": 0 if task.dev is None else len(task.dev)}, round(fitted.steps / task.epoch_steps, 2),
        round(fitted.seconds, 1), round(fitted.items_per_second, 1),
        {name.removeprefix("dev/"): round(value, 2) for name, value in last.items() if name.startswith("dev/")},
        fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def describe(task: GenerateTask, learned: LearnedGenerator) -> None:
    """Write the card of the model in the run folder."""
    side = task.plan.side
    told = {
        "title": f"{learned.network}, {side} pixels",
        "what": f"draws pictures like those it learnt from, {side} x {side} in black and white",
        "input": "a seed",
        "training_data": f"{learned.pictures['train']} pictures of {task.recipe.data}",
        "parameters": learned.parameters,
        "kind": "generator",
    }
    protocol = f"mean of {learned.pictures['dev']} pictures held back, white with a chance of their grey value, drawn once"
    bound = "nats, upper bound" if learned.network == "vae" else "nats"
    scores = [(bound if name == "nats" else f"nats, {name}", value, protocol) for name, value in learned.nats.items()]
    spent = effort(f"{learned.epochs:g} epochs", learned.seconds, learned.pictures_per_second)
    write_card(learned.out, task.recipe, told, spent, scores)
