"""A supervised training from a data set to a run folder: model, card, curves, confusion matrix, worst mistakes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.examples import Examples, partition, parts, read_examples
from mien.data.files import atomic
from mien.data.locked import locked
from mien.metrics.classification import confusion_matrix
from mien.models.classifier import save
from mien.nn.memory import keep_freed_memory
from mien.progress import say
from mien.runtime import Runtime, choose
from mien.train import report
from mien.train.checkpoint import latest_step
from mien.train.loop import fit
from mien.train.recipe import CHANGEABLE, Recipe, Training
from mien.train.supervised import Part, SupervisedTask
from mien.train.types import Event, Every, Fitted
from mien.types import Learned

MODEL, BEST, RECIPE, PARTITION = "model.safetensors", "best.safetensors", "recipe.json", "partition.json"
CHANGES = "changes"
"""In the stored recipe beside the settings: what was changed when the run was resumed; the step, and setting -> before, after."""


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
    runtime = runtime or choose()
    if runtime.device.type == "cpu":
        keep_freed_memory()
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


def claimed(out: Path) -> AbstractContextManager[None]:
    """Hold the run folder from the look at its settings to the card; of several processes the first does it."""
    return locked(out, f"{out} is being trained") if first_process() else nullcontext()


def advice(recipe: Training) -> str:
    """What to do when the loss is not finite for the second time."""
    return f"lower the learning rate (--resume --set lr={recipe.lr / 10:g} goes on from the last good step)"


def first_process() -> bool:
    """Whether this is the only process, or the one of several that writes files."""
    return os.environ.get("RANK", "0") == "0"


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
    learned = _summary(task, ready, fitted, out, accuracy, loss, (*files, "card.toml"))
    with atomic(out / "card.toml") as draft:
        draft.write_text(card_text(task, learned), encoding="utf-8")
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


def card_text(task: SupervisedTask, learned: Learned) -> str:
    """A card for the model in the run folder: what is known of it, in the form of `mien.weights`' cards."""
    data = (learned.out / MODEL).read_bytes()
    changed = {
        f.name: v
        for f in dataclasses.fields(Recipe)
        if (v := getattr(task.recipe, f.name)) != f.default and f.name not in ("network", "data")
    }
    settings = ", ".join(f"{name} {dict(v) if isinstance(v, dict) else v}" for name, v in changed.items() if v != {})
    shape = ", ".join(map(str, task.plan.shape))
    # A finished run that is resumed makes no step, so it has no speed.
    speed = f", {learned.images_per_second:g} pictures a second" if learned.images_per_second else ""
    lines = {
        "title": f"{task.recipe.network}, {learned.classes} classes",
        "what": f"tells {', '.join(task.plan.classes[:12])}{' and more' if learned.classes > 12 else ''} apart",
        "paper": "",
        "licence": "",
        "input": f"(B, {shape}) RGB or grey, 0..255 or 0..1",
        "training_data": f"{learned.pictures['train']} pictures of {task.recipe.data}",
        "recipe": f"{settings}; {learned.epochs:g} epochs, {learned.seconds:g} s{speed}{told_changes(learned.out)}",
        "parameters": learned.parameters,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "format": "safetensors",
        "kind": "classifier",
    }
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    for name, value in (("dev accuracy", learned.dev_accuracy), ("test accuracy", learned.test_accuracy)):
        if value is not None:
            count = learned.pictures[name.split()[0]]
            protocol = f"{count} pictures held back, one run, seed {task.recipe.seed}"
            text += f'\n[[scores]]\nname = "{name}"\nvalue = {value:.4f}\nprotocol = "{protocol}"\n'
    return text


def _test(chances: Tensor, ready: Prepared, out: Path) -> tuple[float, float]:
    """Accuracy and mean negative log likelihood on the test pictures; draws confusion and mistakes."""
    assert ready.test
    labels, predictions = ready.test.labels.cpu().numpy(), chances.argmax(1).numpy()
    report.confusion(confusion_matrix(labels, predictions, len(ready.classes)), ready.classes, out / "confusion.png")
    report.mistakes(ready.test.images.cpu().numpy(), labels, predictions, chances.numpy(), ready.classes, out / "mistakes.png")
    return float((predictions == labels).mean()), float(F.nll_loss(chances.clamp_min(1e-12).log(), ready.test.labels.cpu()))


def _as_json(recipe: Training) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(recipe)))


def check_folder(recipe: Training, out: Path, resume: bool) -> None:
    """ValueError where `out` holds a run that this recipe cannot go on with, or one that was not asked to be resumed."""
    changed = differences(recipe, out)
    if changed is None:
        return
    shown = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
    if set(changed) - set(CHANGEABLE):
        why = f"it was started with other settings ({shown}), of which --resume can change {', '.join(CHANGEABLE)} alone"
    elif not resume:
        why = "--resume goes on with it" + (f" and changes {shown}" if changed else "")
    else:
        return
    raise ValueError(f"{out} holds a run already: {why}; or name another folder")


def differences(recipe: Training, out: Path) -> dict[str, tuple[Any, Any]] | None:
    """Setting -> as the run in `out` has it, as `recipe` has it, where they differ; None where there is no run."""
    before = _stored(out)
    if before is None:
        return None
    return {name: (before.get(name), value) for name, value in _as_json(recipe).items() if before.get(name) != value}


def _stored(out: Path) -> dict[str, Any] | None:
    """The settings of the run in `out`; None where there is none: one without a step is none."""
    if not (out / RECIPE).is_file() or latest_step(out) is None:
        return None
    return json.loads((out / RECIPE).read_text(encoding="utf-8"))


def told_changes(out: Path) -> str:
    """For a card, what was changed when the run was resumed: "; lr 0.5 -> 0.05 from step 120"."""
    words = []
    for one in (_stored(out) or {}).get(CHANGES, []):
        values = ", ".join(f"{name} {pair[0]} -> {pair[1]}" for name, pair in one.items() if name != "step")
        words.append(f"; {values} from step {one['step']}")
    return "".join(words)


def remember(recipe: Training, split: Mapping[str, Any], out: Path) -> None:
    """Store recipe and split with the run; what a resumed run changes is kept as its history."""
    changed, history = differences(recipe, out), (_stored(out) or {}).get(CHANGES, [])
    if changed:
        history = [*history, {"step": latest_step(out), **changed}]
    settings = _as_json(recipe) | ({CHANGES: history} if history else {})
    for name, value in ((RECIPE, settings), (PARTITION, split)):
        with atomic(out / name) as draft:
            draft.write_text(json.dumps(value), encoding="utf-8")


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
