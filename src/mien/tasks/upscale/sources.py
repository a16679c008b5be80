"""From what a person handed in to what enlarges it."""

from __future__ import annotations

from pathlib import Path

from mien.nn.memory import keep_freed_memory
from mien.provenance.container import is_video
from mien.tasks.upscale.folders import upscale_folder
from mien.tasks.upscale.pictures import How, upscale_picture
from mien.tasks.upscale.results import Enlarged, Folder, Moved
from mien.tasks.upscale.slider import write_comparison
from mien.tasks.upscale.videos import upscale_video


def upscale_source(source: Path, out: Path, how: How, compare: Path | None = None) -> Enlarged | Moved | Folder:
    """A picture, a video or a folder; `compare`: a page with a slider. ValueError in one line for anything else."""
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected a picture, a video or a folder of them")
    if not 1 <= how.quality <= 100:
        raise ValueError(f"a quality of {how.quality}, expected 1 to 100")
    if compare is not None and compare.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{compare}: expected a name that ends in .html")
    if how.runtime.device.type == "cpu":
        keep_freed_memory()
    if source.is_dir():
        found = upscale_folder(source, out, how)
    elif is_video(source):
        found = upscale_video(source, out, how)
    else:
        found = upscale_picture(source, out, how)
    if compare is not None:
        write_comparison(compare, found.made if isinstance(found, Folder) else [found])
    return found
