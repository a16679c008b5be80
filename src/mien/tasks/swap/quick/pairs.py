"""What the swap from one photo learns from: frames whose face was replaced, and the photo that leads back to the true one.

Nobody has the same frame with two people's faces. But a real frame of P can be given Q's face, however roughly, and the network asked
to restore P from another photo of P: then the target is a real picture (Yuan et al. 2023, "ReliableSwap", arXiv 2306.05356). What it
is shown later, a real frame of Q, is shown as well, without a target: there the identity network says whether it looks like P.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from mien.faces.align import COVER
from mien.faces.bending import bent, mirrored_points, openings, region, softened, toned, tones, window_points
from mien.faces.describe import Describer
from mien.faces.faceset import FaceSet
from mien.models.one_photo import SIZE
from mien.nn.augment import recolour, uniform
from mien.tasks.swap.training import tensors

ASKED, OWN = 12, 4
"""Strangers, and pictures of the same person, among whom the one is chosen that holds the head most alike."""


@dataclass(frozen=True)
class Faces:
    """Faces of one source."""

    crops: Tensor
    """(N, 6, 160, 160) uint8: RGB that spans `COVER` windows, how much each pixel counts, where the face is, eyes and mouth."""
    points: Tensor
    """(N, 77, 2) in windows."""
    who: Tensor
    """(N, 128) of mien's own face network."""
    person: np.ndarray
    """(N,)"""
    share: float
    """Of a batch."""


def faces_of(found: FaceSet, person: np.ndarray, share: float) -> Faces:
    """A face set as training reads it."""
    crops, side = found.crops(), found.size
    marks = found.crop_landmarks()
    points = np.stack([window_points(p, np.array([[1, 0, 0], [0, 1, 0]]), side) for p in marks])  # in crops
    planes = [np.stack([region(p, side), openings(p, side)]) for p in points]
    counts = tensors(found, SIZE)
    assert counts.shape[-1] == side, (counts.shape, side)
    who = Describer(model="mien-face")(list(crops), marks)
    inside = (points - 0.5) * COVER + 0.5
    return Faces(torch.cat([counts, torch.from_numpy(np.stack(planes))], 1), torch.from_numpy(inside.astype(np.float32)),
                 torch.from_numpy(who), person, share)


@dataclass
class Shown:
    """A batch; the first `known` rows have a target."""

    frame: Tensor
    """(B, 3, S, S) in 0..1: what is to be changed."""
    photo: Tensor
    """(B, 3, S, S): the photo, bent to the frame's points, in the frame's tone."""
    mask: Tensor
    """(B, 1, S, S): where there may be a face."""
    who: Tensor
    """(B, 128): whom to draw."""
    target: Tensor
    """(B, 3, S, S): the real frame; of rows from `known` on the frame itself."""
    weight: Tensor
    """(B, 1, S, S): how much each pixel counts."""
    points: Tensor
    """(B, 77, 2) of the frame, in windows."""
    opened: Tensor
    """(B, 1, S, S): the frame's eyes, inner mouth, and what covers it: nothing to take from a photo."""
    known: int


Chosen = tuple[int, int, int, int]
"""A source, and of it the rows of the frame, of another face of the same person, and of a stranger."""


@dataclass(frozen=True)
class Portions:
    """Shares of a batch, and how the pictures are changed."""

    other: float = 0.33
    """Real frames of somebody else than the photo's person: no target."""
    own: float = 0.0
    """Real frames of the photo's own person: they teach to leave alone what was not pasted, and so everybody."""
    opened: float = 0.5
    """Of replaced faces, those that keep the frame's own eyes and inner mouth."""
    light: float = 0.12
    """How far the photo's colours are changed."""
    alike: float = 0.6
    """Photos chosen for how they hold the head; the others by chance."""
    noise: float = 0.006
    """Of the photo's points, in windows: landmarks are never quite right."""
    covered: float = 0.2
    """Frames with something before the face."""


