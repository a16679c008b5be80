"""Swapped faces to learn from: drawn by the pretrained swap network, by the one for a single photo, or cut from another and pasted."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from mien.data.files import atomic
from mien.data.warp import transform
from mien.faces.align import align, alignment
from mien.faces.blend import Blend, paste, recolour, skin_weight, tone
from mien.faces.describe import Describer
from mien.faces.mask import face_mask
from mien.faces.one_photo import Painter, Photo, network
from mien.faces.reshape.fields import dense, nodes
from mien.faces.reshape.sampling import sampled
from mien.faces.reshape.sliders import with_forehead
from mien.faces.reshape.warpers import thin_plate
from mien.faces.shape import face_shape
from mien.models.swap import SwapNet
from mien.models.swap_model import WHO_SCALE, base_weights
from mien.progress import Progress
from mien.runtime import choose
from mien.tasks.inspect.originals import Originals

FAKES = ("network", "photo", "pasted")
"""What is made of every face."""
OWN = 0.2
"""Of the drawn faces, the share that keeps its own identity: a reconstruction is a fake too."""
ASKED = 40
"""Strangers among whom the one is chosen whose face is pasted: who looks the same way in much the same light."""
WINDOW = 256
"""Pixels of the aligned window in which a face is cut from one photo for another."""


@dataclass(frozen=True)
class Swapped:
    """Swapped faces (M of them), each in a crop of `Originals`."""

    pixels: np.ndarray
    """(bytes,) uint8."""
    start: np.ndarray
    """(M,) int64, where in `pixels` a crop begins."""
    size: np.ndarray
    """(M,) pixels of its side."""
    of: np.ndarray
    """(M,) row of the original."""
    by: np.ndarray
    """(M,) row whose identity it has."""
    how: np.ndarray
    """(M,) network, photo or pasted."""

    def crop(self, i: int) -> np.ndarray:
        """(P, P, 3) uint8."""
        size = int(self.size[i])
        return np.asarray(self.pixels[self.start[i]:self.start[i] + size * size * 3]).reshape(size, size, 3)


COLUMNS = tuple(field.name for field in fields(Swapped) if field.name != "pixels")


class Drawer:
    """The pretrained encoder and decoder: aligned windows in, the same faces drawn with another identity out."""

    def __init__(self) -> None:
        self.net = SwapNet(["base"])
        self.net.load_state_dict(base_weights())
        self.net.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @torch.inference_mode()
    def __call__(self, windows: np.ndarray, who: np.ndarray) -> np.ndarray:
        """(N, 128, 128, 3) uint8 and (N, 128) vectors of dlib's network -> (N, 128, 128, 3) uint8."""
        x = torch.from_numpy(windows).permute(0, 3, 1, 2).float() / 255
        code = self.net.encoder(x.contiguous(memory_format=torch.channels_last))
        made = self.net.decoders["base"](code, torch.from_numpy(who).float() * WHO_SCALE)
        return (made.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def some_blend(random: np.random.Generator) -> Blend:
    """As people set it: most match the colours, some sharpen."""
    return Blend("match" if random.random() < 0.9 else "keep", float(random.uniform(0.03, 0.14)), float(random.uniform(0.2, 0.5)),
                 float(random.uniform(0.3, 1.6)) if random.random() < 0.5 else 0.0)


def put(image: np.ndarray, landmarks: np.ndarray, window: np.ndarray, matrix: np.ndarray, drawn: np.ndarray, blend: Blend,
        random: np.random.Generator) -> np.ndarray:
    """A drawn window into the crop it stands for."""
    size = len(window)
    points = transform(matrix, landmarks)
    if blend.colour == "match":
        mask = face_mask(points, (size, size), 0.0)
        drawn = recolour(drawn, tone(drawn, mask), tone(window, mask))
    weight = skin_weight(drawn, window, points) if random.random() < 0.7 else None
    return paste(image, drawn, matrix, landmarks, blend, weight)


def cut_from(donor: np.ndarray, donor_points: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A donor's aligned window (S, S, 3), bent so that its points (68, 2) lie on these (68, 2): shape of one face, skin of another."""
    side = len(donor)
    corners = np.array([[x, y] for x in (0, side / 2, side) for y in (0, side / 2, side) if (x, y) != (side / 2, side / 2)])
    source, target = (np.concatenate([with_forehead(p.astype(np.float64)), corners]) for p in (donor_points, points))
    return sampled(donor, dense(thin_plate(nodes(side, side), source, target), side, side), "bicubic")


def pasted(originals: Originals, row: int, donor: int, random: np.random.Generator) -> np.ndarray:
    """The face of crop `donor` in crop `row`."""
    image, landmarks = originals.crop(row), originals.landmarks[row]
    window, matrix = align(image, landmarks, WINDOW)
    theirs, to_theirs = align(originals.crop(donor), originals.landmarks[donor], WINDOW)
    drawn = cut_from(theirs, transform(to_theirs, originals.landmarks[donor]), transform(matrix, landmarks))
    if random.random() < 0.3:
        drawn = np.asarray(Image.fromarray(drawn).filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 1)))))
    return put(image, landmarks, window, matrix, drawn, replace(some_blend(random), colour="match", sharpen=0.0), random)


