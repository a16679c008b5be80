"""The pretrained base: one autoencoder of many people whose decoder is told, by an identity vector, whom to draw.

    python -m mien.tasks.swap.base DATA --out RUN --minutes 90     # DATA: a folder with faces/ and video/ as described below
    python -m mien.tasks.swap.base DATA --out RUN --bundled        # goes on from the weights that are bundled now
    python -m mien.tasks.swap.base DATA --out RUN --export         # writes the weights to bundle from RUN's last checkpoint

The encoder sees a warped face; the decoder restores the unwarped one and is given the embedding of another picture of the same
person. So what the small code cannot hold about identity comes from the vector, and a new person's decoder starts out drawing
somebody alike.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import AdamW

from mien.data.files import atomic
from mien.data.pictures import write_picture
from mien.faces.align import COVER
from mien.faces.extract import extract
from mien.faces.faceset import FaceSet
from mien.models.swap import SwapNet
from mien.models.swap_model import BASE, WHO_SCALE
from mien.nn.augment import Jitter, centre, training_pair
from mien.nn.memory import keep_freed_memory
from mien.runtime import choose
from mien.tasks.swap.one_network import OneNetwork
from mien.tasks.swap.training import decay, restoration, tensors
from mien.train import EMA, Every, averaged, fit
from mien.weights import load
from mien.weights.eight_bits import squeeze

SOURCES = {
    "clips": (("video",), 0.42),
    "frames": (("faces/frames347",), 0.30),
    "portraits": (("faces/generated", "faces/stills"), 0.14),
    "grey": (("faces/people1612",), 0.14),
}
"""Where faces come from, and what share of a batch each has."""
NUMBERED = ("frames347", "people1612")
HELD_BACK = re.compile(r"^wda_")
"""Clips that the swap's own figures are measured on: never trained on."""
JITTER = Jitter(rotation=10, zoom=0.05, shift=0.05, flip=0.5, warp=5 / 160, colour=0.08, tint=0.06)


@dataclass(frozen=True)
class Pool:
    """Faces of one kind: crops (N, 4, S, S) uint8, identity vectors (N, 128), and person numbers (N,)."""

    crops: Tensor
    who: Tensor
    person: np.ndarray
    share: float


def person_of(source: str, track: int) -> str:
    """In a clip a person is a track; in `NUMBERED` folders files are PERSON_NUMBER; elsewhere every photo is somebody else."""
    path = Path(source)
    if path.suffix == ".mp4":
        return f"{path.stem}/{track}"
    return re.sub(r"_\d+$", "", path.stem) if path.parent.name in NUMBERED else path.stem


def pool(faces: FaceSet, share: float) -> Pool:
    """A face set as training reads it."""
    return Pool(tensors(faces, 128), torch.from_numpy(faces.embeddings()).float() * WHO_SCALE, people_of(faces), share)


def face_sets(data: Path, out: Path) -> dict[str, FaceSet]:
    """Faces of every source, extracted once to `out`, by the source's name."""
    found = {}
    for name, (folders, _) in SOURCES.items():
        paths = [p for folder in folders for p in sorted((data / folder).iterdir())
                 if p.suffix in (".jpg", ".png", ".mp4") and not HELD_BACK.match(p.name)]
        found[name] = extract(paths, out / "faces" / name, size=160, every=2 if name == "clips" else 1, label=name)
    return found


def people_of(faces: FaceSet) -> np.ndarray:
    """(N,) whose face each is, counted from 0."""
    names = [person_of(s, t) for s, t in zip(faces.column("source"), faces.column("track"), strict=True)]
    return np.unique(names, return_inverse=True)[1]


def gather(data: Path, out: Path) -> list[Pool]:
    """All that training reads."""
    return [pool(faces, SOURCES[name][1]) for name, faces in face_sets(data, out).items()]


class BaseTask(OneNetwork):
    """A batch mixes all pools; every face comes with the identity vector of any picture of the same person."""

    def __init__(self, pools: list[Pool], batch: int = 32, rate: float = 6e-4) -> None:
        self.pools, self.items, self.rate = pools, batch, rate
        self.members = [[torch.from_numpy(np.flatnonzero(p.person == k)) for k in range(p.person.max() + 1)] for p in pools]
        torch.manual_seed(0)
        self.net = SwapNet(["base"])
        self.ema = EMA(self.net, 0.998)
        self.optimizer = AdamW(self.net.parameters(), rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
        self.rng = torch.Generator().manual_seed(0)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take up weights of an earlier training, for the network and its average."""
        for net in (self.net, self.ema.module):
            net.load_state_dict({name: value.float() for name, value in weights.items()})

    def batch(self) -> tuple[Tensor, Tensor]:
        """(B, 4, S, S) uint8 and (B, 128)."""
        shares = torch.tensor([p.share for p in self.pools])
        crops, who = [], []
        for k in torch.multinomial(shares, self.items, replacement=True, generator=self.rng).tolist():
            chosen = self.pools[k]
            i = int(torch.randint(len(chosen.crops), (1,), generator=self.rng))
            same = self.members[k][chosen.person[i]]
            crops.append(chosen.crops[i])
            who.append(chosen.who[same[torch.randint(len(same), (1,), generator=self.rng)[0]]])
        return torch.stack(crops), torch.stack(who)

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """The same losses as a swap's training."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, (index + 1) / 200) * decay(self.share)
        crops, who = self.batch()
        warped, target, weight = training_pair(crops.to(fabric.device), 128, COVER, JITTER, self.rng)
        with fabric.autocast():
            code = self.net.encoder(warped.contiguous(memory_format=torch.channels_last))
            made = self.net.decoders["base"](code, who.to(fabric.device)).float()
        loss, told = restoration(made, target, weight, structure=0.5)
        self.descend(fabric, loss, clip=1.0)
        return told

    def preview(self, path: Path) -> None:
        """Faces, restored, and drawn with the next one's identity."""
        crops = torch.cat([p.crops[:: max(len(p.crops) // 4, 1)][:4] for p in self.pools])
        who = torch.cat([p.who[:: max(len(p.crops) // 4, 1)][:4] for p in self.pools])
        true = centre(crops, 128, COVER)[:, :3]
        device = next(self.net.parameters()).device
        net = self.ema.module
        assert isinstance(net, SwapNet)
        code = net.encoder(true.to(device))
        made = [net.decoders["base"](code, w.to(device)).cpu() for w in (who, who.roll(4, 0))]
        sheet = torch.cat([true, *made], 2).permute(2, 0, 3, 1).reshape(3 * 128, -1, 3)
        write_picture(path, (sheet.clamp(0, 1) * 255).round().byte().numpy())


def export(run: Path, target: Path) -> None:
    """The averaged weights of the last checkpoint in eight bits, as bundled."""
    with atomic(target) as draft:
        save_file(squeeze({name: value.float().contiguous() for name, value in averaged(run).items()}), draft)


def main() -> None:
    """Train or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--batch", type=int, default=32, help="256 on a GPU")
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate")
    parser.add_argument("--bundled", action="store_true", help="start from the bundled weights, not from random ones")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--export", action="store_true")
    given = parser.parse_args()
    if not given.export:
        keep_freed_memory()
        task = BaseTask(gather(given.data, given.out), given.batch, given.rate)
        if given.bundled:
            task.start_from(load(BASE))
        fit(task, given.out / "run", minutes=given.minutes, runtime=choose(given.device), evaluate=Every(seconds=300), label=BASE)
    export(given.out / "run", given.out / f"{BASE}.safetensors")
    print(given.out / f"{BASE}.safetensors", file=sys.stderr)


if __name__ == "__main__":
    main()
