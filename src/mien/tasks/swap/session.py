"""A training session from files to a model, and the measuring of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.faces.faceset import FaceSet
from mien.models.swap import SIZES, SwapNet, grow
from mien.models.swap_model import FILE, Person, SwapModel, add_person, base_weights, load_model, model_file, new_net, save_model
from mien.nn.memory import keep_freed_memory
from mien.nn.winograd import quicken
from mien.progress import say
from mien.runtime import choose
from mien.tasks.swap import score
from mien.tasks.swap.adversarial import AdversarialSwapTask
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.convert import Swapper
from mien.tasks.swap.people import gather, named
from mien.tasks.swap.recipes import recipe_for
from mien.tasks.swap.run import Added, Evaluated, Trained
from mien.tasks.swap.training import SwapTask, tensors
from mien.train import Event, Every, Fitted, fit


def person_of(name: str, faces: FaceSet) -> Person:
    """What the model keeps of somebody's faces."""
    sources = sorted({Path(source).name for source in faces.column("source")})
    return Person(name, len(faces), faces.embeddings().mean(0).round(5).tolist(), sources)


@dataclass(frozen=True)
class Wanted:
    """What `mien swap train` was asked for, beside people and a folder."""

    minutes: float | None = None
    steps: int | None = None
    network: str = "compact"
    size: int | None = None
    start: Path | None = None
    adversary: bool = False
    frames: str = ""
    consent: str = ""
    stop_on_plateau: bool = False
    device: str = "auto"
    precision: str = "auto"


def learn(people: list[str], out: Path, wanted: Wanted) -> Trained:
    """`mien swap train`."""
    if wanted.adversary and wanted.stop_on_plateau:
        raise ValueError("--adversary begins where the score stands still, --stop-on-plateau ends there: choose one")
    runtime, paths = choose(wanted.device, wanted.precision), named(people)
    begun = _begun(wanted.start, list(paths)) if wanted.start else None
    network = begun.network if begun else wanted.network
    size = wanted.size or (begun.net.size if begun else SIZES[network])
    empty = SwapNet([], network, size)  # a size it cannot have is better known now
    sets = {name: gather(name, path, out / "faces" / name, wanted.frames, size) for name, path in paths.items()}
    known = {name: person_of(name, faces) for name, faces in sets.items()}
    net = begun.net if begun else new_net(network, {name: np.array(p.centre) for name, p in known.items()})
    if empty.size != net.size:
        net = grow(net, empty.size)
    recipe = recipe_for(network, min(len(faces) for faces in sets.values()))
    if runtime.device.type == "cpu":
        keep_freed_memory()
        if network == "original":  # 1.7 times the faces a second; `compact` has too few wide convolutions to gain
            quicken(net)
    crops = {name: tensors(faces, net.size) for name, faces in sets.items()}
    recipe = replace(recipe, adversary=Adversary() if wanted.adversary else None)
    task = (AdversarialSwapTask if wanted.adversary else SwapTask)(net, crops, recipe)
    consent = wanted.consent or (begun.record.get("consent", "") if begun else "")
    record = {"consent": consent, "network": network, "frames": wanted.frames, "adversary": wanted.adversary}
    model = SwapModel(net, network, known, record)
    say(f"learning {', '.join(f'{n} ({p.faces} faces)' for n, p in known.items())}: {runtime.reason}")
    fitted = fit(task, out / "run", steps=wanted.steps, minutes=wanted.minutes, runtime=runtime,
                 stop_on_plateau=wanted.stop_on_plateau, label="swap", evaluate=Every(seconds=30),
                 on_event=_keeper(task, model, out / FILE))  # fmt: skip
    _store(task, model, out / FILE, fitted)
    return Trained(out, out / "run" / "preview.jpg", {n: p.faces for n, p in known.items()}, network, net.size, fitted.steps,
                   round(fitted.seconds, 1), round(fitted.items_per_second, 1), _score(fitted), fitted.reason)


