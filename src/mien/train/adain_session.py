"""The training of a decoder for any style from folders of pictures to a run folder: model, card, curves, a sheet of examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.data.pictures import read_picture
from mien.models.adain import AdaIN
from mien.models.stylizer import Plan, save
from mien.runtime import Runtime
from mien.train import report
from mien.train.adain import AdaINTask
from mien.train.adain_recipe import AdaINRecipe
from mien.train.enlarge_session import pictures_in
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
from mien.train.style_session import learnt_before
from mien.train.types import Every, Fitted
from mien.types import LearnedStylizer


def learn_adain(
    recipe: AdaINRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedStylizer:
    """Train `recipe` on the pictures in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there, or VGG16's weights cannot be had.
    """
    runtime = computing(runtime)
    start = learnt_before(recipe.start) if recipe.start else None
    if not (start is None or isinstance(start, AdaIN)):
        raise ValueError(f"start={recipe.start}: expected a network for any style, found {type(start).__name__}")
    paths = pictures_in(source, recipe.parts)
    if len(paths) <= recipe.dev:
        raise ValueError(f"{source} has {len(paths)} pictures, of which dev={recipe.dev} are held back: none is left to learn from")
    held = set(np.random.default_rng(recipe.seed).permutation(len(paths))[:recipe.dev].tolist())
    paintings = [read_picture(source / name) for name in recipe.styles]
    images = [read_picture(path) for path in paths]
    names = {"train": [str(path.relative_to(source)) for i, path in enumerate(paths) if i not in held],
             "dev": [str(paths[i].relative_to(source)) for i in sorted(held)], "styles": list(recipe.styles)}  # fmt: skip
    learnt, watched = [one for i, one in enumerate(images) if i not in held], [images[i] for i in sorted(held)]
    with trained(
        recipe, out, lambda: AdaINTask(recipe, learnt, paintings, watched, start=start), names,
        lambda task: f"{len(learnt)} photos, {len(paintings)} paintings, {task.steps} steps of {recipe.batch} crops",
        lambda task: Every(steps=max(task.steps // 20, 1), seconds=300), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, names, fitted, out)


def _conclude(task: AdaINTask, names: dict[str, list[str]], fitted: Fitted, out: Path) -> LearnedStylizer:
    files = [MODEL, RECIPE, PARTITION, "preview.jpg"]
    plan = Plan("adain")
    last = fitted.history[-1] if fitted.history else {}
    if first_process():
        save(out / MODEL, task.result, plan)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files.append("curves.png")
    learned = LearnedStylizer(
        out, plan.network, sum(p.numel() for p in task.net.parameters()), (), {name: len(some) for name, some in names.items()},
        fitted.steps, round(fitted.seconds, 1), round(fitted.items_per_second, 2),
        {name.removeprefix("dev/"): round(value, 4) for name, value in last.items() if name.startswith("dev/")},
        fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def describe(task: AdaINTask, learned: LearnedStylizer) -> None:
    """Write the card of the model in the run folder."""
    recipe = task.recipe
    told = {
        "title": "Any style in one pass",
        "what": "draws a picture in the style of another; a decoder for VGG16's relu3_1 with adaptive instance normalisation",
        "paper": "Huang and Belongie 2017 (arXiv 1703.06868)",
        "input": "(B, 3, H, W) RGB in 0..1, and a style picture; VGG16's weights beside it",
        "training_data": f"{learned.pictures['train']} photos of {', '.join(recipe.parts)}; styles: {', '.join(recipe.styles)}, drawn "
        "textures, photos",
        "parameters": learned.parameters,
        "kind": "stylizer",
    }
    protocol = f"{learned.pictures['dev']} photos held back in two styles each; squared errors in units of the maps' deviation"
    scores = [(f"{name} loss", value, protocol) for name, value in learned.costs.items()]
    write_card(learned.out, recipe, told, effort(f"{learned.steps} steps", learned.seconds, learned.crops_per_second, "crops"), scores)
