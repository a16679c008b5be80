"""Find objects in pictures; check and measure what that is learnt from."""

from __future__ import annotations

from pathlib import Path

from mien.tasks.detect.results import Checked


def check(source: Path, /, *, quick: bool = False) -> Checked:
    """Look through a data set of boxes before anything learns from it: what is wrong, and what is made of it.

    Args:
        source: a folder with VOC XML files or a COCO JSON, or the JSON.
        quick: read only the first bytes of each picture; one that is cut off is not noticed.

    """
    from mien.tasks.detect.checking import checked

    return checked(Path(source), quick)


COMMANDS = (check,)
