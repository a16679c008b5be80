"""One picture in, one out: of any size, alpha, profile, EXIF and 16 bits kept, signed as enlarged, and gone on with after a stop."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien import __version__
from mien.data.files import atomic, no_empty_folders
from mien.data.parts import Parts
from mien.data.pictures import existing
from mien.data.resize import REACH, enlarge
from mien.data.rows import Rows, read_rows
from mien.data.written import SMALL, Shape, fits, kind_of, packing, told, write
from mien.nn.alpha import RINGS, bled
from mien.progress import say
from mien.provenance.identity import Identity
from mien.provenance.outputs import checked
from mien.runtime import Runtime, resident
from mien.tasks.upscale.results import Enlarged
from mien.tasks.upscale.writing import signed_as_enlarged
from mien.tiled import Enlarger, Plan, apply, batch, measured, pixels, plan, run, suffices

ROWS = 16
"""Of the input, that are packed to learn how long that takes."""
LUMA = 0.299, 0.587, 0.114


@dataclass(frozen=True)
class How:
    """What was asked for, beside input and output."""

    enlarger: Enlarger
    runtime: Runtime
    tile: int | None = None
    """Pixels of a tile's sides; None: as the halo wants it."""
    workers: int = 1
    quality: int = 95
    """Of JPEG and WebP."""
    signing: bool = True
    """Whether results carry signed Content Credentials that say what was done."""
    signer: Identity | None = None
    """Who signs; None: the local identity."""
    quiet: bool = False
    """No line and no bar for every picture: a folder has its own."""


def upscale_picture(source: Path, output: Path, how: How) -> Enlarged:
    """Enlarge `source` into `output` (.png, .jpg, .webp).

    Transparency, colour profile and EXIF are kept, 16 bits in PNG; the picture is turned upright; palettes and CMYK become RGB, of an
    animation the first frame is taken. A run stopped by Ctrl-C or killed goes on where it was.
    Raises ValueError for an input that is no picture, an output that is the input or of another kind or too large for its format;
    OSError or RuntimeError where the disk or the memory does not suffice. Nothing half-written is left.
    """
    began, kind = time.monotonic(), checked([source], output, how.signing)
    with no_empty_folders(output.parent, *output.parent.parents), Parts(output, _job(existing(source), how, kind)) as parts:
        done = parts.done
        shape, planned = _computed(source, output, how, kind, parts)
        height, width, channels, depth = shape
        made = (np.frombuffer(part, kind_of(depth)).reshape(-1, width, channels) for part in parts)
        with atomic(output) as draft:  # signed before it gets its name: nothing unsigned is ever at `output`
            large = width * height > SMALL and not how.quiet
            write(draft, kind, made, shape, source, how.quality, f"write {output.name}" if large else "")
            signed = how.signing and signed_as_enlarged(draft, output, source, how.enlarger, how.signer)
    s = how.enlarger.scale
    resumed = s * planned.bands[done - 1].stop if done else 0
    return Enlarged(source, output, how.enlarger.name, s, width, height, channels, depth, planned.tiles, planned.memory,
                    round(planned.seconds or 0, 2), round(time.monotonic() - began, 2), resumed, signed)


def _computed(source: Path, output: Path, how: How, kind: str, parts: Parts) -> tuple[Shape, Plan]:
    """The bands that are missing; the decoded picture is given up with the end of this function."""
    rows, s, label = read_rows(source), how.enlarger.scale, "" if how.quiet else f"enlarge {source.name}"
    channels, depth = told(rows, source, kind, "enlarged")
    shape = s * rows.height, s * rows.width, channels, depth
    fits(output, kind, shape)
    network = ofpixels(how.enlarger, rows.channels, rows.depth, channels, depth)
    runtime = replace(how.runtime, precision="fp32") if depth == 16 else how.runtime  # bf16 has 8 bits
    blank = lambda h, w: batch(np.zeros((h, w, rows.channels), kind_of(rows.depth)))
    held = resident() or rows.held  # the picture is decoded
    planned = suffices(measured(_plan(rows, how), network, runtime, blank, held), held, output, kind, shape)
    if kind == "PNG" and planned.seconds is not None:
        middle = rows.height // 2
        planned = replace(planned, seconds=planned.seconds + packing(rows.band(middle, min(middle + ROWS, rows.height)), shape))
    if label:
        say(f"{source.name}: {planned}")
    if label and parts.done:
        say(f"going on at row {s * planned.bands[parts.done - 1].stop} of {shape[0]}")
    if parts.done < len(planned.bands):
        run(network, planned, runtime, lambda top, bottom: batch(rows.band(top, bottom)),
            lambda _, part: parts.append(pixels(part).data), first=parts.done, label=label)  # fmt: skip
    return shape, planned


