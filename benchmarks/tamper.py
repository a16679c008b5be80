"""How well reshaped and swapped faces are found, located and undone, on people the network did not learn from.

    python -m mien.tasks.inspect.making DATA --out PACK                  # DATA/faces, DATA/video
    python -m mien.tasks.inspect.calibrating PACK --weights mien-inspect.safetensors
    python benchmarks/tamper.py PACK --weights mien-inspect.safetensors [--flow peer/bin/python]

plain: faces of the test people in the size they have in their pictures (144 to 544 px), half of them reshaped by all sliders uniform
in [-1, 1], not compressed afterwards; by strength (pixels of a crop of 400) and by size; the same faces again as JPEG of quality 30 to
100, and resized by 0.25 to 1 and back. worn: faces that went through chains of JPEG, resizing, blur, noise and colour, with swapped
ones among them (those of PACK/test). All as `mien inspect` says it, calibrated by what the file tells; "one temperature": without
that. Calibration: fresh faces, three classes at even odds, in each of the three conditions. Intervals are of 95 % and draw people.
Undo: PSNR over the crop against the face before it was reshaped, gained by undoing the field that the network told, and by undoing
the true one. Flow: dense optical flow that is given both pictures (`benchmarks/flow_dis.py`), which the inspector is not. Swaps by the
`original` network: `benchmarks/tamper_swaps.py`. Speed: one face of 400 px on one core, the inspector against the two DRN-C-26 that do
the same, taking turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from machine import load, origin
from mien.data import wear
from mien.metrics.intervals import percentiles
from mien.models.drn import drn_c_26, drn_c_26_field
from mien.nn.fuse import fused
from mien.progress import Progress
from mien.tasks.inspect import swapping
from mien.tasks.inspect.calibrated import Calibration
from mien.tasks.inspect.calibrating import Examples, examples
from mien.tasks.inspect.judging import UNDECIDED, FaceVerdict, Opinion
from mien.tasks.inspect.looking import Looked, Looker
from mien.tasks.inspect.making import PLAIN, Made, Maker, stacked
from mien.tasks.inspect.measuring import RESHAPED, SWAPPED, Answers, asked, believed, detected, over, step
from mien.tasks.inspect.originals import opened
from mien.tasks.inspect.undoing import enlarged, gain, undo

QUALITIES, SCALES = (30, 40, 50, 60, 70, 80, 90, 100), (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
STRENGTHS = np.array([0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 20])
"""Mean displacement over the crop, in pixels of a crop of 400."""
SIZES = (144, 256, 352, 544)
"""Pixels of a crop's side."""
ROUNDS = 15


def changed(looker: Looker, made: Iterable[Made], change: Callable[[np.ndarray], np.ndarray] | None = None,
            quality: int | None = None) -> Answers:
    """What the network says of made faces, changed first into a JPEG of this quality or into none; its own logits."""
    if change:
        made = (replace(one, x=change(one.x), quality=quality) for one in made)
    return Answers.together([asked(looker, [stacked([one])], np.array([one.person]), [one.quality]) for one in made])


def series(pack: Path, count: int) -> Iterator[Made]:
    """The faces that PACK/test was made of, one after the other, with what a file would tell of them."""
    originals = opened(pack / "faces")
    maker = Maker(originals, swapping.opened(pack / "faces"), "test")
    return (maker.make(np.random.default_rng((3, i))) for i in range(count))


def dense_flow(python: str, made: list[Made]) -> dict[str, object]:
    """The end-point error of DIS, given both pictures of each reshaped face."""
    bent = [one for one in made if one.label == RESHAPED]
    with tempfile.TemporaryDirectory() as folder:
        for i, one in enumerate(bent):
            assert one.before is not None
            np.savez(Path(folder) / f"{i:05d}.npz", before=one.before, after=one.x, field=one.field)
        script = Path(__file__).with_name("flow_dis.py")
        found = json.loads(subprocess.run([python, script, folder], check=True, capture_output=True, text=True).stdout)
    still = [float(np.hypot(*one.field).mean()) for one in bent]
    errors = {name: asdict(percentiles(float(np.mean(error)), error)) for name, error in found["errors"].items()}
    return {"opencv": found["opencv"], "faces": len(bent), "always_zero_px": float(np.mean(still)), "error_px": errors}


