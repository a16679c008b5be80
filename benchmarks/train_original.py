"""Training speed of the face swap networks; `original` against the same network in Keras 3 on its torch backend in fp32.

    python -m venv peer --system-site-packages && peer/bin/pip install --no-deps keras absl-py namex h5py optree ml-dtypes rich
    python benchmarks/train_original.py --peer peer/bin/python

A step is forward, backward and Adam on the shared encoder and both decoders, on random faces already in memory. Every
contestant is a process of its own, which waits while another one is at work; they take turns (A B C A B C ...).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import load, origin

TRAINING = {"keras fp32": 128, "mien": 128, "plain torch bf16": 128, "compact fp32": 64, "compact bf16": 64,
            "compact quick": 64}  # fmt: skip
"""Contestants: faces in one step."""
RATE, BETAS = 5e-5, (0.5, 0.999)


def keras_step() -> Callable[[], float]:
    """The peer: what the best-known tool runs (channels_last, fp32, not compiled)."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch
    from keras import layers, ops

    class Shuffle(layers.Layer):
        def call(self, x: Any) -> Any:
            _, h, w, c = x.shape
            x = ops.transpose(ops.reshape(x, (-1, h, w, 2, 2, c // 4)), (0, 1, 3, 2, 4, 5))
            return ops.reshape(x, (-1, 2 * h, 2 * w, c // 4))

        def compute_output_shape(self, shape: Any) -> Any:
            return shape[0], shape[1] * 2, shape[2] * 2, shape[3] // 4

    def conv(x: Any, filters: int, kernel: int, stride: int) -> Any:
        x = layers.Conv2D(filters, kernel, strides=stride, padding="same")(x)
        return layers.LeakyReLU(negative_slope=0.1)(x)

    face = x = keras.Input((64, 64, 3))
    for filters in (128, 256, 512, 1024):
        x = conv(x, filters, 5, 2)
    x = layers.Dense(16384)(layers.Dense(1024)(layers.Flatten()(x)))
    x = Shuffle()(conv(layers.Reshape((4, 4, 1024))(x), 2048, 3, 1))
    encoder = keras.Model(face, x)

    def decoder() -> Any:
        code = x = keras.Input((8, 8, 512))
        for filters in (256, 128, 64):
            x = Shuffle()(conv(x, 4 * filters, 3, 1))
        return keras.Model(code, layers.Conv2D(3, 5, padding="same", activation="sigmoid")(x))

    inputs, decoders = [keras.Input((64, 64, 3)) for _ in "ab"], [decoder() for _ in "ab"]
    counts = [model.count_params() for model in (encoder, *decoders)]
    if counts != [69_662_976, 6_199_747, 6_199_747]:
        raise ValueError(f"the peer has {counts} parameters: not the same network")
    model = keras.Model(inputs, [d(encoder(i)) for d, i in zip(decoders, inputs, strict=True)])
    adam = keras.optimizers.Adam(RATE, beta_1=BETAS[0], beta_2=BETAS[1])
    model.compile(adam, loss=["mae", "mae"], jit_compile=False)
    faces = [torch.rand(64, 64, 64, 3) for _ in "ab"]
    return lambda: float(model.train_on_batch(faces, faces)[0])


def mien_step(name: str, bf16: bool, quick: bool, batch: int, faces: Any = None) -> Callable[[], float]:
    """Ours: both people's faces through the encoder at once, bf16 autocast over fp32 weights, channels_last, fused Adam."""
    import torch
    from torch.nn.functional import l1_loss

    from mien.models.swap import SwapNet
    from mien.nn.memory import keep_freed_memory
    from mien.nn.winograd import quicken

    if quick:
        keep_freed_memory()
    torch.manual_seed(0)
    net = SwapNet("ab", name).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    if quick:
        quicken(net)
    adam = torch.optim.Adam(net.parameters(), RATE, BETAS, fused=quick)
    faces = torch.rand(2 * batch, 3, net.size, net.size) if faces is None else faces
    faces = faces.contiguous(memory_format=torch.channels_last)

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            codes = net.encoder(faces).chunk(2)
            outs = [net.decoders[who](code) for who, code in zip("ab", codes, strict=True)]
        loss = sum(l1_loss(out.float(), target) for out, target in zip(outs, faces.chunk(2), strict=True))
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def infer(precision: str, batch: int) -> Callable[[], float]:
    """One batch of faces through `compact`, encoder and one decoder."""
    import torch

    from mien.models.swap import SwapNet

    net = SwapNet("ab").eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    net = net.to(dtype)
    faces = torch.rand(batch, 3, net.size, net.size).to(dtype, memory_format=torch.channels_last)

    @torch.inference_mode()
    def step() -> float:
        return float(net(faces, "a")[0, 0, 0, 0])

    return step


def prepare(name: str) -> Callable[[], float]:
    if name == "keras fp32":
        return keras_step()
    if name.startswith("infer"):
        _, precision, batch = name.split()
        return infer(precision, int(batch))
    network = "compact" if name.startswith("compact") else "original"
    quick = name in ("mien", "compact quick")
    return mien_step(network, "fp32" not in name, quick, TRAINING[name] // 2)


def curve(path: str, faces_of: Path, quick: bool) -> None:
    """Losses of 30 steps on 2 x 4 real photographs."""
    import numpy as np
    import torch
    from PIL import Image

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    files = sorted(faces_of.rglob("*.jpg"))[:8]
    pictures = [np.asarray(Image.open(f).convert("RGB").resize((64, 64))) for f in files]
    faces = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
    step = mien_step("original", quick, quick, 4, faces)
    Path(path).write_text(json.dumps([round(step(), 5) for _ in range(30)]))


def work(name: str) -> None:
    """A contestant: a line in, a number out."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    step = prepare(name)
    for _ in range(2 if name in TRAINING else 5):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            step()
        seconds = time.perf_counter() - began
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, flush=True)


class Contestant:
    def __init__(self, name: str, python: str, threads: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        command = [python, __file__, "--work", name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        while self.line() != "ready":
            pass
        self.peak = 0.0

    def line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a contestant ended early")
        return line.strip()

    def seconds(self, steps: int = 1) -> float:
        assert self.process.stdin
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        taken, self.peak = map(float, self.line().split())
        return taken


def summary(rates: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(rates), 2), "low": round(min(rates), 2), "high": round(max(rates), 2),
            "n": len(rates)}  # fmt: skip


def race(names: dict[str, int], rounds: int, options: argparse.Namespace, steps: int = 1) -> dict[str, Any]:
    """Contestants and the faces in a step of theirs -> faces a second, all rounds, and peak memory in GB."""
    runners = {n: Contestant(n, options.peer if n.startswith("keras") else sys.executable, options.threads) for n in names}
    options.before_timing and subprocess.run(options.before_timing, shell=True, check=True)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, runner in runners.items():
            rates[name].append(steps * names[name] / runner.seconds(steps))
    for runner in runners.values():
        runner.process.communicate()
    return {name: {"faces_per_second": summary(rates[name]), "rounds": [round(r, 2) for r in rates[name]],
                   "peak_gb": round(runners[name].peak, 2)} for name in names}  # fmt: skip


def shell(command: str) -> str:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", default=sys.executable, help="a Python that has keras and the same torch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--before-timing", default="", help="a shell command to run when all are warm")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "train_original.json")
    parser.add_argument("--note", default="", help="what else the machine did meanwhile")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--curve", nargs=2, metavar=("fp32|quick", "FILE"), help="write the losses of 30 steps and end")
    options = parser.parse_args()
    if options.work:
        return work(options.work)
    if options.curve:
        return curve(options.curve[1], options.data / "faces" / "lfw100", options.curve[0] == "quick")
    before = load()
    original = race({n: f for n, f in TRAINING.items() if not n.startswith("compact")}, options.rounds, options)
    compact = race({n: f for n, f in TRAINING.items() if n.startswith("compact")}, options.rounds, options)
    inference = race({f"infer {p} {b}": b for b in (1, 16) for p in ("fp32", "bf16")}, options.rounds, options, steps=5)
    peer = original["keras fp32"]["rounds"]
    ratios = {n: summary([a / b for a, b in zip(original[n]["rounds"], peer, strict=True)]) for n in original}
    result = {
        "claim": "faces a second in training: forward, backward and Adam; original at 2 x 64, compact at 2 x 32",
        "threads": options.threads, "original": original, "times_keras": ratios, "compact": compact, "compact_inference": inference,
        "versions": {"python": platform.python_version(),
                     "torch": shell(f"{sys.executable} -c 'import torch; print(torch.__version__)'"),
                     "keras": shell(f"KERAS_BACKEND=torch {options.peer} -c 'import keras; print(keras.__version__)'")},
        "note": options.note, **origin(before),
    }  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
