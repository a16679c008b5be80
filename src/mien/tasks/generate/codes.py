"""What a VAE makes of given pictures: their latent numbers, the pictures drawn again from these, and a map of what it can draw."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.examples import as_channels, parts, read_examples
from mien.data.files import atomic
from mien.data.loose import read_images
from mien.data.pictures import read_picture
from mien.data.resize import resize_pixels
from mien.models.generator import Plan
from mien.models.vae import VAE
from mien.nn.latent import plane
from mien.provenance.identity import Identity
from mien.provenance.manifest import COMPOSITE, GENERATED
from mien.provenance.outputs import checked
from mien.runtime import Runtime
from mien.tasks.generate.asked import coloured_pixels, opened, write_sheet
from mien.tasks.generate.results import Encoded, Plane, Reconstructed
from mien.train.generate import AT_ONCE, sheet

KINDS = (".csv", ".npz")
MOST = 100
"""Tiles a side of a plane."""


@dataclass(frozen=True)
class Writing:
    """Where a sheet goes, and how."""

    model: str
    out: Path
    zoom: int
    runtime: Runtime
    signing: bool
    signer: Identity | None

    def sheet(self, pictures: Tensor, across: int, action: str, source_type: str) -> None:
        """(N, 1, S, S) in 0..1."""
        pixels = sheet(coloured_pixels(pictures, self.zoom), across, 2 * self.zoom)
        write_sheet(self.out, pixels, action, self.model, self.signer, source_type, self.signing)


def vae_of(model: str, device: torch.device) -> tuple[VAE, Plan]:
    """ValueError where it is another network."""
    net, plan = opened(model)
    if not isinstance(net, VAE):
        raise ValueError(f"{model} is a {plan.network}, which has no encoder: expected a VAE")
    return net.to(device), plan


def given(path: Path, side: int, count: int | None) -> Tensor:
    """(N, 1, side, side) in 0..1: a picture, a folder of pictures in the order of their names, or the test pictures of a data set.

    White on black, as the network learnt them. ValueError where there is none, or one is not square.
    """
    if count is not None and count < 1:
        raise ValueError(f"found count {count}, expected 1 or more")
    try:
        known = parts(path) if path.is_dir() else ()
    except ValueError:
        known = ()
    if path.is_file() and path.suffix.lower() not in (".npz", ".parquet"):
        images = one(path, side)[None]
    elif "test" in known:
        images = read_examples(path, "test", side, 1).images
    else:
        images = read_images(path, side, 1)
    return torch.from_numpy(np.ascontiguousarray(images[:count])).permute(0, 3, 1, 2).float() / 255


def one(path: Path, side: int) -> np.ndarray:
    """(side, side, 1) uint8. ValueError for a picture that is not square."""
    image = read_picture(path)
    if image.shape[0] != image.shape[1]:
        raise ValueError(f"{path} has {image.shape[1]} x {image.shape[0]} pixels, expected a square picture")
    if len(image) != side:
        image = resize_pixels(image, side / len(image))[:side, :side]
    return as_channels(image[None], 1)[0]


@torch.no_grad()
def clouds(net: VAE, x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 1, S, S) -> mean and deviation, (N, Z) each, on the CPU."""
    device = next(net.parameters()).device
    found = [net.encode(some.to(device)) for some in x.split(AT_ONCE)]
    return torch.cat([mean.cpu() for mean, _ in found]), torch.cat([torch.exp(spread / 2).cpu() for _, spread in found])