class Frames:
    """`Frames(how, height, width)(frames)`: (B, H, W, 3) uint8 RGB -> (B, s H, s W, 3), in memory; `plan` says what one takes."""

    def __init__(self, how: How, height: int, width: int) -> None:
        self.how, self.network = how, ofpixels(how.enlarger, 3, 8, 3, 8)
        cut = plan(height, width, scale=how.enlarger.scale, halo=how.enlarger.halo, tile=how.tile, workers=how.workers, pixel=6)
        self.plan = measured(cut, self.network, how.runtime, lambda h, w: torch.zeros(1, 3, h, w, dtype=torch.uint8), resident() or 0)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """As the class says."""
        x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        return apply(self.network, x, self.plan, self.how.runtime).permute(0, 2, 3, 1).contiguous().numpy()


def ofpixels(enlarger: Enlarger, channels: int, depth: int, made: int, made_depth: int) -> Callable[[Tensor], Tensor]:
    """A network from stored numbers to stored numbers: (B, C, h, w) uint8 or uint16 -> (B, C', s h, s w).

    `channels`, `depth`: of what goes in; `made`, `made_depth`: of what comes out; one or three channels lie over white. Alpha is
    enlarged by bicubic interpolation; colours first flow out of what is visible, as what lies under full transparency is arbitrary.
    """
    most, kind = 2**made_depth - 1, torch.uint8 if made_depth == 8 else torch.uint16

    def network(x: Tensor) -> Tensor:
        whole = x.float() / (2**depth - 1)
        colour, alpha = (whole[:, :-1], whole[:, -1:]) if channels in (2, 4) else (whole, None)
        colour = bled(colour, alpha) if alpha is not None else colour
        y = enlarger(colour.expand(-1, 3, -1, -1)).float()
        if colour.shape[1] == 1:
            y = (y * y.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        if alpha is not None:
            cover = enlarge(alpha, enlarger.scale).clamp(0, 1)
            y = torch.cat([y, cover], 1) if made in (2, 4) else 1 + (y.clamp(0, 1) - 1) * cover
        return (y.clamp(0, 1) * most).round().to(kind)

    return network


def _plan(rows: Rows, how: How) -> Plan:
    halo = how.enlarger.halo
    if rows.channels in (2, 4):
        halo = max(halo + RINGS, REACH)
    return plan(rows.height, rows.width, scale=how.enlarger.scale, halo=halo, tile=how.tile, workers=how.workers,
                pixel=2 * rows.channels * rows.depth // 8)  # fmt: skip


def _job(source: Path, how: How, kind: str) -> Mapping[str, object]:
    """What finished parts are made from: the file, how, and how tiles are cut."""
    with source.open("rb") as file:
        return made_by(how) | {"input": hashlib.file_digest(file, "sha256").hexdigest(), "tile": how.tile, "kind": kind}


def made_by(how: How) -> dict[str, object]:
    """Network and precision; another network of the same name is told by what it answers to a small picture."""
    probe = torch.linspace(0, 1, 3 * 12 * 12).reshape(1, 3, 12, 12)
    with torch.inference_mode():
        answer = pixels((how.enlarger(probe.to(how.runtime.device)).cpu().float().clamp(0, 1) * 255).round())
    return {"mien": __version__, "model": how.enlarger.name, "scale": how.enlarger.scale, "precision": how.runtime.precision,
            "answer": hashlib.sha256(answer.tobytes()).hexdigest()}  # fmt: skip
