"""Seconds an epoch of the 3072-200-150-10 perceptron on CIFAR-10: mien against the same model in Keras 3 on its torch backend.

    python -m venv peer --system-site-packages && peer/bin/pip install --no-deps keras absl-py namex h5py optree ml-dtypes rich
    python benchmarks/train_mlp.py --peer peer/bin/python --data DATA --epochs 10

Both: Flatten, Dense 200 ReLU, Dense 150 ReLU, Dense 10 softmax (first weights as each has them), cross-entropy,
Adam 0.0005, batch 32, shuffled, pixels in 0..1. Epoch by epoch in turns, one process waiting while the other works, so both
meet the same machine; the curve is the training accuracy each reports itself (a running mean over the epoch's batches).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from machine import load, origin


def pictures(data: Path):
    from mien.data.examples import read_examples

    examples = read_examples(data / "cifar10", "train")
    return examples.images, examples.labels


def keras_epochs(data: Path) -> Iterator[dict[str, float]]:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers

    images, labels = pictures(data)
    x, y = images.astype("float32") / 255, keras.utils.to_categorical(labels, 10)
    model: Any = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(200, activation="relu"),
                                   layers.Dense(150, activation="relu"), layers.Dense(10, activation="softmax")])  # fmt: skip
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=0.0005), metrics=["accuracy"])
    model.train_on_batch(x[:32], y[:32])
    while True:
        began = time.perf_counter()
        done = model.fit(x, y, batch_size=32, epochs=1, shuffle=True, verbose=0).history
        yield {"seconds": time.perf_counter() - began, "loss": done["loss"][0], "accuracy": done["accuracy"][0]}


def our_epochs(data: Path, epochs: int) -> Iterator[dict[str, float]]:
    import tempfile
    import threading
    from dataclasses import replace

    import torch

    from mien.nn.memory import keep_freed_memory
    from mien.runtime import choose
    from mien.tasks.classify.recipes import mlp_cifar
    from mien.train import Event, Every, fit
    from mien.train.supervised import Part, SupervisedTask

    keep_freed_memory()  # as `mien train` does
    images, labels = pictures(data)
    recipe = replace(mlp_cifar(), epochs=epochs)
    task = SupervisedTask(recipe, recipe.names, Part(torch.from_numpy(images), torch.from_numpy(labels)))
    turn, done = threading.Semaphore(0), threading.Semaphore(0)
    told: list[dict[str, float]] = []

    def evaluated(event: Event) -> None:
        if event.kind == "evaluated":
            told.append({"accuracy": event.values["train/accuracy"], "seconds": time.perf_counter() - begun[0]})
            done.release()
            turn.acquire()
            begun[0] = time.perf_counter()

    def work() -> None:
        turn.acquire()
        begun[0] = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            fit(task, Path(folder), steps=task.steps, runtime=choose(), evaluate=Every(steps=task.epoch_steps), save=Every(),
                tensorboard=False, on_event=evaluated)  # fmt: skip

    begun = [0.0]
    threading.Thread(target=work, daemon=True).start()
    for _ in range(epochs):
        turn.release()
        done.acquire()
        yield told[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has Keras 3")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data", help="holds cifar10/")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--one", choices=("keras", "mien"), help="used by the script itself")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "train_mlp.json")
    given = parser.parse_args()
    if given.one:
        answers = sys.stdout
        sys.stdout = sys.stderr
        epochs = keras_epochs(given.data) if given.one == "keras" else our_epochs(given.data, given.epochs)
        for _ in sys.stdin:
            print(json.dumps(next(epochs)), file=answers, flush=True)
        os._exit(0)
    if not (given.data / "cifar10").is_dir():
        print(f"skipped: no {given.data}/cifar10")
        return
    if subprocess.run([given.peer, "-c", "import keras"], capture_output=True, env=os.environ | {"KERAS_BACKEND": "torch"}).returncode:
        print(f"skipped: {given.peer} has no Keras (--peer)")
        return
    before = load()
    contestants = {
        name: subprocess.Popen([python, __file__, "--one", name, "--data", given.data, "--epochs", str(given.epochs)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for name, python in (("keras", given.peer), ("mien", sys.executable))
    }  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for epoch in range(given.epochs):
        for name, process in contestants.items():
            assert process.stdin
            assert process.stdout
            process.stdin.write("go\n")
            process.stdin.flush()
            found[name].append(json.loads(process.stdout.readline()))
            print(f"epoch {epoch + 1} {name}: {found[name][-1]}", file=sys.stderr)
    for process in contestants.values():
        process.kill()
    seconds = {name: statistics.median(e["seconds"] for e in epochs) for name, epochs in found.items()}
    table = {
        "seconds_an_epoch": seconds,
        "ratio": seconds["keras"] / seconds["mien"],
        "training_accuracy": {name: [round(e["accuracy"], 4) for e in epochs] for name, epochs in found.items()},
        **origin(before),
    }
    given.out.write_text(json.dumps(table, indent=2) + "\n")
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
