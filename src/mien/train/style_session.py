"""The training of a style network from photographs and style pictures to a run folder: model, card, curves, a sheet of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mien.data.drawn import DRAWN
from mien.data.pictures import read_picture
from mien.models.style_net import StyleNet, own_style
from mien.models.stylizer import Plan, load, save
from mien.progress import Progress
from mien.runtime import Runtime
from mien.train import report
from mien.train.enlarge_session import pictures_in
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
from mien.train.style import StyleTask
from mien.train.style_recipe import StyleRecipe
from mien.train.types import Every, Fitted
from mien.types import LearnedStylizer


def style_pictures(recipe: StyleRecipe, source: Path) -> dict[str, np.ndarray]:
    """Name -> (H, W, 3) uint8 of every style. ValueError where there is none, or a picture is not there."""
    asked = [*recipe.styles, *([recipe.style] if recipe.style else [])]
    if not asked:
        raise ValueError("no style to learn: --set style=PICTURE names one")
    found = {}
    for one in asked:
        name, _, style = one.rpartition("=")
        if style in DRAWN:
            found[name or style] = DRAWN[style]()
            continue
        path = next((path for path in (Path(style), source / style) if path.is_file()), None)
        if path is None:
            raise ValueError(f"no style picture {style}: expected a file, one below {source}, or one of {', '.join(DRAWN)}")
        found[name or path.stem] = read_picture(path)
    if len(found) < len(asked):
        raise ValueError(f"two of the styles {', '.join(asked)} have one name: --set style=NAME=PICTURE gives another")
    return found


def begun(recipe: StyleRecipe, styles: int) -> StyleNet:
    """The network to train: new, or one that was trained on other styles. ValueError where that is none."""
    torch.manual_seed(recipe.seed)
    if not recipe.start:
        return StyleNet(**{**recipe.options, "styles": styles})
    net = learnt_before(recipe.start)
    if not isinstance(net, StyleNet):
        raise ValueError(f"start={recipe.start}: expected a style network with styles of its own, found {type(net).__name__}")
    return own_style(net, torch.full((net.styles,), 1 / net.styles), styles)


def learnt_before(start: str) -> nn.Module:
    """The network that `start` names: a bundled one, a model file or a run folder. ValueError where there is none."""
    return load(starting_file(start, "stylizer"))[0]


def learn_styles(
    recipe: StyleRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedStylizer:
    """Train `recipe` on the photographs in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there, or VGG16's weights cannot be had.
    """
    runtime = computing(runtime)
    styles = style_pictures(recipe, source)
    net = begun(recipe, len(styles))
    paths = pictures_in(source, recipe.parts)
    if len(paths) <= recipe.dev:
        raise ValueError(f"{source} has {len(paths)} pictures, of which dev={recipe.dev} are held back: none is left to learn from")
    with Progress("read", total=len(paths), unit="pictures") as bar:
        images = []
        for path in paths:
            images.append(read_picture(path))
            bar.advance()
    large = [i for i, image in enumerate(images) if min(image.shape[:2]) >= recipe.patch]
    held = set(np.random.default_rng(recipe.seed).permutation(large)[:recipe.dev].tolist())
    names = {"train": [str(paths[i].relative_to(source)) for i in large if i not in held],
             "dev": [str(paths[i].relative_to(source)) for i in sorted(held)]}  # fmt: skip
    learnt, watched = [images[i] for i in large if i not in held], [images[i] for i in sorted(held)]
    with trained(
        recipe, out, lambda: StyleTask(recipe, net, styles, learnt, watched), names,
        lambda task: f"{', '.join(styles)}; {len(learnt)} photographs, {task.steps} steps of {task.items}",
        lambda task: Every(steps=max(task.steps // 50, 1), seconds=300), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, names, fitted, out)


def _conclude(task: StyleTask, names: Mapping[str, list[str]], fitted: Fitted, out: Path) -> LearnedStylizer:
    files, net = [MODEL, RECIPE, PARTITION], task.result
    assert isinstance(net, StyleNet)
    if first_process():
        save(out / MODEL, net, Plan(task.recipe.network, net.options, task.styles))
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files.append("curves.png")
    last = fitted.history[-1] if fitted.history else {}
    learned = LearnedStylizer(
        out, task.recipe.network, sum(p.numel() for p in net.parameters()), task.styles,
        {name: len(some) for name, some in names.items()}, fitted.steps, round(fitted.seconds, 1), round(fitted.items_per_second, 2),
        {name.removeprefix("dev/"): round(value, 4) for name, value in last.items() if name.startswith("dev/")},
        fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def describe(task: StyleTask, learned: LearnedStylizer) -> None:
    """Write the card of the model in the run folder."""
    names = ", ".join(learned.styles)
    told = {
        "title": f"{learned.network}: {names}",
        "what": f"restyles pictures in one pass: {names}",
        "paper": "after Johnson et al. 2016 (arXiv 1603.08155) and Dumoulin et al. 2017 (arXiv 1610.07629)",
        "input": "(B, 3, H, W) RGB in 0..1, and weights of the styles",
        "training_data": f"{learned.pictures['train']} photographs; style pictures {names}",
        "parameters": learned.parameters,
        "kind": "stylizer",
    }
    protocol = f"mean of {learned.pictures['dev']} photographs held back, relative and weighted as in training"
    scores = [(f"{name} cost", value, protocol) for name, value in learned.costs.items()]
    write_card(learned.out, task.recipe, told, effort(f"{learned.steps} steps", learned.seconds, learned.crops_per_second), scores)