class Borrower:
    """Faces redrawn as the person of another crop, as `mien swap quick` does it."""

    def __init__(self) -> None:
        self.net, self.describer, self.runtime = network(), Describer(model="mien-face"), choose("cpu", "fp32")
        self.shape = face_shape()

    def __call__(self, originals: Originals, row: int, donor: int, blend: Blend) -> np.ndarray:
        """The person of crop `donor` in crop `row`."""
        image, landmarks = originals.crop(row), originals.landmarks[row]
        photo = Photo.of(originals.crop(donor), originals.landmarks[donor], self.describer)
        painted = Painter(photo, self.net, self.runtime, shape=self.shape)(image, landmarks, match=blend.colour == "match")
        return paste(image, painted.face, painted.matrix, landmarks, blend, painted.weight)


@dataclass(frozen=True)
class Looks:
    """How every original holds its head, and in which light: what people who swap faces by hand look for."""

    poses: np.ndarray
    """(N, 136) the points in the aligned window, 0..1."""
    colours: np.ndarray
    """(N, 3) mean colour about the nose, 0..1."""

    @staticmethod
    def of(originals: Originals) -> Looks:
        """One pass over all crops."""
        poses = [transform(alignment(points, 1), points).ravel() for points in originals.landmarks]
        colours = []
        for row, points in enumerate(originals.landmarks):
            (x1, y1), (x2, y2) = points[27:36].min(0).astype(int) - 4, points[27:36].max(0).astype(int) + 4
            colours.append(originals.crop(row)[max(y1, 0):y2, max(x1, 0):x2].reshape(-1, 3).mean(0) / 255)
        return Looks(np.array(poses), np.array(colours))

    def like(self, row: int, others: np.ndarray) -> int:
        """Of these rows the one most like `row`."""
        turned = np.abs(self.poses[others] - self.poses[row]).mean(1)
        lit = np.abs(self.colours[others] - self.colours[row]).mean(1)
        return int(others[(turned / 0.02 + lit / 0.1).argmin()])


def strangers(originals: Originals, row: int) -> np.ndarray:
    """Rows of other people of the same part."""
    return np.flatnonzero((originals.part == originals.part[row]) & (originals.person != originals.person[row]))


def identities(originals: Originals, looks: Looks, row: int, random: np.random.Generator) -> list[int]:
    """For each of `FAKES` the row of whom it is to look like."""
    others, found = strangers(originals, row), []
    for how in FAKES:
        if how != "network":
            found.append(looks.like(row, random.choice(others, ASKED)))
        else:
            found.append(row if random.random() < OWN else int(random.choice(others)))
    return found


def swap_all(originals: Originals, out: Path) -> Swapped:
    """`FAKES` of every original, kept in `out`; what is there already is opened instead."""
    if (out / "swapped.npz").is_file():
        return opened(out)
    draw, borrow, looks, rows, crops = Drawer(), Borrower(), Looks.of(originals), [], []
    with Progress("swaps", total=len(originals)) as bar:
        for row in range(len(originals)):
            random = np.random.default_rng((7, row))
            by = identities(originals, looks, row, random)
            image, landmarks = originals.crop(row), originals.landmarks[row]
            window, matrix = align(image, landmarks, draw.net.size)
            who = originals.vector[[donor for donor, how in zip(by, FAKES, strict=True) if how == "network"]]
            drawn = iter(draw(np.stack([window] * len(who)), who))
            for how, donor in zip(FAKES, by, strict=True):
                if how == "network":
                    made = put(image, landmarks, window, matrix, next(drawn), some_blend(random), random)
                elif how == "photo":
                    made = borrow(originals, row, donor, some_blend(random))
                else:
                    made = pasted(originals, row, donor, random)
                crops.append(made.ravel())
                rows.append((len(image), row, donor, how))
            bar.advance()
    size, of, by, how = (np.array(column) for column in zip(*rows, strict=True))
    start = np.cumsum([0, *(size[:-1].astype(np.int64) ** 2 * 3)])
    with atomic(out / "swapped.npy") as draft, draft.open("wb") as file:
        np.save(file, np.concatenate(crops))
    with atomic(out / "swapped.npz") as draft, draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(zip(COLUMNS, (start, size, of, by, how), strict=True)))
    return opened(out)


def opened(folder: Path) -> Swapped:
    """What `swap_all` has written; pixels stay in the file."""
    with np.load(folder / "swapped.npz") as index:
        return Swapped(np.load(folder / "swapped.npy", mmap_mode="r"), **{name: index[name] for name in COLUMNS})
