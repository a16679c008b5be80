"""mien's own face network learns dlib's 128 numbers from faces that the teacher has described.

    python -m mien.tasks.recognize.distil DATA --out RUN --faces 100000      # DATA: a folder with faces/ and video/
    python -m mien.tasks.recognize.distil DATA --out RUN --minutes 80
    python -m mien.tasks.recognize.distil DATA --out RUN --export            # RUN/mien-face.safetensors, bfloat16

The first line finds faces (RUN/chips.npz), draws new ones from them and has the teacher describe these (RUN/shards); the second
trains on what is there, shifting, lighting, blurring and roughening every face anew, so that the student learns what the teacher says
of the clean face. People in RUN/held_back.txt take no part; the people of the test pictures are in none of the sources.
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Generator, Tensor

from mien.data.files import atomic
from mien.data.pictures import read_picture
from mien.data.video import read_video
from mien.faces.describe import Describer, chips
from mien.faces.find import Measured, find_in_photo, find_measured
from mien.models.mien_face import BT601, SIZE, mien_face
from mien.nn.memory import keep_freed_memory
from mien.progress import Progress, say
from mien.runtime import choose
from mien.tasks.recognize.synthesis import CHIP, PADDING, WIDE, People, new_faces, teachers_view
from mien.train import EMA, Every, OneNetworkTask, averaged, compact, fit
from mien.train.optim import Muon, hold_then_fall

FOLDERS = ("people1612", "frames347", "generated", "stills", "portraits")
NUMBERED = ("people1612", "frames347")
"""There a file's name is PERSON_NUMBER."""
TESTED = re.compile(r"^Colin_Powell_")
"""A person of the test pictures who is in frames347 too."""
EVERY, HELD_BACK, SHARD = 6, 150, 1024
"""Of a clip each sixth frame; people of people1612 alone who take no part; faces in one file."""
SMALL = round(WIDE * SIZE / CHIP)
"""Pixels of the wide grey chips that the student learns from."""
BATCH, RATE, PLAIN_RATE, AVERAGE = 96, 0.01, 1e-3, 0.99
DIRECTION = 0.5
"""Weight, beside the squared distance, of one minus the cosine to the teacher's vector, both seen from the mean vector: who it is lies
in the direction, and squares alone draw what is unsure towards the mean."""


def gather(data: Path) -> People:
    """The largest face of every photo and of each sixth frame of every clip; photos of faces alone get a margin to find them in."""
    made, names = [], []
    photos = [p for folder in FOLDERS for p in sorted((data / "faces" / folder).iterdir()) if p.suffix in (".jpg", ".png")]
    with Progress("find faces", total=len(photos), unit="photos") as bar:
        for path in photos:
            if TESTED.match(path.name):
                continue
            image = read_picture(path)
            if tight := max(image.shape) < 200:
                edge = image.shape[0] // 3
                image = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
            found = find_measured(image, thorough=False) or ([] if tight else find_in_photo(image))
            made += _chip(image, found)
            names += [re.sub(r"_\d+$", "", path.stem) if path.parent.name in NUMBERED else path.stem] * bool(found)
            bar.advance()
    for path in sorted((data / "video").glob("*.mp4")):
        for frame in read_video(path):
            if frame.index % EVERY == 0:
                found = find_measured(frame.image, thorough=False)
                made += _chip(frame.image, found)
                names += [path.stem] * bool(found)
    return People(torch.stack(made), np.array(names))


def _chip(image: np.ndarray, found: list[Measured]) -> list[Tensor]:
    return [(chips(image, one.face.landmarks[None], WIDE, PADDING)[0] * 255).round().byte() for one in found[:1]]


def held_back(data: Path, people: People) -> list[str]:
    """`HELD_BACK` people who are in people1612 and in no other folder."""
    stems = {folder: {re.sub(r"_\d+$", "", p.stem) for p in (data / "faces" / folder).iterdir()} for folder in FOLDERS}
    others = set().union(*(names for folder, names in stems.items() if folder != "people1612"))
    alone = sorted(name for name in stems["people1612"] - others if not name.startswith("imfdb") and name in set(people.person))
    return sorted(np.random.default_rng(7).choice(alone, HELD_BACK, replace=False))


