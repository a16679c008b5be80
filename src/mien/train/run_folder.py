"""What a training keeps in its run folder beside checkpoints: the recipe and how it was changed, the split, a card of the model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from mien.data.files import atomic
from mien.data.locked import locked
from mien.models.planned import MODEL, model_file
from mien.nn.memory import keep_freed_memory
from mien.progress import say
from mien.runtime import Runtime, choose
from mien.train.checkpoint import latest_step
from mien.train.loop import fit
from mien.train.recipe import CHANGEABLE, Training
from mien.train.task import Measured
from mien.train.types import Every, Fitted
from mien.weights import cards

RECIPE, PARTITION, CARD = "recipe.json", "partition.json", "card.toml"
CHANGES = "changes"
"""In the stored recipe beside the settings: what was changed when the run was resumed; the step, and setting -> before, after."""


T = TypeVar("T", bound=Measured)


def starting_file(start: str, kind: str) -> Path:
    """The file of what a training goes on from: a bundled network of that kind, a model file, or a run folder. ValueError for none."""
    if file := model_file(start, kind):
        return file
    there = [card.name for card in cards() if card.kind == kind]
    raise ValueError(f"start={start}: no model file, no run folder with a {MODEL}, and none of {', '.join(there)}; "
                     "--set start=PATH names another")


def computing(runtime: Runtime | None) -> Runtime:
    """What a training computes with, chosen where none is given; on a CPU freed memory is kept from now on."""
    runtime = runtime or choose()
    if runtime.device.type == "cpu":
        keep_freed_memory()
    return runtime


@contextmanager
def trained(
    recipe: Training,
    out: Path,
    make: Callable[[], T],
    split: Mapping[str, Any],
    about: Callable[[T], str],
    every: Callable[[T], Every],
    *,
    minutes: float | None,
    runtime: Runtime,
    resume: bool,
    label: str,
) -> Iterator[tuple[T, Fitted]]:
    """Make the task, train it in `out`, and hold the folder while what came of it is written there.

    split: which pictures are for what, kept with the run; about: what is said of the task before it starts. Raises as `check_folder`,
    `claimed` and `mien.train.loop.fit` do.
    """
    with claimed(out):
        if first_process():
            check_folder(recipe, out, resume)
        task = make()
        task.advice = advice(recipe)
        if first_process():
            remember(recipe, split, out)
            say(f"{label}: {about(task)}; {runtime.reason}")
        yield task, fit(task, out, steps=task.steps, minutes=minutes, runtime=runtime, resume=resume, seed=recipe.seed,
                        evaluate=every(task), label=label)  # fmt: skip


def claimed(out: Path) -> AbstractContextManager[None]:
    """Hold the run folder from the look at its settings to the card; of several processes the first does it."""
    return locked(out, f"{out} is being trained") if first_process() else nullcontext()


def advice(recipe: Training) -> str:
    """What to do when the loss is not finite for the second time."""
    return f"lower the learning rate (--resume --set lr={recipe.lr / 10:g} goes on from the last good step)"


def first_process() -> bool:
    """Whether this is the only process, or the one of several that writes files."""
    return os.environ.get("RANK", "0") == "0"


def _as_json(recipe: Training) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(recipe)))


def check_folder(recipe: Training, out: Path, resume: bool) -> None:
    """ValueError where `out` holds a run that this recipe cannot go on with, or one that was not asked to be resumed."""
    changed = differences(recipe, out)
    if changed is None:
        return
    shown = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
    if set(changed) - set(CHANGEABLE):
        free = ", ".join(name for name in CHANGEABLE if hasattr(recipe, name))
        why = f"it was started with other settings ({shown}), of which --resume can change {free} alone"
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


def effort(amount: str, seconds: float, speed: float, items: str = "pictures") -> str:
    """For a card: "3 epochs, 20 s, 55 pictures a second"; a finished run that is resumed makes no step, so it has no speed."""
    return f"{amount}, {seconds:g} s" + (f", {speed:g} {items} a second" if speed else "")


def write_card(
    out: Path, recipe: Training, told: Mapping[str, str | int], spent: str, scores: Iterable[tuple[str, float, str]] = ()
) -> None:
    """A card for the model in the run folder, in the form of `mien.weights`' cards.

    told: title, what, input, training_data, parameters, kind and, where it is known, paper. spent: see `effort`. scores: name, value
    and protocol of each.
    """
    data = (out / MODEL).read_bytes()
    changed = {f.name: v for f in fields(recipe)
               if f.name not in ("network", "data") and (v := getattr(recipe, f.name)) not in (f.default, {})}  # fmt: skip
    chosen = ", ".join(f"{name} {dict(v) if isinstance(v, dict) else v}" for name, v in changed.items())
    lines = {
        "title": told["title"], "what": told["what"], "paper": told.get("paper", ""), "licence": "", "input": told["input"],
        "training_data": told["training_data"], "recipe": f"{chosen}; {spent}{told_changes(out)}", "parameters": told["parameters"],
        "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "format": "safetensors", "kind": told["kind"],
    }  # fmt: skip
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    for name, value, protocol in scores:
        text += f'\n[[scores]]\nname = "{name}"\nvalue = {value:.4f}\nprotocol = "{protocol}"\n'
    with atomic(out / CARD) as draft:
        draft.write_text(text, encoding="utf-8")
