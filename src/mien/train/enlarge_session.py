"""The training of an enlarger from folders of pictures to a run folder: model, card, curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mien.data.pictures import read_picture
from mien.data.sources import PICTURES, natural
from mien.models.enlarger import COLOURED, load, save
from mien.progress import Progress
from mien.runtime import Runtime
from mien.train import report
from mien.train.adversarial import AdversarialEnlargeTask
from mien.train.enlarge import EnlargeTask, brightness
from mien.train.recipe import AdversarialEnlargeRecipe, EnlargeRecipe
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
from mien.types import LearnedEnlarger

TASKS: dict[type[EnlargeRecipe], Any] = {EnlargeRecipe: EnlargeTask, AdversarialEnlargeRecipe: AdversarialEnlargeTask}
INPUTS = {False: "(B, 1, h, w) brightness (MATLAB's Y) in 0..1", True: "(B, 3, h, w) RGB in 0..1"}
"""Whether a network takes colour -> what it takes."""


def pictures_in(source: Path, parts: tuple[str, ...]) -> list[Path]:
    """Every picture in these folders below `source` (none: in `source`), in order. ValueError where there is none."""
    folders = [source / part for part in parts] or [source]
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: expected pictures to learn from there")
    found = [path for folder in folders for path in sorted(folder.rglob("*"), key=lambda p: natural(str(p)))
             if path.suffix.lower().lstrip(".") in PICTURES]  # fmt: skip
    if not found:
        raise ValueError(f"no picture in {', '.join(map(str, folders))}")
    return found


def learn_enlarger(
    recipe: EnlargeRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedEnlarger:
    """Train `recipe` on the pictures in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there.
    """
    runtime = computing(runtime)
    paths = pictures_in(source, recipe.parts)
    if len(paths) <= recipe.dev:
        raise ValueError(f"{source} has {len(paths)} pictures, of which dev={recipe.dev} are held back: none is left to learn from")
    held = set(np.random.default_rng(recipe.seed).permutation(len(paths))[:recipe.dev].tolist())
    with Progress("read", total=len(paths), unit="pictures") as bar:
        images = []
        for path in paths:
            image = read_picture(path)
            images.append(image if recipe.network in COLOURED else brightness(image))
            bar.advance()
    names = {"train": [str(path.relative_to(source)) for i, path in enumerate(paths) if i not in held],
             "dev": [str(paths[i].relative_to(source)) for i in sorted(held)]}  # fmt: skip
    learnt, watched = [one for i, one in enumerate(images) if i not in held], [images[i] for i in sorted(held)]
    start = load(starting_file(recipe.start, "enlarger")) if recipe.start else None
    with trained(
        recipe, out, lambda: TASKS[type(recipe)](recipe, learnt, watched, start), names,
        lambda task: f"{len(learnt)} pictures, {task.steps} steps of {recipe.batch} patches",
        lambda task: Every(steps=max(task.steps // 50, 1), seconds=600), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, names, fitted, out)


def _conclude(task: EnlargeTask, names: dict[str, list[str]], fitted: Fitted, out: Path) -> LearnedEnlarger:
    files = [MODEL, RECIPE, PARTITION]
    if first_process():
        save(out / MODEL, task.result, task.plan)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files.append("curves.png")
    last = fitted.history[-1] if fitted.history else {}
    found = {name.removeprefix("dev/").removesuffix(" dB"): round(value, 3) for name, value in last.items() if name.endswith(" dB")}
    kept = sum(p.numel() for p in load(out / MODEL)[0].parameters()) if (out / MODEL).is_file() else 0
    learned = LearnedEnlarger(
        out, task.recipe.network, kept, tuple(task.recipe.scales), {name: len(some) for name, some in names.items()},
        round(fitted.steps / task.epoch_steps, 2), round(fitted.seconds, 1), round(fitted.items_per_second, 1), found,
        fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def describe(task: EnlargeTask, learned: LearnedEnlarger) -> None:
    """Write the card of the model in the run folder."""
    scales = ", ".join(f"x{scale}" for scale in learned.scales)
    told = {
        "title": f"{learned.network}, {scales}",
        "what": f"enlarges pictures ({scales})",
        "input": INPUTS[task.recipe.network in COLOURED],
        "training_data": f"{learned.pictures['train']} pictures of {task.recipe.data}",
        "parameters": learned.parameters,
        "kind": "enlarger",
    }
    protocol = f"mean of {learned.pictures['dev']} pictures held back, Y, {{}} pixels of each border left out"
    scores = [(f"PSNR {scale}, dB", value, protocol.format(scale.removeprefix("x"))) for scale, value in learned.psnr.items()]
    spent = effort(f"{learned.epochs:g} epochs", learned.seconds, learned.patches_per_second, "patches")
    write_card(learned.out, task.recipe, told, spent, scores)
