"""From what a person handed in to what looks at it."""

from __future__ import annotations

from pathlib import Path

from mien.data.files import no_empty_folders
from mien.provenance.container import is_video
from mien.tasks.inspect.batch import inspect_folder
from mien.tasks.inspect.inspecting import inspect_picture
from mien.tasks.inspect.judging import Judge
from mien.tasks.inspect.moving import inspect_video
from mien.tasks.inspect.results import Batch, Inspected, InspectedVideo

LEAST_EVERY = 0.04


def inspect_source(source: Path, out: Path | None, every: float, judge: Judge | None = None) -> Inspected | InspectedVideo | Batch:
    """Inspect a picture, a video or a folder; `judge`: another than the bundled one. ValueError in one line for anything else."""
    if not every >= LEAST_EVERY:
        raise ValueError(f"found --every of {every:g} seconds, expected {LEAST_EVERY:g} or more")
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected a picture, a video or a folder of them")
    if out is not None and out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the report")
    judge = judge or Judge.bundled()
    if source.is_dir():
        if out is None:
            raise ValueError(f"{source} is a folder: expected --out with a folder for the table and the reports")
        with no_empty_folders(out):
            return inspect_folder(source, judge, out, every)
    if is_video(source):
        return inspect_video(source, judge, out, every)
    return inspect_picture(source, judge, out)
