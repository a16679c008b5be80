"""What a judge buys a swap: the same start, the same processor time with and without it; sharpness, likeness, identity, expression.

    python benchmarks/swap_adversary.py DATA [--start MODEL] [--minutes 6] [--batch 4] [--limit 40] [--out FOLDER] [--sheet FILE]

DATA holds video/wda_*.mp4. Frames 0 to 159 train, from 160 on are held out. Both go on from one model (of the same two clips; trained
for --minutes first where none is given) for --minutes of processor time on one thread: steps are given out by what one of each costs,
measured first, so that other work on the machine takes nothing from either. Restored faces are compared with the real ones, swapped
ones with the frame they are drawn for, inside the face's outline. `detail`: power at 0.25 cycles a pixel and above as a share of the
real pictures'; `spectrum`: mean distance of the power spectra in dB; `perceptual`: distance in VGG16's maps, without learnt weights;
the rest is that of `mien swap evaluate`. Identity is scored by dlib's network; trained by mien's own, which dlib's has taught.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from machine import load, origin
from mien.data.pictures import write_picture
from mien.faces.align import align
from mien.faces.mask import face_mask
from mien.metrics.perceptual import feature_distance
from mien.metrics.sharpness import fine_detail
from mien.models import vgg_features
from mien.models.swap import SwapNet
from mien.models.swap_model import FILE, SwapModel, load_model, new_net, save_model
from mien.nn.adversary import only
from mien.nn.memory import keep_freed_memory
from mien.progress import say
from mien.runtime import choose
from mien.tasks.swap import score
from mien.tasks.swap.adversarial import AdversarialSwapTask
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.convert import Swapper
from mien.tasks.swap.people import gather
from mien.tasks.swap.recipes import compact
from mien.tasks.swap.session import person_of
from mien.tasks.swap.training import Recipe, SwapTask, tensors
from mien.train import Every, fit
from mien.train.loop import _fabric
from swap import CLIPS

HERE = Path(__file__).parent
RUNTIME = choose("cpu", "fp32")
TRIED = 4
"""Steps that say what one costs."""


def task_for(model: SwapModel, crops: dict[str, Tensor], recipe: Recipe) -> SwapTask:
    """Of a copy of the model's network."""
    torch.manual_seed(0)
    net = SwapNet(model.people, model.network, model.net.size)
    net.load_state_dict(model.net.state_dict())
    return (AdversarialSwapTask if recipe.adversary else SwapTask)(net, crops, recipe)


def cost(task: SwapTask) -> float:
    """Seconds of the processor that one step takes."""
    fabric = _fabric(RUNTIME)
    task.setup(fabric, RUNTIME)
    task.step(fabric, 0)
    began = time.process_time()
    for index in range(TRIED):
        task.step(fabric, index + 1)
    return (time.process_time() - began) / TRIED