def calibration(of: Examples, by: dict[str, Calibration]) -> dict[str, object]:
    """Of each condition, and of all: expected calibration error and reliability diagram."""
    result: dict[str, object] = {}
    for name in (*sorted(set(of.condition)), "all"):
        some = of if name == "all" else of.chosen(of.condition == name)
        found = {how: believed(some.answers.by(one), 1.0) for how, one in by.items()}
        result[name] = {how: {"error": error, "diagram": [(sure, asdict(rate)) for sure, rate in diagram]}
                        for how, (error, diagram) in found.items()}  # fmt: skip
    return result


def figures(answers: Answers, kind: int = RESHAPED) -> dict[str, object]:
    """Detection, and the field where there is one."""
    found = asdict(detected(answers, kind))
    if kind == RESHAPED:
        bent = answers.label == RESHAPED
        found |= {"error_px": float(answers.error[bent].mean()), "always_zero_px": float(answers.still[bent].mean()),
                  "false_field_px": float(answers.error[answers.label == 0].mean())}  # fmt: skip
    return found


def undone(looker: Looker, made: list[Made]) -> dict[str, object]:
    """Decibels gained on reshaped faces and on untouched ones: mean and range of the middle 95 %, and the worst.

    As a report does it: where the verdict is reshaped and the told displacement is not faint; elsewhere nothing is gained or lost.
    """
    gains: dict[str, list[float]] = {"reshaped": [], "reshaped and undone": [], "reshaped, true field": [], "untouched": []}
    for one in made:
        assert one.before is not None
        looked = looker.look(one.x[None])
        crop = (0, 0, one.x.shape[0])
        undoes = _undoes(looked, crop)
        restored = gain(one.before, one.x, undo(one.x, crop, looked.field[0])) if undoes else 0.0
        gains["reshaped and undone"] += [restored] if undoes and one.label == RESHAPED else []
        if one.label == RESHAPED:
            gains["reshaped"].append(restored)
            truth = enlarged(one.field, len(one.x))[0].numpy() * (one.field.shape[-1] / len(one.x))  # its values are in pixels of x
            gains["reshaped, true field"].append(gain(one.before, one.x, undo(one.x, crop, truth)))
        else:  # what is lost cannot be told as a gain where the picture was perfect: against a copy one level off
            off = np.clip(one.x.astype(int) + np.random.default_rng(0).integers(-1, 2, one.x.shape), 0, 255).astype(np.uint8)
            gains["untouched"].append(gain(one.x, off, undo(off, crop, looked.field[0])) if undoes else 0.0)
    return {name: asdict(percentiles(float(np.mean(found)), found)) | {"worst": min(found)} for name, found in gains.items() if found}


def _undoes(looked: Looked, crop: tuple[int, int, int]) -> bool:
    """Whether a report would show the face with its change undone."""
    chances = looked.probabilities[0]
    opinion = Opinion(tuple(chances.tolist()), looked.field[0], looked.reliability[0])
    verdict = FaceVerdict((0, 0, crop[2], crop[2]), crop, "reshaped", (), opinion)
    return bool(chances.argmax() == RESHAPED and chances.max() >= UNDECIDED and verdict.moved is not None)


def located(looker: Looker, made: list[Made]) -> dict[str, object]:
    """Area under ROC of the map of traces over a reshaped face's cells of 4 pixels, moved or not: mean and middle 95 %."""
    found = []
    for one in made:
        far = np.hypot(*one.field) > 0.5
        if one.label != RESHAPED or not far.any() or far.all():
            continue
        seen = looker.look(one.x[None]).moved[0].reshape(len(far), 4, len(far), 4).mean((1, 3))
        rank = np.argsort(np.argsort(seen.ravel())).reshape(far.shape)
        moved, still = int(far.sum()), int((~far).sum())
        found.append(float((rank[far].sum() - moved * (moved - 1) / 2) / (moved * still)))
    return asdict(percentiles(float(np.mean(found)), found)) | {"faces": len(found)}


