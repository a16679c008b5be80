"""Draw pictures that were not there before; measure a generator against real ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mien.tasks.generate.results import Encoded, Evaluated, Generated, Plane, Reconstructed, Scattered, Walked

if TYPE_CHECKING:
    from mien.tasks.generate.codes import Writing


def generate(
    model: str,
    /,
    *,
    out: Path,
    count: int | None = None,
    label: str = "",
    seed: int = 0,
    zoom: int = 2,
    walk: bool = False,
    between: int = 24,
    complete: Path | None = None,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
) -> Generated | Walked | Scattered:
    """Draw pictures: a sheet, a folder of single ones, or a film; the same seed draws the same ones. Signed and labelled as generated.

    Args:
        model: a bundled generator, a model file, or the run folder of a training (mien train generate/...).
        out: the sheet (.png, .jpg), a new folder for any number of single ones, or the film (.mp4; unsigned .gif, .webp).
        count: how many pictures: 64 on a sheet (10,000 at most) or in a folder, 8 that a walk passes.
        label: what they shall show, of a network that can be told: 7, or several, which are drawn in turn: 1,2,3 or cat,dog.
        seed: of what is drawn.
        zoom: pixels of the sheet for one of a picture, across and down.
        walk: a film that goes from picture to picture and back to the first.
        between: frames of a walk for each picture; 25 are a second.
        complete: a square picture whose upper half is kept, for a PixelCNN: the lower one is drawn, COUNT times.
        sign: sign the sheet and label it as generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.generate.asked import Asked
    from mien.tasks.generate.drawing import generate_sheet
    from mien.tasks.generate.folders import scatter
    from mien.tasks.generate.walking import walk as walked

    out = Path(out)
    if count is not None and count < 1:
        raise ValueError(f"found count {count}, expected 1 or more")
    if not 1 <= zoom <= 16:
        raise ValueError(f"found zoom {zoom}, expected 1 to 16")
    signer = identity(certificate, key) if sign and (certificate or key) else None
    asked = Asked(model, out, count, seed, zoom, complete, choose(device), sign, signer, label, between)
    if walk:
        return walked(asked)
    return scatter(asked, 64 if count is None else count) if not out.suffix or out.is_dir() else generate_sheet(asked)


def evaluate(
    model: str,
    data: Path,
    /,
    *,
    samples: int = 200,
    images: int = 10_000,
    distances: bool = True,
    extractor: str = "",
    neighbours: Path | None = None,
    seed: int = 0,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
) -> Evaluated:
    """Measure a generator against the test pictures of a data set: nats, distances of distributions, obedience, memory.

    Nats (of a PixelCNN exact, of a VAE by importance: Burda et al. 2016) and FID (Heusel et al. 2017): less is better; IS, precision
    and recall: more. Beside each score stands what training pictures get. Data without test pictures are halved.

    Args:
        model: a bundled generator, a model file, or the run folder of a training.
        data: the data set, for example the folder with the MNIST files.
        samples: of a VAE, for each picture's nats.
        images: how many pictures at most, real ones and as many drawn.
        distances: draw pictures and compare them with the real ones.
        extractor: whose features are compared: lenet5-digits for grey, speednet-cifar10 for colours, a classifier's file,
            or an ONNX file (RGB in 0..1 in; features first out, logits second).
        neighbours: a sheet (.png, .jpg) of drawn pictures above the training pictures nearest to them.
        seed: of what is drawn.
        sign: sign the sheet and label it as generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.generate.evaluating import Question, evaluated

    signer = identity(certificate, key) if sign and (certificate or key) else None
    there = choose(device)
    return evaluated(Question(model, Path(data), samples, images, distances, seed, extractor, neighbours, there, sign, signer))


def encode(model: str, pictures: Path, /, *, out: Path, count: int | None = None, device: str = "auto") -> Encoded:
    """Write the latent numbers that a VAE finds for pictures: mean and deviation of each number's cloud.

    Args:
        model: a bundled VAE, a model file, or the run folder of a training.
        pictures: a picture, a folder of pictures, or a data set (its test pictures); white on black.
        out: a .csv, or a .npz with the arrays mean and deviation.
        count: how many pictures at most; all if not given.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.runtime import choose
    from mien.tasks.generate import codes

    return codes.encode(model, Path(pictures), Path(out), count, choose(device))


def reconstruct(
    model: str,
    pictures: Path,
    /,
    *,
    out: Path,
    count: int = 32,
    zoom: int = 2,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
) -> Reconstructed:
    """Draw a sheet of pictures, and under each what a VAE draws from the middle of its cloud.

    Args:
        model: a bundled VAE, a model file, or the run folder of a training.
        pictures: a picture, a folder of pictures, or a data set (its test pictures); white on black.
        out: the sheet (.png, .jpg).
        count: how many pictures at most.
        zoom: pixels of the sheet for one of a picture, across and down.
        sign: sign the sheet and say that a part of it is generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.tasks.generate import codes

    return codes.reconstruct(_writing(model, out, zoom, sign, certificate, key, device), Path(pictures), count)


def plane(
    model: str,
    /,
    *,
    out: Path,
    across: int = 16,
    axes: str = "1,2",
    pictures: Path | None = None,
    zoom: int = 2,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
) -> Plane:
    """Draw a map of what a VAE can draw: every tile stands for as much probability as the others.

    Of a VAE with two latent numbers (mien train generate/vae-plane) that is all of it; of others a plane through the middle.

    Args:
        model: a bundled VAE, a model file, or the run folder of a training.
        out: the sheet (.png, .jpg).
        across: tiles a side.
        axes: two latent numbers, counted from 1, along which to go; the others stay 0.
        pictures: go along the two principal directions of what the VAE finds for these pictures instead.
        zoom: pixels of the sheet for one of a picture, across and down.
        sign: sign the sheet and label it as generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.tasks.generate import codes

    writing = _writing(model, out, zoom, sign, certificate, key, device)
    return codes.draw_plane(writing, across, axes, None if pictures is None else Path(pictures))


def _writing(model: str, out: Path, zoom: int, sign: bool, certificate: Path | None, key: Path | None, device: str) -> Writing:
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.generate.codes import Writing

    if not 1 <= zoom <= 16:
        raise ValueError(f"found zoom {zoom}, expected 1 to 16")
    signer = identity(certificate, key) if sign and (certificate or key) else None
    return Writing(model, Path(out), zoom, choose(device), sign, signer)


COMMANDS = (generate, evaluate, encode, reconstruct, plane)
