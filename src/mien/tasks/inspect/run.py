"""Inspect pictures and videos: was a face reshaped or swapped, where, and what else the file tells."""

from __future__ import annotations

from pathlib import Path

from mien.tasks.inspect.results import Batch, Inspected, InspectedVideo


def inspect(source: Path, /, *, out: Path | None = None, every: float = 0.5) -> Inspected | InspectedVideo | Batch:
    """Say of every face whether it was reshaped or swapped, or why that cannot be said; with --out also a report to print.

    The report shows where and how far the face was moved, the face put back, and what the file itself tells, each test for itself:
    Content Credentials, metadata, compression, error levels, noise, resizing. A folder gives a table, the most suspicious first;
    run again, it goes on where it stopped.

    Args:
        source: A picture, a video, or a folder of them.
        out: A folder for the report and its pictures; needed for a folder.
        every: Seconds between the frames of a video that are looked at.

    """
    from mien.tasks.inspect.opening import inspect_source

    return inspect_source(Path(source), None if out is None else Path(out), every)


COMMANDS = (inspect,)
