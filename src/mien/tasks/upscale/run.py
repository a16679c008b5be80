"""Enlarge pictures and videos by 2, 3 or 4; measure what enlarges them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.upscale.results import Enlarged, Evaluated, Folder, Moved


def upscale(
    source: Path,
    /,
    *,
    out: Path,
    scale: Literal[2, 3, 4] = 4,
    model: str = "fast",
    compare: Path | None = None,
    quality: int = 95,
    tile: int | None = None,
    workers: int = 1,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Enlarged | Moved | Folder:
    """Enlarge a picture, a video with its sound, or a folder of them; pictures may be larger than memory.

    Transparency, colour profile, EXIF and 16 bits are kept, and the result is signed as enlarged. Memory and time are said before it
    starts; a run that was stopped goes on. A network adds detail that is likely, not detail that was there.

    Args:
        source: a picture, a video or a folder.
        out: the enlarged picture (.png, .jpg, .webp), video (.mp4), or folder.
        scale: 2, 3 or 4.
        model: fast, srgan (x4: sharper, less true), face (x4: small faces), srcnn, bicubic, a model file, or a run folder.
        compare: an .html page with a slider between bicubic interpolation and the result.
        quality: of JPEG and WebP, 1 to 100.
        tile: pixels a side of what is computed at once; by default as the network wants it.
        workers: how many tiles are computed side by side.
        sign: sign the result as enlarged.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.models.enlargers import opened
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.upscale.pictures import How
    from mien.tasks.upscale.sources import upscale_source

    runtime = choose(device, precision)
    signer = identity(certificate, key) if sign else None
    how = How(opened(model, scale, runtime.device), runtime, tile, workers, quality, sign, signer)
    return upscale_source(Path(source), Path(out), how, compare)


def evaluate(
    folder: Path, /, *, model: str = "fast", scale: Literal[2, 3, 4] = 4, border: int | None = None, device: str = "auto"
) -> Evaluated:
    """Measure an enlarger as the papers do: pictures made smaller by MATLAB's bicubic, enlarged again, compared on brightness.

    Args:
        folder: pictures in full size, for example Set5.
        model: fast, srgan, face, srcnn, bicubic, a model file, or the run folder of a training.
        scale: 2, 3 or 4.
        border: pixels of each side that do not count; by default as many as the scale.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.tasks.upscale.evaluating import evaluated

    return evaluated(Path(folder), model, scale, border, device)


COMMANDS = (upscale, evaluate)
