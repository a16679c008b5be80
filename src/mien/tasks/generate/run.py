"""Draw pictures that were not there before; measure how well a generator foresees real ones."""

from __future__ import annotations

from pathlib import Path

from mien.tasks.generate.results import Generated, Likely


def generate(
    model: str,
    /,
    *,
    out: Path,
    count: int = 64,
    seed: int = 0,
    zoom: int = 2,
    complete: Path | None = None,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
) -> Generated:
    """Draw a sheet of pictures; the same seed draws the same ones. The sheet is signed and labelled as generated.

    Args:
        model: a bundled generator, a model file, or the run folder of a training (mien train generate/...).
        out: the sheet (.png, .jpg).
        count: how many pictures, up to 10,000.
        seed: of what is drawn.
        zoom: pixels of the sheet for one of a picture, across and down.
        complete: a square picture whose upper half is kept, for a PixelCNN: the lower one is drawn, COUNT times.
        sign: sign the sheet and label it as generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.generate.drawing import Asked, generate_sheet

    signer = identity(certificate, key) if sign and (certificate or key) else None
    return generate_sheet(Asked(model, Path(out), count, seed, zoom, complete, choose(device), sign, signer))


def evaluate(model: str, data: Path, /, *, samples: int = 200, images: int = 10_000, device: str = "auto") -> Likely:
    """Measure how well a generator foresees the test pictures of a data set, in nats a picture: less is better.

    A PixelCNN tells it exactly, a VAE by importance from many samples (Burda et al. 2016).

    Args:
        model: a bundled generator, a model file, or the run folder of a training.
        data: the data set, for example the folder with the MNIST files.
        samples: of a VAE, for each picture.
        images: how many pictures at most.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.runtime import choose
    from mien.tasks.generate.drawing import measured

    return measured(model, Path(data), samples, images, choose(device))


COMMANDS = (generate, evaluate)
