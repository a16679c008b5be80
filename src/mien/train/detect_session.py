"""The training of a detector from a data set with boxes to a run folder: model, card, curves, a sheet of what it finds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mien.data.box_augment import Seen
from mien.data.detection_sets import BoxSet, boxes_of, read_annotations, tell_division
from mien.data.pictures import read_picture
from mien.metrics.detection import curves, mean
from mien.models import efficientnet, vgg_features, vgg_start
from mien.models.detector import BUILDERS, Detector, Net, Plan, build, load, save
from mien.models.detectors import file_of
from mien.models.fast_rcnn import FastRCNN
from mien.models.faster_rcnn import FasterRCNN
from mien.models.localiser import Localiser
from mien.models.rcnn import RCNN
from mien.progress import Progress, say
from mien.runtime import Runtime
from mien.train import report
from mien.train.detect import BoxTask, DetectTask, shown
from mien.train.detect_fast import FastTask, proposed
from mien.train.detect_one import OneTask, largest
from mien.train.detect_rcnn import RCNNTask
from mien.train.detect_recipe import DetectRecipe, Generation
from mien.train.detect_steps import FourStepsTask
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
from mien.types import LearnedDetector

LEAST = 0.05
"""Score from which on a box counts in a measurement: AP wants all of them, these are nearly all."""

VGG16, LITE0 = "vgg16", "efficientnet-lite0"
"""The starts that are no detectors, but know ImageNet."""
NETS: dict[Generation, type[Net]] = {"one": Localiser, "rcnn": RCNN, "fast": FastRCNN, "faster": FasterRCNN, "four-steps": FasterRCNN}
PAPERS: dict[type[Net], str] = {
    Localiser: "after Sermanet et al. 2014 (arXiv 1312.6229)",
    RCNN: "after Girshick et al. 2014 (arXiv 1311.2524)",
    FastRCNN: "after Girshick 2015 (arXiv 1504.08083)",
    FasterRCNN: "after Ren et al. 2015 (arXiv 1506.01497) and Lin et al. 2017 (arXiv 1612.03144)",
}


@dataclass(frozen=True)
class Prepared:
    """A data set as a training needs it."""

    names: tuple[str, ...]
    train: list[Seen]
    dev: list[Seen]
    test: BoxSet | None
    files: dict[str, list[str]]
    """train, dev, test -> file names."""


def prepare(recipe: DetectRecipe, source: Path) -> Prepared:
    """Read the parts the recipe asks for. ValueError for a data set that will not do, or without a class the recipe names."""
    found = read_annotations(source)
    tell_division(found, source, (recipe.split, recipe.watched, recipe.tested))
    train = boxes_of(found, recipe.split, source)
    names = recipe.names or train.names
    if missing := set(names) - set(train.names):
        raise ValueError(f"{source} has no class {', '.join(sorted(missing))}: found {', '.join(train.names)}")
    parts = {"train": some(train, recipe.most)}
    for part, split in (("dev", recipe.watched), ("test", recipe.tested)):
        if split:
            try:
                parts[part] = boxes_of(found, split, source)
            except ValueError as error:  # a data set need not have every part
                say(f"without pictures for {part}: {error}")
    parts = {part: only(one, names) for part, one in parts.items()}
    seen = {part: _shown(one, recipe, part) for part, one in parts.items() if part != "test"}
    files = {part: [str(path) for path in one.files] for part, one in parts.items()}
    return Prepared(names, seen["train"], seen.get("dev", []), parts.get("test"), files)


def some(one: BoxSet, most: int) -> BoxSet:
    """At most so many of the pictures, evenly chosen; 0: all."""
    if not most or most >= len(one):
        return one
    chosen = np.linspace(0, len(one) - 1, most).round().astype(int).tolist()
    files, truths, keys = (tuple(column[i] for i in chosen) for column in (one.files, one.truths, one.keys))
    return BoxSet(one.names, files, truths, one.ids, keys)


def only(one: BoxSet, names: tuple[str, ...]) -> BoxSet:
    """The same pictures with the boxes of these classes alone, numbered in this order."""
    if names == one.names:
        return one
    number = np.array([names.index(name) if name in names else -1 for name in one.names])
    truths = []
    for truth in one.truths:
        label = number[truth.labels]
        truths.append(type(truth)(truth.boxes, label, truth.scores, truth.difficult).select(label >= 0))
    ids = tuple(one.ids[one.names.index(name)] for name in names)
    return BoxSet(names, one.files, tuple(truths), ids, one.keys)


def _shown(one: BoxSet, recipe: DetectRecipe, part: str) -> list[Seen]:
    pictures = []
    with Progress(f"read {part}", len(one), "pictures") as bar:
        for path, truth in zip(one.files, one.truths, strict=True):
            pictures.append(shown(read_picture(path), truth, recipe.side, recipe.longest))
            bar.advance()
    return pictures


def learn_detector(
    recipe: DetectRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
) -> LearnedDetector:
    """Train `recipe` on the data set in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there.
    """
    runtime = computing(runtime)
    ready = prepare(recipe, source)
    with trained(
        recipe, out, lambda: make(recipe, ready), ready.files,
        lambda task: f"{', '.join(ready.names)}; {len(ready.train)} pictures, {task.steps} steps of {recipe.batch}",
        lambda task: Every(steps=max(task.steps // 20, 1), seconds=300), minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, ready, fitted, out)


def make(recipe: DetectRecipe, ready: Prepared) -> BoxTask[Any]:
    """The task the recipe asks for. ValueError where its network is of another kind."""
    net = begun(recipe, ready.names)
    if not isinstance(net, NETS[recipe.how]):
        raise ValueError(f"how={recipe.how} trains a {NETS[recipe.how].__name__}, {recipe.network} is a {type(net).__name__}")
    if isinstance(net, FasterRCNN):
        return (FourStepsTask if recipe.how == "four-steps" else DetectTask)(recipe, net, ready.train, ready.dev)
    if isinstance(net, Localiser):
        return OneTask(recipe, net, ready.train, ready.dev)
    boxes = proposed([*ready.train, *ready.dev])
    if isinstance(net, FastRCNN):
        return FastTask(recipe, net, ready.train, ready.dev, boxes)
    return RCNNTask(recipe, net, ready.train, ready.dev, boxes)


def plan_of(recipe: DetectRecipe, names: tuple[str, ...]) -> Plan:
    """What the model file will say of the network."""
    return Plan(recipe.network, names, recipe.side, recipe.longest, dict(recipe.options))


def begun(recipe: DetectRecipe, names: tuple[str, ...]) -> Net:
    """The network to train: new, or one that was trained before; of other classes it keeps all but the last layers."""
    torch.manual_seed(recipe.seed)
    net = build(plan_of(recipe, names))
    if recipe.start in (VGG16, LITE0):
        body = net.features if isinstance(net, RCNN) else net.body
        try:
            if recipe.start == VGG16:
                vgg_start.begin(body, vgg_features.load(), recipe.frozen)
            else:
                efficientnet.begin(body, efficientnet.load())
        except ValueError as error:
            fitting = ", ".join(name for name in BUILDERS if name.endswith(recipe.start.removeprefix("efficientnet-")))
            raise ValueError(f"start={recipe.start} is for {fitting}, not for {recipe.network}: {error}") from None
    elif recipe.start:
        before, plan = load(file_of(recipe.start))
        state = before.state_dict()
        if plan.network != recipe.network:
            state = convolutions(state, net, f"start={recipe.start} is a {plan.network}, the recipe is for {recipe.network}")
        elif plan.names != names:
            state = {name: value for name, value in state.items() if not name.startswith(("classify.", "refine."))}
        net.load_state_dict(state, strict=False)
    return net


def convolutions(state: Mapping[str, Tensor], net: Net, wrong: str) -> dict[str, Tensor]:
    """Stem and stages of another network, by the names that `net` has for them. ValueError, saying `wrong`, where none fit."""
    part = "features" if isinstance(net, RCNN) else "body"
    own, found = net.state_dict(), {}
    for name, value in state.items():
        _, _, rest = name.partition(".")
        if rest.startswith(("stem.", "stages.")) and (mine := own.get(f"{part}.{rest}")) is not None and mine.shape == value.shape:
            found[f"{part}.{rest}"] = value
    if not found:
        raise ValueError(wrong)
    return found


def _conclude(task: BoxTask[Any], ready: Prepared, fitted: Fitted, out: Path) -> LearnedDetector:
    files, net = [MODEL, RECIPE, PARTITION], task.result
    assert isinstance(net, FasterRCNN | FastRCNN | RCNN | Localiser)
    plan = plan_of(task.recipe, ready.names)
    found, seconds = {}, 0.0
    if first_process():
        if isinstance(task, RCNNTask):
            task.finish()
        save(out / MODEL, net, plan)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files.append("curves.png")
        if ready.test:
            test = replace(ready.test, truths=tuple(map(largest, ready.test.truths))) if isinstance(task, OneTask) else ready.test
            found, seconds = scored(Detector(task.recipe.network, net, plan), test, task.runtime)
    count = {"train": len(ready.train), "dev": len(ready.dev), "test": len(ready.test or ())}
    learned = LearnedDetector(
        out, task.recipe.network, sum(p.numel() for p in net.parameters()), ready.names, count,
        round(fitted.steps / task.epoch_steps, 2), round(fitted.seconds, 1), round(fitted.items_per_second, 2), found,
        round(seconds, 4), fitted.reason, (*files, CARD),
    )  # fmt: skip
    if first_process():
        describe(task, learned)
    return learned


def scored(detector: Detector, test: BoxSet, runtime: Runtime) -> tuple[dict[str, float], float]:
    """AP at an IoU of 0.5 of every class and their mean; seconds a picture, one by one, decoding left out."""
    found, seconds = [], 0.0
    with Progress("test", len(test), "pictures") as bar:
        for path in test.files:
            image = read_picture(path)
            began = time.perf_counter()
            with runtime.autocast():
                found.append(detector(image, LEAST))
            seconds += time.perf_counter() - began
            bar.advance()
    every = {name: one.ap for name, one in zip(test.names, curves(test.truths, found, len(test.names)), strict=True)}
    every["mean"] = mean([*every.values()])
    say(", ".join(f"{name} {value:.3f}" for name, value in every.items()))
    return {name: round(value, 4) for name, value in every.items()}, seconds / max(len(test), 1)


def describe(task: BoxTask[Any], learned: LearnedDetector) -> None:
    """Write the card of the model in the run folder."""
    names: Sequence[str] = learned.names
    some = ", ".join(names[:12]) + (" and more" if len(names) > 12 else "")
    told = {
        "title": f"{learned.network}: {some}",
        "what": f"finds {some} in pictures",
        "paper": PAPERS[NETS[task.recipe.how]],
        "input": f"(B, 3, H, W) RGB in 0..1, the shorter side {task.recipe.side} pixels, the longer one {task.recipe.longest} at most",
        "training_data": f"{learned.pictures['train']} pictures of {task.recipe.data}",
        "parameters": learned.parameters,
        "kind": "detector",
    }
    protocol = f"{learned.pictures['test']} test pictures, IoU 0.5, all points, one run, seed {task.recipe.seed}"
    scores = [(f"AP50 {name}", value, protocol) for name, value in learned.ap50.items()]
    spent = effort(f"{learned.epochs:g} epochs", learned.seconds, learned.pictures_per_second)
    write_card(learned.out, task.recipe, told, spent, scores)
