"""Enlarge pictures and videos by 2, 3 or 4."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.upscale.results import Evaluated


def evaluate(
    folder: Path, /, *, model: str = "fast", scale: Literal[2, 3, 4] = 2, border: int | None = None, device: str = "auto"
) -> Evaluated:
    """Measure an enlarger as the papers do: pictures made smaller by MATLAB's bicubic, enlarged again, compared on brightness.

    Args:
        folder: pictures in full size, for example Set5.
        model: fast, vdsr, srcnn, bicubic, a model file, or the run folder of a training.
        scale: 2, 3 or 4.
        border: pixels of each side that do not count; by default as many as the scale.
        device: auto, cpu, cuda, cuda:1, mps.

    """
    from mien.tasks.upscale.evaluating import evaluated

    return evaluated(Path(folder), model, scale, border, device)


COMMANDS = (evaluate,)
