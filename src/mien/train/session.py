"""A supervised training from a data set to a run folder: model, card, curves, confusion matrix, worst mistakes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.examples import Examples, partition, parts, read_examples
from mien.metrics.classification import confusion_matrix
from mien.models.classifier import save
from mien.progress import say
from mien.runtime import Runtime
from mien.train import report
from mien.train.loop import fit
from mien.train.recipe import Recipe
from mien.train.run_folder import (
    CARD,
    MODEL,
    PARTITION,
    RECIPE,
    advice,
    check_folder,
    claimed,
    computing,
    effort,
    first_process,
    remember,
    write_card,
)
from mien.train.supervised import Part, SupervisedTask
from mien.train.types import Event, Every, Fitted
from mien.types import Learned

BEST = "best.safetensors"


@dataclass(frozen=True)
class Prepared:
    """Pictures as a training needs them."""

    classes: tuple[str, ...]
    train: Part
    dev: Part | None
    test: Part | None
    split: dict[str, list[int]]
    """Which pictures of the training part are train, dev and (where the data has no test part) test."""


def part(examples: Examples, which: np.ndarray | None = None) -> Part:
    """Examples, or some of them, as tensors."""
    images, labels = (examples.images, examples.labels) if which is None else (examples.images[which], examples.labels[which])
    return Part(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(np.asarray(labels)))


def prepare(recipe: Recipe, source: Path, channels: Literal[1, 3] | None = None) -> Prepared:
    """Read and divide: the data's own dev and test parts where it has them, else `recipe.dev` of it for dev, a tenth for test.

    `channels`: 1 makes grey, 3 colour; None: as the pictures are.
    """
    there = parts(source)
    known, dev, test = (
        read_examples(source, name, recipe.size, channels) if name in there else None for name in ("train", "dev", "test")
    )
    assert known
    wanted = {"train": 1.0, "dev": 0.0 if dev else recipe.dev, "test": 0.0 if test else 0.1}
    wanted["train"] -= wanted["dev"] + wanted["test"]
    if wanted["train"] <= 0:
        raise ValueError(f"dev={recipe.dev:g} leaves nothing to train on: a tenth is for the test, as {source} has no test pictures")
    pieces = partition(known.labels, [share for share in wanted.values() if share], recipe.seed)
    split = dict(zip([name for name, share in wanted.items() if share], pieces, strict=True))
    some = {name: part(known, which) for name, which in split.items()}
    own = {name: part(examples) for name, examples in (("dev", dev), ("test", test)) if examples and (name == "test" or recipe.dev)}
    if recipe.names and len(recipe.names) != len(known.classes):
        raise ValueError(f"the recipe has names for {len(recipe.names)} classes, {source} has {len(known.classes)}")
    return Prepared(
        recipe.names or known.classes,
        some["train"],
        (some | own).get("dev"),
        (some | own).get("test"),
        {k: v.tolist() for k, v in split.items()},
    )


def learn(
    recipe: Recipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    net: nn.Sequential | None = None,
    label: str = "train",
    ready: Prepared | None = None,
) -> Learned:
    """Train `recipe` on the data in `source`; everything about it is in `out` afterwards. `net`: trained weights to start from.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there.
    """
    runtime = computing(runtime)
    ready = ready or prepare(recipe, source)
    with claimed(out):
        if first_process():
            check_folder(recipe, out, resume)
        task = SupervisedTask(recipe, ready.classes, ready.train, ready.dev, net)
        task.advice = advice(recipe)
        if first_process():
            remember(recipe, ready.split, out)
            shown = f"{len(ready.train)} pictures of {len(ready.classes)} classes, {task.steps} steps of {task.batch}"
            say(f"{label}: {shown}; {runtime.reason}")
        fitted = fit(
            task,
            out,
            steps=task.steps,
            minutes=minutes,
            runtime=runtime,
            resume=resume,
            seed=recipe.seed,
            evaluate=Every(steps=max(task.epoch_steps, task.steps // 100)),
            stop_on_plateau=recipe.patience > 0,
            least_gain=0.0,
            patience=recipe.patience or sys.maxsize,
            label=label,
            on_event=_best_keeper(task, out) if recipe.patience and first_process() else None,
        )
        return conclude(task, ready, fitted, out)


def conclude(task: SupervisedTask, ready: Prepared, fitted: Fitted, out: Path) -> Learned:
    """Write what a finished (or interrupted) training leaves behind, and sum it up."""
    if not first_process():
        return _summary(task, ready, fitted, out, None, None, ())
    if task.recipe.patience and (out / BEST).is_file():
        _take_best(task, out)
    elif task.recipe.average:
        task.settle()
    save(out / MODEL, task.result, task.plan)
    files = [MODEL, RECIPE, PARTITION]
    if fitted.history:
        report.curves(list(fitted.history), out / "curves.png")
        files.append("curves.png")
    accuracy = loss = None
    if ready.test:
        accuracy, loss = _test(task.predict(ready.test.images), ready, out)
        files += ["confusion.png", "mistakes.png"]
    learned = _summary(task, ready, fitted, out, accuracy, loss, (*files, CARD))
    describe(task, learned)
    return learned


def _summary(
    task: SupervisedTask,
    ready: Prepared,
    fitted: Fitted,
    out: Path,
    accuracy: float | None,
    loss: float | None,
    files: tuple[str, ...],
) -> Learned:
    last = fitted.history[-1] if fitted.history else {}
    return Learned(
        out,
        task.recipe.network,
        sum(p.numel() for p in task.net.parameters()),
        len(ready.classes),
        {name: len(p) if p else 0 for name, p in (("train", ready.train), ("dev", ready.dev), ("test", ready.test))},
        round(fitted.steps / task.epoch_steps, 2),
        round(fitted.seconds, 1),
        round(fitted.items_per_second, 1),
        round(last.get("train/accuracy", 0.0), 4),
        last.get("dev/accuracy"),
        accuracy,
        loss,
        fitted.reason,
        files,
    )


def describe(task: SupervisedTask, learned: Learned) -> None:
    """Write the card of the model in the run folder."""
    count, shape = learned.classes, ", ".join(map(str, task.plan.shape))
    told = {
        "title": f"{task.recipe.network}, {count} classes",
        "what": f"tells {', '.join(task.plan.classes[:12])}{' and more' if count > 12 else ''} apart",
        "input": f"(B, {shape}) RGB or grey, 0..255 or 0..1",
        "training_data": f"{learned.pictures['train']} pictures of {task.recipe.data}",
        "parameters": learned.parameters,
        "kind": "classifier",
    }
    found = {"dev": learned.dev_accuracy, "test": learned.test_accuracy}
    scores = [(f"{name} accuracy", value, f"{learned.pictures[name]} pictures held back, one run, seed {task.recipe.seed}")
              for name, value in found.items() if value is not None]  # fmt: skip
    spent = effort(f"{learned.epochs:g} epochs", learned.seconds, learned.images_per_second)
    write_card(learned.out, task.recipe, told, spent, scores)


def _test(chances: Tensor, ready: Prepared, out: Path) -> tuple[float, float]:
    """Accuracy and mean negative log likelihood on the test pictures; draws confusion and mistakes."""
    assert ready.test
    labels, predictions = ready.test.labels.cpu().numpy(), chances.argmax(1).numpy()
    report.confusion(confusion_matrix(labels, predictions, len(ready.classes)), ready.classes, out / "confusion.png")
    report.mistakes(ready.test.images.cpu().numpy(), labels, predictions, chances.numpy(), ready.classes, out / "mistakes.png")
    return float((predictions == labels).mean()), float(F.nll_loss(chances.clamp_min(1e-12).log(), ready.test.labels.cpu()))


def _best_keeper(task: SupervisedTask, out: Path) -> Any:
    """After every evaluation: if the score is the best so far, keep these weights."""

    def keep(event: Event) -> None:
        if event.kind == "evaluated" and event.values.get("score", task.best) > task.best:
            task.best = event.values["score"]
            save(out / BEST, task.result, task.plan)

    return keep


def _take_best(task: SupervisedTask, out: Path) -> None:
    from mien.models.classifier import load

    net, _ = load(out / BEST)
    task.result.load_state_dict(net.state_dict())