def speed(looker: Looker) -> dict[str, float]:
    """Median milliseconds a face of 400 px on one core."""
    torch.set_num_threads(1)
    x = torch.rand(1, 3, 400, 400)
    reference = [fused(net.eval()) for net in (drn_c_26(3), drn_c_26_field())]
    contestants = {"mien-inspect": lambda: looker.net(x), "two drn-c-26": lambda: [net(x) for net in reference],
                   "one drn-c-26": lambda: reference[0](x)}  # fmt: skip
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    with torch.inference_mode():
        for turn in range(ROUNDS):
            for name, run in contestants.items():
                if "drn" in name and turn > 2:
                    continue
                began = time.perf_counter()
                run()
                taken[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(found) for name, found in taken.items()}


def main() -> None:
    """One JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=600, help="plain faces of test people (600)")
    parser.add_argument("--changed", type=int, default=200, help="of these, how many are compressed and resized (200)")
    parser.add_argument("--worn", type=int, default=900, help="worn faces (900)")
    parser.add_argument("--flow", metavar="PYTHON", help="an interpreter with OpenCV, for dense optical flow")
    given = parser.parse_args()
    torch.set_num_threads(1)
    before = load()
    looker = Looker(given.weights)
    maker = Maker(opened(given.pack / "faces"), None, "test", replace(PLAIN, worn=False))
    with Progress("make", total=given.faces) as bar:
        made = []
        for i in range(given.faces):
            made.append(maker.make(np.random.default_rng((5, i)), before=True))
            bar.advance()
    one = Calibration.plain(looker.temperature)
    raw = changed(looker, made)
    plain = raw.by(looker.calibration)
    some, hows, sizes = made[:given.changed], np.array([one.how for one in made]), np.array([len(one.x) for one in made])
    rough, how = [], []
    with Progress("worn", total=given.worn) as bar:
        for face in series(given.pack, given.worn):
            rough.append(changed(looker, [face]))
            how.append(face.how)
            bar.advance()
    rough, tools = Answers.together(rough), np.array(how)
    worn = rough.by(looker.calibration)
    tests = examples(looker, given.pack, "test", given.worn // 3, 31)
    large = sizes >= SIZES[2]

    def saved(quality: int) -> Answers:
        return changed(looker, some, partial(wear.jpeg, quality=quality), quality).by(looker.calibration)

    def resized(scale: float) -> Answers:
        return changed(looker, some, partial(wear.rescaled, scale=scale)).by(looker.calibration)

    result: dict[str, object] = {
        "plain": figures(plain),
        "one temperature": {"plain": figures(raw), "large": figures(raw.chosen(large)), "worn": figures(rough)},
        "plain by tool": {how: asdict(step(plain.chosen(np.isin(hows, ("", how))))) for how in sorted(set(hows) - {""})},
        "by strength": [asdict(one) for one in over(plain, plain.still * 400 / sizes, STRENGTHS)],
        "by size": {f"{low} to {high}": figures(plain.chosen((sizes >= low) & (sizes < high))) for low, high in pairwise(SIZES)},
        "by quality": [asdict(step(saved(q), at=q)) for q in QUALITIES],
        "by scale": [asdict(step(resized(s), at=s)) for s in SCALES],
        "worn": figures(worn),
        "worn, swapped": figures(worn, SWAPPED),
        "worn, swapped by": {name: figures(worn.chosen(np.isin(tools, ("", name))), SWAPPED) for name in sorted({*swapping.FAKES})},
        "calibration": calibration(tests, {"one temperature": one, "calibrated": looker.calibration}),
        "where": located(looker, made),
        "undo": undone(looker, some),
        "milliseconds": speed(looker),
    }
    if given.flow:
        result["dense flow of both pictures"] = dense_flow(given.flow, made)
    print(json.dumps(result | origin(before), indent=2))


if __name__ == "__main__":
    main()