def learn(model: SwapModel, crops: dict[str, Tensor], recipe: Recipe, out: Path, minutes: float) -> tuple[SwapModel, dict[str, Any]]:
    """The averaged model after so much of the processor's time, and how it went."""
    each = cost(task_for(model, crops, recipe))
    steps, task, began = max(round(minutes * 60 / each), 1), task_for(model, crops, recipe), time.process_time()
    fitted = fit(task, out / "run", steps=steps, runtime=RUNTIME, evaluate=Every(steps=max(steps // 4, 1)), save=Every(),
                 label=out.name)  # fmt: skip
    net = task.ema.module
    assert isinstance(net, SwapNet)
    learnt = replace(model, net=net)
    save_model(learnt, out / FILE)
    scores = [round(entry["score"], 4) for entry in fitted.history]
    return learnt, {"steps": fitted.steps, "processor_seconds": round(time.process_time() - began), "scores": scores}


def windows(shown: Sequence[score.Look], side: int) -> tuple[np.ndarray, Tensor]:
    """(N, S, S, 3) uint8 aligned windows, and (N, 1, S, S) in 0..1 where the face is."""
    pictures, masks = [], []
    for look in shown:
        window, matrix = align(look.image, look.face.face.landmarks, side)
        pictures.append(window)
        masks.append(face_mask(look.face.face.landmarks @ matrix[:, :2].T + matrix[:, 2], (side, side)))
    return np.stack(pictures), torch.from_numpy(np.stack(masks))[:, None].float() / 255


def batch(pictures: np.ndarray) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) in 0..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def measure(model: SwapModel, shown: dict[str, list[score.Look]], vgg: vgg_features.VGGFeatures | None) -> dict[str, Any]:
    """The figures of each person restored, and drawn for the other."""
    found = {}
    for name, other in (list(shown), list(shown)[::-1]):
        real, mask = windows(shown[name], model.net.size)
        mine, swapper = Swapper(model, name, RUNTIME).draw(real), Swapper(model, other, RUNTIME, everyone=True)
        theirs = swapper.draw(real)
        restored = score.restored(swapper.draw, shown[name], name)
        (detail, spectrum), (detail_swapped, spectrum_swapped) = (fine_detail(batch(x), batch(real), mask) for x in (mine, theirs))
        found[name] = {"ssim": restored.ssim, "psnr": restored.psnr, "detail": round(detail, 4), "spectrum": round(spectrum, 2)}
        if vgg is not None:
            seen = [feature_distance(only(batch(a[None]), m[None]), only(batch(b[None]), m[None]), vgg)
                    for a, b, m in zip(mine, real, mask, strict=True)]  # fmt: skip
            found[name]["perceptual"] = round(float(torch.cat(seen).mean()), 4)
        found[f"{name} as {other}"] = {"detail": round(detail_swapped, 4), "spectrum": round(spectrum_swapped, 2),
                                       **asdict(score.swapped(swapper, shown[name], name, other))}  # fmt: skip
    return found


def sheet(models: dict[str, SwapModel], shown: dict[str, list[score.Look]], path: Path, rows: int = 3, times: int = 2) -> None:
    """Each row a frame: the real face, restored by each model, drawn as the other by each model; enlarged by repeating pixels."""
    lines = []
    for name, other in (list(shown), list(shown)[::-1]):
        picked = [shown[name][i] for i in np.linspace(0, len(shown[name]) - 1, rows).astype(int)]
        real, _ = windows(picked, next(iter(models.values())).net.size)
        drawn = [Swapper(m, to, RUNTIME).draw(real) for to in (name, other) for m in models.values()]
        lines.append(np.concatenate([np.concatenate(list(x)) for x in (real, *drawn)], 1))
    write_picture(path, np.concatenate(lines).repeat(times, 0).repeat(times, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--start", type=Path, help="a model of aoc and katie to go on from")
    parser.add_argument("--minutes", type=float, default=6, help="of processor time, each")
    parser.add_argument("--batch", type=int, default=4, help="faces a person in one step")
    parser.add_argument("--limit", type=int, default=40, help="held-out frames of each person, at most")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheet", type=Path, help="where to write real and drawn faces side by side")
    given, before = parser.parse_args(), load()
    clips = {name: given.data / "video" / file for name, file in CLIPS.items()}
    if not all(path.is_file() for path in clips.values()):
        print(f"skipped: no clips in {given.data}/video")
        return
    torch.set_num_threads(1)
    keep_freed_memory()
    out = given.out or Path(tempfile.mkdtemp())
    sets = {name: gather(name, path, out / "faces" / name, ":160") for name, path in clips.items()}
    people = {name: person_of(name, faces) for name, faces in sets.items()}
    crops = {name: tensors(faces, 128) for name, faces in sets.items()}
    recipe, told = replace(compact(), batch=given.batch), {}
    if given.start:
        start = load_model(given.start)
    else:
        fresh = SwapModel(new_net("compact", {n: np.array(p.centre) for n, p in people.items()}), "compact", people)
        start, told["start"] = learn(fresh, crops, recipe, out / "start", given.minutes)
    terms = Adversary(begin=0.0)
    arms = {"without": recipe, "with": replace(recipe, adversary=terms)}
    models = {"start": start}
    for name, one in arms.items():
        models[name], told[name] = learn(start, crops, one, out / name, given.minutes)
    shown = {name: score.share(list(score.looks([path], "160:")), given.limit) for name, path in clips.items()}
    vgg = vgg_features.load() if vgg_features.at_hand() else None
    result: dict[str, Any] = {"protocol": (__doc__ or "").split("\n\n")[2], "asked": {"minutes": given.minutes, "batch": given.batch,
                              "limit": given.limit, "start": start.record.get("steps")}, "adversary": asdict(terms)}
    for name, model in models.items():
        say(f"measuring {name}")
        result[name] = told.get(name, {}) | {"measured": measure(model, shown, vgg)}
    if given.sheet:
        sheet({name: models[name] for name in arms}, shown, given.sheet)
    result |= origin(before)
    text = json.dumps(result, indent=1).replace(str(given.data), "DATA").replace(str(out), "OUT")
    (HERE / "results" / "swap_adversary.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