def _begun(path: Path, people: list[str]) -> SwapModel:
    """The model to go on from; ValueError where it is of other people."""
    model = load_model(path)
    if set(model.people) != set(people):
        raise ValueError(f"{path} knows {', '.join(model.people)}, expected {', '.join(people)}: name them alike, NAME=PATH")
    return model


def learn_another(path: Path, item: str, minutes: float, steps: int | None, frames: str, consent: str, device: str,
                  precision: str) -> Added:
    """`mien swap add`."""
    model, folder = load_model(path), model_file(path).parent
    runtime = choose(device, precision)
    [(name, source)] = named([item]).items()
    if name in model.people:
        raise ValueError(f"the model knows {name!r} already: give the new person another name, NAME={source}")
    faces = gather(name, source, folder / "faces" / name, frames, model.net.size)
    person = person_of(name, faces)
    add_person(model.net, name, np.array(person.centre), base_weights() if model.network == "compact" else None)
    recipe = replace(recipe_for(model.network, len(faces)), encoder_rate=0.0)
    task = SwapTask(model.net, {name: tensors(faces, model.net.size)}, recipe, learn=[name])
    model.people[name] = person
    if consent:
        model.record["consent"] = "; ".join(filter(None, [model.record.get("consent", ""), consent]))
    fitted = fit(task, folder / f"run-{name}", steps=steps, minutes=minutes, runtime=runtime, label=f"add {name}")
    _store(task, model, model_file(path), fitted)
    return Added(folder, name, list(model.people), _score(fitted), round(fitted.seconds, 1))


def _score(fitted: Fitted) -> float:
    scores = [entry["score"] for entry in fitted.history if "score" in entry]
    return round(scores[-1], 4) if scores else float("nan")


def _averaged(task: SwapTask, model: SwapModel) -> SwapModel:
    net = task.ema.module
    assert isinstance(net, SwapNet)
    return replace(model, net=net)


def _store(task: SwapTask, model: SwapModel, file: Path, fitted: Fitted) -> None:
    model.record |= {"steps": fitted.steps, "seconds": round(fitted.seconds), "score": _score(fitted), "ended": fitted.reason}
    save_model(_averaged(task, model), file)


def _keeper(task: SwapTask, model: SwapModel, file: Path) -> Any:
    """The model file is there, and useful, from the first evaluation on."""
    def keep(event: Event) -> None:
        if event.kind == "evaluated":
            save_model(_averaged(task, model), file)
    return keep


def measure(path: Path, a: str, b: str, frames: str, limit: int, device: str, precision: str) -> Evaluated:
    """`mien swap evaluate`."""
    model = load_model(path)
    runtime = choose(device, precision)
    given = named([a, b])
    exact = all(name in model.people for name in given)
    if not exact and len(model.people) < 2:
        raise ValueError(f"the model knows {', '.join(model.people)} alone: evaluation needs two people")
    people = list(given) if exact else list(model.people)[:2]
    shown = {name: score.share(list(score.looks([p], frames)), limit) for name, p in zip(people, given.values(), strict=True)}
    for name, path_given in zip(people, given.values(), strict=True):
        if not shown[name]:
            raise ValueError(f"no face in {path_given}" + (f", frames {frames}" if frames else ""))
    restored, swapped = {}, {}
    for name, other in (people, people[::-1]):
        swapper = Swapper(model, other, runtime, everyone=True)
        restored[name] = score.restored(swapper.draw, shown[name], name)
        swapped[name] = score.swapped(swapper, shown[name], name, other)
    protocol = (f"{limit} frames at most{', frames ' + frames if frames else ''}; SSIM and PSNR inside the face's outline in the "
                f"aligned {max(score.SIDE, model.net.size)}-px window; swaps blended by default settings, faces found anew")
    return Evaluated(path, people, restored[people[0]], restored[people[1]], swapped[people[0]], swapped[people[1]], protocol)


