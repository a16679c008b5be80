"""What trained networks restyle: from what a person asked for to a picture, a video or a folder of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mien.data.pictures import WRITABLE, read_picture
from mien.data.sources import find_sources
from mien.data.video import MOVING
from mien.models.stylizers import Stylizer, held, known, opened
from mien.nn.memory import keep_freed_memory
from mien.progress import Progress, say
from mien.provenance.container import is_video
from mien.provenance.identity import Identity
from mien.provenance.outputs import targets
from mien.runtime import Runtime
from mien.tasks.stylize.results import Folder, Moved, Restyled

ANY = "any"
"""The network that takes pictures as styles, unless another one is asked for."""
KEEP = "none", "luminance", "histogram"
STEADY = 0.8
"""Of videos; pictures have no frame before them."""
STYLE_SIDE = 512
"""Pixels of a style picture's longer side, as the network for any style sees it: strokes are as large as they are in that."""


@dataclass(frozen=True)
class Forward:
    """What was asked for, beside input and output."""

    style: tuple[str, ...]
    """Names of styles that one network holds, a model file or run folder, or pictures."""
    runtime: Runtime
    model: str = ""
    """The network for styles that are pictures; by default the bundled one."""
    mix: tuple[float, ...] = ()
    """Shares of the styles, in any unit; none: alike."""
    strength: float = 1.0
    """0 (the picture as it is) to 1."""
    keep_colour: Literal["none", "luminance", "histogram"] = "none"
    """luminance: only brightness is redrawn. histogram: the style picture gets the colours of the content first."""
    style_side: int = STYLE_SIDE
    """Pixels of a style picture's longer side, at most."""
    tile: int | None = None
    """Pixels of a tile's sides; None: what takes a gigabyte or less is computed at once, what takes more in tiles."""
    steady: float = STEADY
    """Of a video, 0 to below 1: share of the last frame's statistics that stays, and of what was drawn where nothing moves."""
    quality: int = 95
    """Of JPEG and WebP."""
    signing: bool = True
    """Whether results carry signed Content Credentials that say that a network drew them."""
    signer: Identity | None = None
    """Who signs; None: the local identity."""
    quiet: bool = False
    """No line and no bar for every picture: a folder has its own."""

    def __post_init__(self) -> None:
        """ValueError for what cannot be."""
        wrong = {
            f"{len(self.style)} styles, expected one or more": not self.style,
            f"{len(self.mix)} shares for {len(self.style)} styles": bool(self.mix) and len(self.mix) != len(self.style),
            f"shares {self.mix}, expected numbers of 0 or more, not all 0": bool(self.mix) and (
                not all(0 <= one < float("inf") for one in self.mix) or not sum(self.mix)),
            f"a strength of {self.strength:g}, expected 0 to 1": not 0 <= self.strength <= 1,
            f"keep_colour {self.keep_colour!r}, expected one of {', '.join(KEEP)}": self.keep_colour not in KEEP,
            f"style pictures of {self.style_side} pixels, expected 16 or more": self.style_side < 16,
            f"tiles of {self.tile} pixels, expected 1 or more": self.tile is not None and self.tile < 1,
            f"steady {self.steady:g}, expected 0 or more and below 1": not 0 <= self.steady < 1,
            f"a quality of {self.quality}, expected 1 to 100": not 1 <= self.quality <= 100,
        }  # fmt: skip
        if found := [text for text, bad in wrong.items() if bad]:
            raise ValueError(found[0])


@dataclass(frozen=True)
class Ready:
    """The network and its styles, opened."""

    stylizer: Stylizer
    shares: tuple[float, ...]
    """Of the stylizer's styles."""
    pictures: tuple[Path, ...] = ()
    """The styles, where they are pictures."""
    shown: tuple[Tensor, ...] = ()
    """(1, 3, h, w) each."""

    @property
    def style(self) -> dict[str, float]:
        """Style -> share, those with none left out."""
        pairs = zip(self.stylizer.styles, self.shares, strict=True)
        return {name: round(share, 4) for name, share in pairs if share}


def ready(how: Forward) -> Ready:
    """Open what `how.style` names. ValueError in one line where it names nothing, or what does not go together."""
    paths = [Path(one) for one in how.style]
    models = [path for path in paths if (path / "model.safetensors").is_file() or path.suffix.lower() == ".safetensors"]
    if models:
        if len(paths) > 1:
            raise ValueError(f"{models[0]} is a network of its own: expected it alone, or pictures, or names")
        stylizer = opened(models[0], how.runtime.device)
        if stylizer.any:
            raise ValueError(f"{models[0]} takes pictures as styles: name one, and this as the model")
        return Ready(stylizer, stylizer.shares())
    pictures = [path for path in paths if path.is_file()]
    if pictures and len(pictures) == len(paths):
        shown = tuple(shrunk(read_picture(path), how.style_side) for path in pictures)
        stylizer = opened(how.model or ANY, how.runtime.device).pictured(shown, [path.name for path in pictures])
        return Ready(stylizer, stylizer.shares(how.mix or None), tuple(pictures), shown)
    return _named(how, [one for one, path in zip(how.style, paths, strict=True) if not path.is_file()], bool(pictures))