def encode(model: str, pictures: Path, out: Path, count: int | None, runtime: Runtime) -> Encoded:
    """Write a row of numbers for each picture. ValueError for a network, pictures or a name that will not do."""
    if out.suffix.lower() not in KINDS:
        raise ValueError(f"{out}: cannot write {out.suffix or 'no suffix'}, expected {' or '.join(KINDS)}")
    net, plan = vae_of(model, runtime.device)
    means, deviations = (part.numpy() for part in clouds(net, given(pictures, plan.side, count)))
    with atomic(out) as draft:
        if out.suffix.lower() == ".npz":
            with draft.open("wb") as file:
                np.savez(file, mean=means, deviation=deviations)
        else:
            with draft.open("w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file)
                rows.writerow(["picture", *(f"{name}_{i + 1}" for name in ("mean", "deviation") for i in range(net.latent))])
                rows.writerows([i, *map("{:.6g}".format, (*a, *b))] for i, (a, b) in enumerate(zip(means, deviations, strict=True)))
    return Encoded(out, model, len(means), net.latent)


@torch.no_grad()
def reconstruct(asked: Writing, pictures: Path, count: int) -> Reconstructed:
    """Write pictures, and under each what is drawn from the middle of its cloud. ValueError as `encode`."""
    checked((pictures,) if pictures.is_file() else (), asked.out, asked.signing)
    net, plan = vae_of(asked.model, asked.runtime.device)
    x = given(pictures, plan.side, count)
    means, _ = clouds(net, x)
    again = torch.sigmoid(net.decode(means.to(asked.runtime.device))).cpu()
    across = min(16, len(x))
    blank = torch.zeros(-len(x) % across, *x.shape[1:])
    rows = zip(torch.cat([x, blank]).split(across), torch.cat([again, blank]).split(across), strict=True)
    asked.sheet(torch.cat([part for pair in rows for part in pair]), across,
                "pictures, and under each the same drawn by a neural network from its latent numbers", COMPOSITE)  # fmt: skip
    return Reconstructed(asked.out, asked.model, len(x), float((again - x).square().mean().sqrt()), asked.signing)


@torch.no_grad()
def draw_plane(asked: Writing, across: int, axes: str, pictures: Path | None) -> Plane:
    """Write a map of `across` x `across` tiles of equal probability. ValueError for a network, axes or pictures that will not do."""
    checked((), asked.out, asked.signing)
    if not 2 <= across <= MOST:
        raise ValueError(f"found {across} tiles a side, expected 2 to {MOST}")
    net, plan = vae_of(asked.model, asked.runtime.device)
    places = plane(across)
    if pictures is not None:
        z, along = principal(net, given(pictures, plan.side, None), places), "the two principal directions of the pictures"
    else:
        numbers = [int(word) if word.strip().isdecimal() else 0 for word in axes.split(",")]
        z, along = chosen(net.latent, numbers, places), f"latent numbers {' and '.join(map(str, numbers))}"
    drawn = torch.cat([torch.sigmoid(net.decode(some.to(asked.runtime.device))).cpu() for some in z.split(AT_ONCE)])
    asked.sheet(drawn, across, "a map of what a neural network draws", GENERATED)
    return Plane(asked.out, asked.model, across, net.latent, along, asked.signing)


def chosen(latent: int, axes: Sequence[int], places: Tensor) -> Tensor:
    """(N, 2) -> (N, latent): along two latent numbers, counted from 1, the others 0. ValueError for axes that are not there."""
    if len(axes) != 2 or axes[0] == axes[1] or not all(1 <= axis <= latent for axis in axes):
        raise ValueError(f"found axes {', '.join(map(str, axes))}, expected two different ones of 1 to {latent}")
    z = torch.zeros(len(places), latent)
    z[:, [axis - 1 for axis in axes]] = places
    return z


def principal(net: VAE, x: Tensor, places: Tensor) -> Tensor:
    """(N, 2) -> (N, latent): around the middle of the pictures' means, along their two principal directions, by their deviations."""
    means, _ = clouds(net, x)
    if len(means) < 3:
        raise ValueError(f"found {len(means)} pictures, expected 3 or more to find directions in")
    _, scales, directions = torch.linalg.svd(means - means.mean(0), full_matrices=False)
    return means.mean(0) + places * (scales[:2] / (len(means) - 1) ** 0.5) @ directions[:2]