class Pairs:
    """Batches from several sources."""

    def __init__(self, sources: Sequence[Faces], portions: Portions | None = None) -> None:
        self.sources, self.portions = list(sources), portions or Portions()
        self.members = [[np.flatnonzero(s.person == k) for k in range(s.person.max() + 1)] for s in sources]
        self.shares = torch.tensor([s.share for s in sources])

    def nearest(self, source: Faces, asked: np.ndarray, points: Tensor) -> tuple[int, bool]:
        """Of these rows, mirrored or not, the one that holds the head most like `points` (77, 2)."""
        theirs = source.points[asked]
        far = [(some - points).abs().mean((1, 2)) for some in (theirs, mirrored_points(theirs))]
        best = int(torch.cat(far).argmin())
        return int(asked[best % len(asked)]), best >= len(asked)

    def rows(self, count: int, rng: Generator) -> tuple[list[Chosen], Tensor]:
        """`count` of them, and (count, 3) whether frame, photo and stranger are mirrored."""
        chosen, mirrored = [], torch.rand(count, 3, generator=rng) < 0.5
        for i, number in enumerate(torch.multinomial(self.shares, count, replacement=True, generator=rng).tolist()):
            source = self.sources[number]
            row = int(torch.randint(len(source.crops), (1,), generator=rng))
            points = mirrored_points(source.points[row]) if mirrored[i, 0] else source.points[row]
            asked = torch.randint(len(source.crops), (ASKED,), generator=rng).numpy()
            strange, mirrored[i, 2] = self.nearest(source, asked[source.person[asked] != source.person[row]], points)
            others = self.members[number][source.person[row]]
            others = others[others != row]
            if not len(others):
                same, mirrored[i, 1] = row, not mirrored[i, 0]
            else:
                asked = others[torch.randint(len(others), (OWN,), generator=rng).numpy()]
                same = int(asked[0])
                if torch.rand(1, generator=rng) < self.portions.alike:
                    same, mirrored[i, 1] = self.nearest(source, asked, points)
            chosen.append((number, row, same, strange))
        return chosen, mirrored

    def taken(
        self, chosen: list[Chosen], which: int, mirrored: Tensor, device: torch.device
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Crops (B, 6, H, W) in 0..1, points (B, 77, 2) and identities (B, 128) of the `which` rows of each choice."""
        crops = torch.stack([self.sources[c[0]].crops[c[which]] for c in chosen]).to(device).float() / 255
        points = torch.stack([self.sources[c[0]].points[c[which]] for c in chosen]).to(device)
        who = torch.stack([self.sources[c[0]].who[c[which]] for c in chosen]).to(device)
        flip = mirrored.to(device).view(-1, 1, 1)
        return torch.where(flip[..., None], crops.flip(3), crops), torch.where(flip, mirrored_points(points), points), who

    def batch(self, count: int, rng: Generator, device: torch.device) -> Shown:
        """`count` rows."""
        portions = self.portions
        chosen, mirrored = self.rows(count, rng)
        known = count - round(count * portions.other)
        crops, points, _ = self.taken(chosen, 1, mirrored[:, 0], device)
        same, same_points, same_who = self.taken(chosen, 2, mirrored[:, 1], device)
        strange, strange_points, strange_who = self.taken(chosen, 3, mirrored[:, 2], device)
        window = windows(crops)
        target, weight, mask, opened = window[:, :3], window[:, 3:4], softened(window[:, 4:5], 1.5), window[:, 5:6]
        target, blob = covered(target, portions.covered, rng)
        opened = torch.maximum(opened, blob)
        strange_photo = self.photo(strange[:, :3], strange_points, target, mask, points, rng)
        same_photo = self.photo(same[:, :3], same_points, target, mask, points, rng)
        frame = self.replaced(target, strange_photo, mask, opened, blob, rng)
        own = round(count * portions.own)
        frame[known - own:] = target[known - own:]
        photo = torch.cat([same_photo[:known], strange_photo[known:]])
        who = torch.cat([same_who[:known], strange_who[known:]])
        return Shown(frame, photo, mask, who, target, weight, points, opened, known)

    def photo(self, crops: Tensor, source: Tensor, frame: Tensor, mask: Tensor, points: Tensor, rng: Generator) -> Tensor:
        """(B, 3, H, W) crops bent to the frame's points, in its tone."""
        noise = torch.randn(source.shape, generator=rng).to(source) * self.portions.noise
        [crops] = recolour(crops, self.portions.light, rng)
        over = bent(crops, source + noise, points, SIZE, COVER)
        return toned(over, tones(over, mask), tones(frame, mask))

    def replaced(self, frame: Tensor, photo: Tensor, mask: Tensor, opened: Tensor, blob: Tensor, rng: Generator) -> Tensor:
        """The photo over the frame, edges soft, behind what covers it, most with the frame's own eyes and inner mouth."""
        kept = (torch.rand(len(frame), 1, 1, 1, generator=rng) < self.portions.opened).to(frame.device)
        over = softened(mask, float(torch.rand(1, generator=rng)) * 3 + 0.5) * (1 - softened(opened, 0.7) * kept) * (1 - blob)
        return frame + over * (photo - frame)


def windows(crops: Tensor) -> Tensor:
    """(B, C, H, W) crops that span `COVER` windows -> (B, C, S, S), the window in the middle."""
    ramp = (torch.arange(SIZE, device=crops.device) + 0.5) / SIZE * 2 - 1
    grid = torch.stack(torch.meshgrid(ramp, ramp, indexing="xy"), -1)[None].expand(len(crops), -1, -1, -1) / COVER
    return F.grid_sample(crops, grid, align_corners=False)


def covered(frames: Tensor, share: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Some of (B, 3, S, S) with a piece of another, turned, before the face, where smooth noise is high; and where (B, 1, S, S)."""
    batch, size = len(frames), frames.shape[-1]
    noise = F.interpolate(torch.randn(batch, 1, 4, 4, generator=rng), size=(size, size), mode="bicubic").to(frames.device)
    some = (torch.rand(batch, 1, 1, 1, generator=rng) < share).to(frames.device)
    blob = softened(((noise > 0.9) & some).to(frames), 0.8)
    other = frames.roll(1, 0).transpose(2, 3).flip(2)
    shift = uniform(rng, batch, 1, 1, 1).to(frames.device) * 0.2
    return frames + blob * ((other + shift).clamp(0, 1) - frames), blob
