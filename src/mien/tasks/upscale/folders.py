"""A folder: every picture and video below it enlarged into a mirror of it; what is there already is not made again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from mien.data.pictures import WRITABLE
from mien.data.sources import find_sources
from mien.data.video import MOVING
from mien.progress import Progress, say
from mien.provenance.outputs import targets
from mien.tasks.upscale.pictures import How, upscale_picture
from mien.tasks.upscale.results import Enlarged, Folder, Moved
from mien.tasks.upscale.videos import upscale_video


def upscale_folder(source: Path, output: Path, how: How) -> Folder:
    """Enlarge everything below `source` into the same places below `output`; what cannot be read is a line and is passed over.

    A .jpg or .png stays one, any other picture becomes .png, a video .mp4. Two files that would become the same one keep their suffix
    in the name (`a.bmp.png`). ValueError where `output` is `source` or a file, there is nothing to enlarge, or nothing could be.
    """
    if output.is_file() or output.suffix.lower() in (*WRITABLE, *MOVING):
        raise ValueError(f"{source} is a folder, so the output must be one too, not {output}")
    if output.resolve() == source.resolve():
        raise ValueError(f"{output} is the folder itself: choose another, so that the originals are kept")
    began, quiet, inside = time.monotonic(), replace(how, quiet=True), output.resolve()
    found = [one for one in find_sources([source]) if inside not in one.path.resolve().parents]
    made: list[Enlarged | Moved] = []
    skipped: list[str] = []
    there = 0
    with Progress("enlarge", len(found), "files") as bar:
        for one, target in zip(found, targets(found, source, output, how.signing), strict=True):
            if target.exists():
                there += 1
            else:
                try:
                    made.append((upscale_video if one.kind == "video" else upscale_picture)(one.path, target, quiet))
                except (ValueError, PermissionError) as error:
                    skipped.append(" ".join(str(error).split()))
                    say(f"skipped: {skipped[-1]}")
            bar.advance(note=one.path.name)
    if not made and not there:
        why = f"; the first: {skipped[0]}" if skipped else f" beside what is in {output}"
        raise ValueError(f"nothing in {source} could be enlarged{why}")
    return Folder(source, output, how.enlarger.name, how.enlarger.scale, tuple(made), there, tuple(skipped),
                  round(time.monotonic() - began, 2))
