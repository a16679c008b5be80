"""Seven ways to learn distances on 30 people of ORL, asked about 10 others; and one of them on faces from twelve clips.

    nice python benchmarks/siamese.py --data DATA

Same network, same batches (10 people x 4 photos), same number of steps, three seeds each; the division of the people is that of seed 0
and named in the result. All pairs of the 100 test photos: 450 of one person, 4,500 of two. One-shot: one photo each of N people, every
choice counted (`mien.metrics.identification.n_way`). "moved": the test photos shifted by up to a sixteenth of their size and mirrored
at random, as no two photos are framed alike. Beside them the pixels, and dlib's network on the photos in which a face is found.
The settings were chosen on two divisions of the 30 people into 22 and 8, not on the 10.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from machine import load, origin
from mien.data.video.reading import read_video
from mien.faces.describe import Describer, chips
from mien.faces.find import find
from mien.metrics.identification import n_way
from mien.models.embedder import load as load_embedder
from mien.models.embedder import vectors
from mien.nn.batches import draw, gather, seeded
from mien.runtime import choose
from mien.tasks.recognize import recipes
from mien.train.metric_session import PreparedPeople, learn_embedder, prepare_people, unseen

LOSSES = (recipes.orl_triplet, recipes.orl_semi_hard, recipes.orl_batch_hard, recipes.orl_contrastive, recipes.orl_pairwise,
          recipes.orl_arcface, recipes.orl_cosface)  # fmt: skip


def figures(made: np.ndarray, people: np.ndarray) -> dict[str, float]:
    found = unseen(made, people)
    table = {"auc": found.auc, "eer": found.eer}
    ways = [n for n in (5, 10) if n <= len(np.unique(people))]
    return table | {f"one_shot_{n}": float(n_way(made, people, n)[0].mean()) for n in ways}


def moved(images: torch.Tensor) -> torch.Tensor:
    """(N, S, S, C) uint8, each shifted and mirrored."""
    side = images.shape[1]
    changes = draw(len(images), (side, side), side // 16, seeded(16))
    return gather(images, torch.arange(len(images)), changes).permute(0, 2, 3, 1).contiguous()


def flat(images: torch.Tensor) -> np.ndarray:
    return (images.flatten(1).float() / 255).numpy()


def trained(ready: PreparedPeople, recipe: Any) -> dict[str, float]:
    test = ready.parts["test"]
    with tempfile.TemporaryDirectory() as folder:
        learned = learn_embedder(recipe, Path(), Path(folder) / "run", runtime=choose("cpu"), ready=ready, label=recipe.loss)
        net, plan = load_embedder(learned.out)
    people = test.labels.numpy()
    table = figures(vectors(net, test.images, plan.mirror).numpy(), people)
    also = figures(vectors(net, moved(test.images), plan.mirror).numpy(), people)
    return table | {f"moved_{k}": v for k, v in also.items()} | {"seconds": learned.seconds}


def spread(rows: list[dict[str, float]]) -> dict[str, Any]:
    return {key: {"mean": round(statistics.mean(r[key] for r in rows), 4), "low": round(min(r[key] for r in rows), 4),
                  "high": round(max(r[key] for r in rows), 4)} for key in rows[0]}  # fmt: skip


def by_dlib(folder: Path, people: tuple[str, ...]) -> dict[str, Any]:
    describer, made, who = Describer(), [], []
    for number, name in enumerate(people):
        for path in sorted((folder / name).iterdir()):
            image = np.asarray(Image.open(path).convert("RGB").resize((368, 448), Image.Resampling.BICUBIC))
            faces = find(image, thorough=True)
            if faces:
                made.append(describer.vectors(chips(image, max(faces, key=lambda face: face.size).landmarks[None]))[0])
                who.append(number)
    return {"photos_with_a_face": len(who), **{k: round(v, 4) for k, v in figures(np.stack(made), np.array(who)).items()}}


def clip_faces(folder: Path, out: Path, each: int = 30) -> None:
    """An .npz of 64-pixel faces, some of every clip, by clip."""
    images, labels = [], []
    for path in sorted(folder.glob("clip_*.mp4")):
        frames = [frame.image for frame in read_video(path)]
        for place in np.linspace(0, len(frames) - 1, each).astype(int):
            if faces := find(frames[place], thorough=False):
                chip = chips(frames[place], max(faces, key=lambda face: face.size).landmarks[None], 64)[0]
                images.append((255 * chip).round().to(torch.uint8).permute(1, 2, 0).numpy())
                labels.append(path.stem)
    np.savez(out, images=np.stack(images), labels=np.array(labels))


def clips(data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        clip_faces(data / "video", Path(folder) / "clips.npz")
        recipe = replace(recipes.orl_arcface(), people=8, epochs=30)
        ready = prepare_people(recipe, Path(folder) / "clips.npz")
    test = ready.parts["test"]
    people, name = test.labels.numpy(), {k: len(v) for k, v in ready.names.items()}
    pixels = {"pixels": figures(flat(test.images), people), "pixels_moved": figures(flat(moved(test.images)), people)}
    return {"people": name, "test_people": ready.names["test"], "faces": {k: len(v) for k, v in ready.parts.items()},
            **pixels, "arcface": trained(ready, recipe)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data", help="holds faces/orl and video/")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "siamese.json")
    given, before = parser.parse_args(), load()
    if not (given.data / "faces" / "orl").is_dir():
        print(f"skipped: no {given.data}/faces/orl")
        return
    torch.set_num_threads(1)
    ready = prepare_people(recipes.ORL, given.data / "faces" / "orl")
    test = ready.parts["test"]
    people = test.labels.numpy()
    table: dict[str, Any] = {
        "test_people": ready.names["test"],
        "pixels": figures(flat(test.images), people) | {f"moved_{k}": v for k, v in figures(flat(moved(test.images)), people).items()},
        "dlib-face": by_dlib(given.data / "faces" / "orl", ready.names["test"]),
    }
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(given.seeds):
        for make in LOSSES:
            recipe = replace(make(), seed=seed)
            rows.setdefault(recipe.loss, []).append(trained(ready, recipe))
            found = {"seeds_done": seed + (make is LOSSES[-1]), "losses": {name: spread(done) for name, done in rows.items()}}
            given.out.write_text(json.dumps({**table, **found, **origin(before)}, indent=2) + "\n")  # what is done survives a kill
    table |= {"seeds": given.seeds, "losses": {name: spread(done) for name, done in rows.items()}, "clips": clips(given.data)}
    given.out.write_text(json.dumps({**table, **origin(before)}, indent=2) + "\n")
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
