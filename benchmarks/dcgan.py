"""DCGAN at 64 pixels: training pictures a second of mien's task against the textbook loop; how fast every generator draws.

    python benchmarks/dcgan.py train [--rounds 6] [--batch 64]
    python benchmarks/dcgan.py draw

train, one thread and a process each, in turns so that a busy machine troubles both alike: seconds of a round (one step of the
judge, one of the generator), the median, wall and of the processor. The textbook is the loop of PyTorch's DCGAN example and
tutorial: fp32, its networks (3,576,704 and 2,765,568 parameters), binary cross entropy of a sigmoid, real and made pictures one
after the other, Adam 2e-4 (0.5, 0.999) as it comes. mien's is the recipe generate/dcgan: the same networks, batch and optimiser,
the same loss in logits, bf16 autocast, channels_last, with its average of both networks' weights and its watch. Pictures are
noise: what is on them does not matter here.
draw, one thread: pictures a second of the recipes' generators, untrained, in groups of 64, fp32 and bf16 autocast.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from machine import load, origin
from mien.models.generator import Plan, build, draw
from mien.nn.batches import seeded
from mien.nn.memory import keep_freed_memory
from mien.runtime import choose
from mien.tasks.generate import recipes
from mien.train.gan import GANTask


def textbook(batch: int) -> Callable[[int], None]:
    """One iteration of github.com/pytorch/examples, dcgan/main.py, written anew."""
    up = lambda c_in, c_out, *place: [nn.ConvTranspose2d(c_in, c_out, 4, *place, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(True)]
    down = lambda c_in, c_out: [nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2, True)]
    net = nn.Sequential(*up(100, 512, 1, 0), *up(512, 256, 2, 1), *up(256, 128, 2, 1), *up(128, 64, 2, 1),
                        nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())  # fmt: skip
    judge = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True), *down(64, 128), *down(128, 256),
                          *down(256, 512), nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid())  # fmt: skip
    assert [sum(p.numel() for p in one.parameters()) for one in (net, judge)] == [3_576_704, 2_765_568]
    criterion = nn.BCELoss()
    adams = [torch.optim.Adam(one.parameters(), lr=2e-4, betas=(0.5, 0.999)) for one in (judge, net)]
    data = torch.rand(4 * batch, 3, 64, 64) * 2 - 1

    def step(index: int) -> None:
        real = data[index % 4 * batch:(index % 4 + 1) * batch]
        judge.zero_grad()
        criterion(judge(real).view(-1), torch.ones(batch)).backward()
        made = net(torch.randn(batch, 100, 1, 1))
        criterion(judge(made.detach()).view(-1), torch.zeros(batch)).backward()
        adams[0].step()
        net.zero_grad()
        criterion(judge(made).view(-1), torch.ones(batch)).backward()
        adams[1].step()

    return step


def ours(batch: int) -> Callable[[int], None]:
    """A round of the recipe, with what `fit` does after it."""
    recipe = recipes.replace(recipes.dcgan(), batch=batch, sheets=10**9)
    images = np.random.default_rng(0).integers(0, 256, (4 * batch, 64, 64, 3), np.uint8)
    task, fabric = GANTask(recipe, images), Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    task.setup(fabric, choose("cpu", "bf16"))

    def step(index: int) -> None:
        task.step(fabric, index + 1)  # 0 draws a sheet
        for ema in task.averages().values():
            ema.update()

    return step


SIDES = {"textbook": textbook, "mien": ours}


def side(name: str, batch: int) -> None:
    """A round for each line that comes in, its seconds on a line that goes out."""
    if name == "mien":
        keep_freed_memory()
    step = SIDES[name](batch)
    for index, _ in enumerate(sys.stdin):
        began, spent = time.perf_counter(), time.process_time()
        step(index)
        print(time.perf_counter() - began, time.process_time() - spent, flush=True)


def train(rounds: int, batch: int) -> dict[str, Any]:
    """Both in turns, each in a process of its own; the first two rounds warm up."""
    orders = {name: [sys.executable, __file__, name, "--batch", str(batch)] for name in SIDES}
    children = {name: subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                for name, order in orders.items()}  # fmt: skip
    told: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    for _ in range(rounds + 2):
        for name, child in children.items():
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("\n")
            child.stdin.flush()
            wall, own = map(float, child.stdout.readline().split())
            told[name].append((wall, own))
    for child in children.values():
        child.communicate()
    found: dict[str, Any] = {"batch": batch, "rounds": rounds}
    for name, pairs in told.items():
        seconds, processor = (statistics.median(column) for column in zip(*pairs[2:], strict=True))
        found[name] = {"seconds": seconds, "pictures_per_second": batch / seconds, "processor_seconds": processor,
                       "pictures_per_processor_second": batch / processor}  # fmt: skip
    found["times"] = found["textbook"]["seconds"] / found["mien"]["seconds"]
    found["times of the processor"] = found["textbook"]["processor_seconds"] / found["mien"]["processor_seconds"]
    return found


def drawing() -> dict[str, Any]:
    """Network and recipe -> pictures a second."""
    ten = tuple(map(str, range(10)))
    chosen = {"gan": 1, "cgan": 1, "cgan_dcgan": 1, "dcgan": 3, "dcgan_small": 3, "dcgan_cifar10": 3, "projection": 3, "vae": 1,
              "pixelcnn": 1, "pixelcnn_gated": 1}  # fmt: skip
    found = {}
    for name, channels in chosen.items():
        recipe = getattr(recipes, name)()
        side = recipe.size or (32 if channels == 3 else 28)
        labels = ten if getattr(recipe, "conditional", False) else ()
        net = build(Plan(recipe.network, side, dict(recipe.options), channels, labels)).eval()
        rates = {}
        for precision in ("fp32", "bf16"):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                times = []
                for turn in range(4):
                    began = time.process_time()
                    draw(net, side, 64, seeded(turn))
                    times.append(time.process_time() - began)
            rates[precision] = 64 / statistics.median(times[1:])
        found[name.replace("_", "-")] = {"side": side, "parameters": sum(p.numel() for p in net.parameters()),
                                         "pictures_per_processor_second": rates}  # fmt: skip
        print(json.dumps({name: found[name.replace("_", "-")]}), flush=True)
    return found


def main() -> None:
    """What was asked for, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "draw", *SIDES))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what in SIDES:
        side(asked.what, asked.batch)
        return
    before = load()
    found = train(asked.rounds, asked.batch) if asked.what == "train" else drawing()
    text = json.dumps({"origin": origin(before), asked.what: found}, indent=1)
    if asked.out:
        kept = json.loads(asked.out.read_text()) if asked.out.is_file() else {}
        asked.out.write_text(json.dumps(kept | json.loads(text), indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
