"""One picture restyled by a trained network: any size, alpha, profile, EXIF and 16 bits kept, signed as generated, resumable.

What takes a gigabyte or less is computed at once: a megapixel by the network for any style, eight by one with styles of its own. A
larger picture is cut into tiles whose statistics (of instance normalisation, of AdaIN) are those of the whole picture, gathered over
the tiles first: in one pass for AdaIN, in eleven, each longer than the one before, for a network with as many normalisations. The
result is that of the whole picture but for rounding (`mien.tiled.whole`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mien import __version__
from mien.data.files import atomic, no_empty_folders
from mien.data.parts import Parts
from mien.data.pictures import existing
from mien.data.rows import read_rows
from mien.data.written import SMALL, Shape, fits, kind_of, told, write
from mien.nn.whole import places
from mien.progress import say
from mien.provenance.identity import Identity
from mien.provenance.manifest import sign
from mien.provenance.outputs import checked, too_large
from mien.runtime import resident
from mien.tasks.stylize.forward import Forward, Ready
from mien.tasks.stylize.results import Restyled
from mien.tasks.stylize.whole import Look, kept
from mien.tiled import Plan, batch, measured, pixels, run, suffices


def restyle_picture(source: Path, out: Path, found: Ready, how: Forward) -> Restyled:
    """Restyle `source` into `out` (.png, .jpg, .webp).

    Grey pictures become RGB; of an animation the first frame is taken; palettes and CMYK become RGB. Raises ValueError for an input
    that is no picture, an output that is an input or of another kind or too large for its format; OSError or RuntimeError where the
    disk or the memory does not suffice. Nothing half-written is left.
    """
    began, kind = time.monotonic(), checked((source, *found.pictures), out, how.signing)
    with no_empty_folders(out.parent, *out.parent.parents), Parts(out, _job(existing(source), found, how, kind)) as parts:
        done = parts.done
        shape, planned = _computed(source, out, found, how, kind, parts)
        height, width, channels, depth = shape
        made = (np.frombuffer(part, kind_of(depth)).reshape(-1, width, channels) for part in parts)
        with atomic(out) as draft:  # signed before it gets its name: nothing unsigned is ever at `out`
            large = width * height > SMALL and not how.quiet
            write(draft, kind, made, shape, source, how.quality, f"write {out.name}" if large else "")
            signed = how.signing and not too_large(draft, out)
            if signed:
                sign_as_restyled(draft, draft, out.name, source, found, how.signer)
    resumed = planned.bands[done - 1].stop if done else 0
    passes = len(places(found.stylizer.net)) if planned.tiles > 1 else 0
    return Restyled(source, out, found.stylizer.name, found.style, how.strength, width, height, channels, depth, planned.tiles, passes,
                    planned.memory, round(planned.seconds or 0, 2), round(time.monotonic() - began, 2), resumed, signed)


def _computed(source: Path, out: Path, found: Ready, how: Forward, kind: str, parts: Parts) -> tuple[Shape, Plan]:
    """The bands that are missing; the decoded picture is given up with the end of this function."""
    rows, label = read_rows(source), "" if how.quiet else f"stylize {source.name}"
    channels, depth = told(rows, source, kind, "restyled")
    channels = {1: 3, 2: 4}.get(channels, channels)
    shape = rows.height, rows.width, channels, depth
    fits(out, kind, shape)
    look = Look(found, how, rows.channels, rows.depth, channels, depth)
    read = lambda top, bottom: batch(rows.band(top, bottom))
    planned = look.plan(rows.height, rows.width)
    look = look.recoloured(planned, read)
    blank = lambda h, w: batch(np.zeros((h, w, rows.channels), kind_of(rows.depth)))
    held = resident() or rows.held
    planned = measured(planned, look.of_pixels, look.runtime, blank, held)
    planned = suffices(look.with_passes(planned), held, out, kind, shape)
    if label:
        say(f"{source.name}: {planned}")
    if label and parts.done:
        say(f"going on at row {planned.bands[parts.done - 1].stop} of {shape[0]}")
    if parts.done < len(planned.bands):
        moments = look.moments(planned, read, f"look at {source.name}" if label else "")
        with kept(look.stylizer, moments):
            run(look.of_pixels, planned, look.runtime, read, lambda _, part: parts.append(pixels(part).data), first=parts.done,
                label=label)  # fmt: skip
    return shape, planned


def sign_as_restyled(draft: Path, target: Path, title: str, source: Path, found: Ready, signer: Identity | None) -> None:
    """Sign a picture or a video as what it is: drawn by a network, from `source` in a style."""
    action = f"redrawn in the style of {' and '.join(found.style)} by a trained network ({found.stylizer.name})"
    sign(draft, target, title=title, action=action, parents=[source, *found.pictures], model=f"mien stylize {found.stylizer.name}",
         identity=signer)  # fmt: skip


def _job(source: Path, found: Ready, how: Forward, kind: str) -> dict[str, object]:
    """What finished parts are made from: the file, how, and how tiles are cut."""
    with source.open("rb") as file:
        return made_by(found, how) | {"input": hashlib.file_digest(file, "sha256").hexdigest(), "tile": how.tile, "kind": kind}


def made_by(found: Ready, how: Forward) -> dict[str, object]:
    """Network, styles and settings; another network or picture of the same name is told by what it answers to a small picture."""
    probe = torch.linspace(0, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)
    with torch.inference_mode():
        answer = found.stylizer(probe.to(how.runtime.device), found.shares, how.strength).cpu().float().clamp(0, 1)
    digest = hashlib.sha256((answer * 255).round().byte().numpy().tobytes()).hexdigest()
    settings: Sequence[object] = [how.strength, how.keep_colour, how.steady, how.runtime.precision]
    return {"mien": __version__, "style": found.style, "settings": json.dumps(settings), "answer": digest}