def described(people: People, out: Path, count: int, device: str) -> None:
    """Fill RUN/shards up to `count` new faces: x (M, 122, 122) uint8 grey, y (M, 128); each file is a function of its number."""
    teacher = Describer(choose(device).device)
    with Progress("describe", total=count, unit="faces") as bar:
        for number in range(-(-count // SHARD)):
            target = out / "shards" / f"{number}.npz"
            if not target.is_file():
                random, rng = np.random.default_rng(number), Generator().manual_seed(number)
                faces = [new_faces(people, SHARD // 8, random, rng) for _ in range(8)]
                x = torch.cat([_grey(part) for part in faces]).numpy()
                y = np.concatenate([teacher.vectors(teachers_view(part)) for part in faces])
                with atomic(target) as draft:
                    np.savez(draft, x=x, y=y)
            bar.advance(SHARD)


def _grey(faces: Tensor) -> Tensor:
    """(N, 3, 190, 190) in 0..1 -> (N, 122, 122) uint8."""
    grey = (faces * torch.tensor(BT601).view(1, 3, 1, 1)).sum(1, keepdim=True)
    small = F.interpolate(grey, size=(SMALL, SMALL), mode="bilinear", antialias=True, align_corners=False)
    return (small[:, 0] * 255).round().byte()


def roughened(x: Tensor, rng: Generator) -> Tensor:
    """(B, 122, 122) uint8 -> (B, 1, 96, 96) in 0..1: a little off its place, in other light, a third of them blurred, some noisy."""
    count, x = len(x), x[:, None].float() / 255
    normal, even = (lambda *shape: torch.randn(*shape, generator=rng)), (lambda *shape: torch.rand(*shape, generator=rng))
    turn, scale = normal(count) * math.radians(2.5), SIZE / SMALL * (1 + normal(count) * 0.025)
    cos, sin, shift = scale * turn.cos(), scale * turn.sin(), normal(count, 2) * 0.012
    matrix = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    x = F.grid_sample(x, F.affine_grid(matrix, [count, 1, SIZE, SIZE], align_corners=False), align_corners=False)
    mean, one = x.mean((2, 3), keepdim=True), (count, 1, 1, 1)
    x = (x - mean) * (1 + (even(*one) - 0.5) * 0.6) + mean + (even(*one) - 0.5) * 0.3
    light = F.interpolate(normal(count, 1, 2, 2) * 0.1, size=(SIZE, SIZE), mode="bilinear", align_corners=True)
    x = x * (1 + light * (even(*one) < 0.5))
    third, side = int(count * 0.3), int(32 + 48 * even(1))
    low = F.interpolate(x[:third], size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    x[:third] = F.interpolate(low, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    x = x + normal(count, 1, SIZE, SIZE) * (even(*one) * 0.04 * (even(*one) < 0.5))
    return x.clamp(0, 1)


class DistilTask(OneNetworkTask):
    """Distance and direction to the teacher's vectors; constant rate, then down a cosine from two fifths of the time on."""

    def __init__(self, shards: Path) -> None:
        files = sorted(shards.glob("*.npz"), key=lambda path: int(path.stem))
        if not files:
            raise ValueError(f"no faces in {shards}: describe some first (--faces)")
        tables = [np.load(path) for path in files]
        self.x = torch.from_numpy(np.concatenate([table["x"] for table in tables]))
        self.y = torch.from_numpy(np.concatenate([table["y"] for table in tables]))
        torch.manual_seed(0)
        self.net, self.items, self.rng = mien_face(), BATCH, Generator().manual_seed(0)
        self.ema = EMA(self.net, AVERAGE)
        self.mean = self.y.mean(0)
        self.optimizer = Muon(self.net, RATE, (self.net[-1],), PLAIN_RATE)

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """A batch of faces, roughened."""
        hold_then_fall(self.optimizer, self.share, index)
        which = torch.randint(len(self.x), (BATCH,), generator=self.rng)
        faces = roughened(self.x[which], self.rng).to(fabric.device, memory_format=torch.channels_last)
        with fabric.autocast():
            told = self.net(faces).float()
        wanted, mean = self.y[which].to(fabric.device), self.mean.to(fabric.device)
        distance = (told - wanted).square().sum(1).mean()
        direction = 1 - F.cosine_similarity(told - mean, wanted - mean).mean()
        self.optimizer.zero_grad()
        fabric.backward(distance + DIRECTION * direction)
        self.optimizer.step()
        return {"loss": (distance + DIRECTION * direction).detach(), "distance": distance.detach()}

    def state(self) -> dict[str, Any]:
        """Where the random numbers stand."""
        return {"rng": self.rng.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.rng.set_state(state["rng"])


def export(run: Path, target: Path) -> None:
    """The averaged weights of the last checkpoint, bfloat16 but for the batch statistics."""
    with atomic(target) as draft:
        save_file(compact(averaged(run)), draft)


def main() -> None:
    """Gather and describe, train, or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--faces", type=int, help="have the teacher describe so many new faces")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--export", action="store_true")
    given = parser.parse_args()
    if given.faces:
        described(_people(given.data, given.out), given.out, given.faces, given.device)
    if given.minutes:
        keep_freed_memory()
        fit(DistilTask(given.out / "shards"), given.out / "run", minutes=given.minutes, runtime=choose(given.device),
            evaluate=Every(), label="mien-face")  # fmt: skip
    if given.export:
        export(given.out / "run", given.out / "mien-face.safetensors")


def _people(data: Path, out: Path) -> People:
    """Those who may be learnt from; found once."""
    kept = out / "chips.npz"
    if not kept.is_file():
        found = gather(data)
        with atomic(kept) as draft:
            np.savez(draft, x=found.chips.numpy(), who=found.person)
    table = np.load(kept)
    people = People(torch.from_numpy(table["x"]), table["who"])
    aside = held_back(data, people)
    with atomic(out / "held_back.txt") as draft:
        draft.write_text("\n".join(aside) + "\n", encoding="utf-8")
    free = np.flatnonzero(~np.isin(people.person, aside))
    say(f"{len(free)} faces of {len(set(people.person[free]))} people; {len(aside)} people held back")
    return People(people.chips[torch.from_numpy(free)], people.person[free])


if __name__ == "__main__":
    main()