def _named(how: Forward, names: Sequence[str], pictures: bool) -> Ready:
    holders = held()
    if how.model:
        stylizer = opened(how.model, how.runtime.device)
        there = {name: how.model for name in stylizer.styles}
    else:
        stylizer, there = None, holders
    if unknown := [name for name in names if name not in there]:
        names = ", ".join(there or known())
        choose = f"{names} or a picture that is there" if names else "a picture that is there"
        raise ValueError(f"no style {', '.join(map(repr, unknown))}: choose {choose}")
    if pictures:
        raise ValueError(f"{', '.join(names)} and pictures are styles of different networks: one or the other")
    if len({there[name] for name in names}) > 1:
        raise ValueError(f"{', '.join(names)} are styles of different networks, which cannot be mixed")
    stylizer = stylizer or opened(there[names[0]], how.runtime.device)
    mix = how.mix or (1.0,) * len(names)
    weights = [sum(share for one, share in zip(names, mix, strict=True) if one == name) for name in stylizer.styles]
    return Ready(stylizer, stylizer.shares(weights))


def shrunk(image: np.ndarray, side: int) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, h, w) in 0..1, the longer side at most `side`."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def forward_source(source: Path, out: Path, how: Forward) -> Restyled | Moved | Folder:
    """Restyle a picture (.png, .jpg, .webp), a video (.mp4, .m4v, .mov) or a folder of them by a trained network.

    Pictures may have any size: `mien.tasks.stylize.pictures`; videos keep sound and time stamps. A run stopped by Ctrl-C or killed
    goes on where it was. ValueError in one line for a source, a style or an output that will not do; OSError or RuntimeError where
    the disk, the memory or VGG16's weights are wanting.
    """
    if not source.exists():
        raise ValueError(f"{source} does not exist, expected a picture, a video or a folder of them")
    if how.runtime.device.type == "cpu":
        keep_freed_memory()
    found = ready(how)
    if how.keep_colour == "histogram" and not found.pictures:
        raise ValueError("keep_colour histogram changes the style picture, and this style is none: choose luminance")
    if source.is_dir():
        return _folder(source, out, found, how)
    return _restyle(source, out, found, how, is_video(source))


def _restyle(source: Path, out: Path, found: Ready, how: Forward, moving: bool) -> Restyled | Moved:
    from mien.tasks.stylize.pictures import restyle_picture
    from mien.tasks.stylize.videos import restyle_video

    if any(source.resolve() == picture.resolve() for picture in found.pictures):
        raise ValueError(f"{source} is both the picture and its style: name another style")
    return restyle_video(source, out, found, how) if moving else restyle_picture(source, out, found, how)


def _folder(source: Path, out: Path, found: Ready, how: Forward) -> Folder:
    """Everything below `source` into the same places below `out`; what is there already is not made again."""
    if out.is_file() or out.suffix.lower() in (*WRITABLE, *MOVING):
        raise ValueError(f"{source} is a folder, so the output must be one too, not {out}")
    if out.resolve() == source.resolve():
        raise ValueError(f"{out} is the folder itself: choose another, so that the originals are kept")
    began, quiet, inside = time.monotonic(), replace(how, quiet=True), out.resolve()
    files = [one for one in find_sources([source]) if inside not in one.path.resolve().parents]
    made: list[Restyled | Moved] = []
    skipped: list[str] = []
    there = 0
    with Progress("stylize", len(files), "files") as bar:
        for one, target in zip(files, targets(files, source, out, how.signing), strict=True):
            if target.exists():
                there += 1
            else:
                try:
                    made.append(_restyle(one.path, target, found, quiet, one.kind == "video"))
                except (ValueError, PermissionError) as error:
                    skipped.append(" ".join(str(error).split()))
                    say(f"skipped: {skipped[-1]}")
            bar.advance(note=one.path.name)
    if not made and not there:
        why = f"; the first: {skipped[0]}" if skipped else f" beside what is in {out}"
        raise ValueError(f"nothing in {source} could be restyled{why}")
    seconds = round(time.monotonic() - began, 2)
    return Folder(source, out, found.stylizer.name, found.style, tuple(made), there, tuple(skipped), seconds)
