"""Who draws: optimisation for a picture in the style of pictures, else a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mien.provenance.container import is_video
from mien.provenance.identity import Identity
from mien.runtime import Runtime
from mien.tasks.stylize.asking import two_files
from mien.tasks.stylize.forward import Forward, forward_source
from mien.tasks.stylize.results import Folder, Moved, Restyled


def optimised(content: Path, styles: Sequence[str], model: str) -> bool:
    """Whether content and styles are single pictures, as far as their names say, and no network is asked for."""
    pictures = all(Path(one).is_file() and Path(one).suffix.lower() != ".safetensors" for one in styles)
    return pictures and not model and not content.is_dir() and not (content.is_file() and is_video(content))


def restyled(content: Path, out: Path, styles: Sequence[str], model: str, runtime: Runtime, mix: tuple[float, ...], strength: float,
             steady: float, keep_colour: Literal["none", "luminance", "histogram"], tile: int | None, quality: int, signing: bool,
             signer: Identity | None) -> Restyled | Moved | Folder:
    """By a network; raises as `forward_source` does."""
    two_files(content, [Path(one) for one in styles])
    how = Forward(tuple(styles), runtime, model, mix, strength, keep_colour, tile=tile, steady=steady, quality=quality,
                  signing=signing, signer=signer)  # fmt: skip
    return forward_source(content, out, how)
