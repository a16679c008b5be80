"""Training speed on CIFAR-10 pictures: mien against plain PyTorch as its tutorial has it (fp32, DataLoader, transforms).

    python benchmarks/train_cifar.py --data DATA        # DATA/cifar10; without it random pictures of the same size

The tutorial is "Training a classifier" (pytorch.org): Dataset of single pictures, DataLoader with 2 workers, contiguous layout, fp32.
Its transforms are torchvision's; the same ones stand here in plain torch: to float, pad 4 and crop, mirror, normalise.
Contestants take turns in one process each; the figure is the median over rounds of images a second.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import load, origin

BATCH = {"resnet20": 128, "speednet": 500}
STEPS = {"resnet20": 16, "speednet": 5}
ROUNDS = 3


def pictures(data: Path | None, count: int):
    import numpy as np

    if data:
        from mien.data.examples import read_examples

        examples = read_examples(data / "cifar10", "train")
        return examples.images[:count], examples.labels[:count]
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, 32, 32, 3)).astype(np.uint8), random.integers(0, 10, count)


def tutorial(name: str, data: Path | None) -> float:
    """Images a second of the tutorial's loop, after one batch to warm up."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    from mien.models.catalog import NETWORKS

    images, labels = pictures(data, BATCH[name] * (STEPS[name] + 2))
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1), torch.tensor([0.247, 0.243, 0.261]).view(3, 1, 1)

    class Pictures(Dataset):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, i: int):
            x = torch.from_numpy(images[i]).permute(2, 0, 1).float() / 255
            x = nn.functional.pad(x, (4, 4, 4, 4))
            top, left = torch.randint(0, 9, (2,)).tolist()
            x = x[:, top : top + 32, left : left + 32]
            if torch.rand(()) < 0.5:
                x = x.flip(2)
            return (x - mean) / std, int(labels[i])

    net = NETWORKS[name].build()
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.001, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    began, shown = 0.0, 0
    for step, (x, y) in enumerate(DataLoader(Pictures(), BATCH[name], shuffle=True, num_workers=2)):
        if step == 1:
            began = time.perf_counter()
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
        shown += len(y) if step >= 1 else 0
        if step == STEPS[name]:
            break
    return shown / (time.perf_counter() - began)


def ours(name: str, data: Path | None) -> float:
    """Images a second inside `mien train`'s loop."""
    import tempfile

    import torch

    from mien.nn.memory import keep_freed_memory
    from mien.runtime import choose
    from mien.tasks.classify.recipes import resnet20, speed
    from mien.train import Every, fit
    from mien.train.supervised import Part, SupervisedTask

    keep_freed_memory()
    images, labels = pictures(data, BATCH[name] * (STEPS[name] + 2))
    recipe = dataclasses.replace({"resnet20": resnet20, "speednet": speed}[name](), batch=BATCH[name], average=0.0)
    task = SupervisedTask(recipe, recipe.names, Part(torch.from_numpy(images), torch.from_numpy(labels)))
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fit(
            task, Path(folder), steps=STEPS[name] + 1, runtime=choose(), evaluate=Every(), save=Every(), tensorboard=False,
            on_event=lambda e: moments.append(time.perf_counter()) if e.kind == "step" else None,
        )  # fmt: skip
    return BATCH[name] * (len(moments) - 1) / (moments[-1] - moments[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with cifar10/; without it random pictures")
    parser.add_argument("--one", nargs=2, metavar=("WHO", "NETWORK"), help="used by the script itself")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "train_cifar.json")
    given = parser.parse_args()
    if given.one:
        who, name = given.one
        print(json.dumps({"tutorial": tutorial, "mien": ours}[who](name, given.data)))
        return
    before = load()
    found: dict[str, dict[str, list[float]]] = {name: {"tutorial": [], "mien": []} for name in BATCH}
    for turn in range(ROUNDS):
        for name, speeds in found.items():
            for who, values in speeds.items():
                command = [sys.executable, __file__, "--one", who, name, *(["--data", str(given.data)] if given.data else [])]
                values.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))
                print(f"round {turn + 1}: {name} {who} {values[-1]:.1f} images/s", file=sys.stderr)
    table = {
        name: {who: {"images_per_second": statistics.median(v), "all": v} for who, v in speeds.items()}
        | {"ratio": statistics.median(speeds["mien"]) / statistics.median(speeds["tutorial"])}
        for name, speeds in found.items()
    }
    given.out.write_text(json.dumps({"networks": table, "rounds": ROUNDS, "batch": BATCH, **origin(before)}, indent=2) + "\n")
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
