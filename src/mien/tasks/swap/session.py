"""A training session from files to a model, and the measuring of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.faces.faceset import FaceSet
from mien.models.swap import SwapNet
from mien.models.swap_model import FILE, Person, SwapModel, add_person, base_weights, load_model, model_file, new_net, save_model
from mien.nn.memory import keep_freed_memory
from mien.nn.winograd import quicken
from mien.progress import say
from mien.runtime import choose
from mien.tasks.swap import score
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


def learn(people: list[str], out: Path, minutes: float | None, steps: int | None, network: str, frames: str, consent: str,
          stop_on_plateau: bool, device: str, precision: str) -> Trained:
    """`mien swap train`."""
    runtime = choose(device, precision)
    paths = named(people)
    sets = {name: gather(name, path, out / "faces" / name, frames) for name, path in paths.items()}
    known = {name: person_of(name, faces) for name, faces in sets.items()}
    net = new_net(network, {name: np.array(p.centre) for name, p in known.items()})
    recipe = recipe_for(network, min(len(faces) for faces in sets.values()))
    if runtime.device.type == "cpu":
        keep_freed_memory()
        if network == "original":  # 1.7 times the faces a second; `compact` has too few wide convolutions to gain
            quicken(net)
    task = SwapTask(net, {name: tensors(faces, net.size) for name, faces in sets.items()}, recipe)
    model = SwapModel(net, network, known, {"consent": consent, "network": network, "frames": frames})
    say(f"learning {', '.join(f'{n} ({p.faces} faces)' for n, p in known.items())}: {runtime.reason}")
    fitted = fit(task, out / "run", steps=steps, minutes=minutes, runtime=runtime, stop_on_plateau=stop_on_plateau,
                 label="swap", evaluate=Every(seconds=30), on_event=_keeper(task, model, out / FILE))
    _store(task, model, out / FILE, fitted)
    return Trained(out, out / "run" / "preview.jpg", {n: p.faces for n, p in known.items()}, network, fitted.steps,
                   round(fitted.seconds, 1), round(fitted.items_per_second, 1), _score(fitted), fitted.reason)


def learn_another(path: Path, item: str, minutes: float, steps: int | None, frames: str, consent: str, device: str,
                  precision: str) -> Added:
    """`mien swap add`."""
    model, folder = load_model(path), model_file(path).parent
    runtime = choose(device, precision)
    [(name, source)] = named([item]).items()
    if name in model.people:
        raise ValueError(f"the model knows {name!r} already: give the new person another name, NAME={source}")
    faces = gather(name, source, folder / "faces" / name, frames)
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
                f"aligned {score.SIDE}-px window; swaps blended by default settings, faces found anew")
    return Evaluated(path, people, restored[people[0]], restored[people[1]], swapped[people[0]], swapped[people[1]], protocol)


