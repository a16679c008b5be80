"""From files to files: a photo, a folder, or a video with its sound, each result signed."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.data.sources import find_sources
from mien.data.video import VideoWriter, probe, read_video
from mien.faces.blend import Blend
from mien.faces.enhance import Enhancer
from mien.faces.extract import Span
from mien.models.swap_model import SwapModel
from mien.progress import Progress, say
from mien.provenance.identity import Identity
from mien.provenance.manifest import sign
from mien.provenance.visible import mark
from mien.runtime import choose
from mien.tasks.swap.convert import APART, Swapper, Swapping
from mien.tasks.swap.flicker import Flicker
from mien.tasks.swap.run import Applied

SEGMENT = 250
"""Frames after which a video's part is safe on disk."""
PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Conversion:
    """What was asked for."""

    to: str
    everyone: bool
    threshold: float
    frames: str
    blend: Blend
    smooth: float
    label: bool
    device: str
    precision: str
    signer: Identity | None
    enhance: bool = False
    """Drawn faces that are smaller than those they are put in place of are enlarged by a network."""


@dataclass
class _Count:
    files: int = 0
    frames: int = 0
    swapped: int = 0
    untouched: int = 0
    flicker: float = 0.0
    nearest: float = float("inf")

    def add(self, swapper: Swapping) -> None:
        self.frames += 1
        self.swapped += sum(s.swap for s in swapper.seen)
        self.untouched += sum(not s.swap for s in swapper.seen)
        self.nearest = min([self.nearest, *(s.distance for s in swapper.seen if s.nearest != swapper.to)])

    def take(self, other: _Count) -> None:
        self.frames += other.frames
        self.swapped += other.swapped
        self.untouched += other.untouched


class NothingToSwap(ValueError):  # noqa: N818 - an answer in words rather than a fault
    """No face, or nobody the model knows."""


def convert(model: SwapModel, source: Path, output: Path, wanted: Conversion) -> Applied:
    """`mien swap apply`."""
    runtime = choose(wanted.device, wanted.precision)
    enhancer = Enhancer(device=runtime.device) if wanted.enhance else None
    swapper = Swapper(model, wanted.to, runtime, wanted.blend, wanted.everyone, wanted.threshold, wanted.smooth, enhancer)
    return converted(swapper, source, output, wanted)


def converted(swapper: Swapping, source: Path, output: Path, wanted: Conversion) -> Applied:
    """A photo, a video or a folder, with the faces swapped."""
    began, count, skipped = time.monotonic(), _Count(), []
    if source.is_dir():
        skipped = _folder(swapper, source, output, wanted, count)
    else:
        [file] = find_sources([source])
        _one(swapper, file.path, file.kind, output, wanted, count)
    seconds = time.monotonic() - began
    return Applied(output, count.files, count.frames, count.swapped, count.untouched, round(count.flicker, 3), round(seconds, 2),
                   round(count.frames / max(seconds, 1e-9), 2), skipped)


def _folder(swapper: Swapping, source: Path, output: Path, wanted: Conversion, count: _Count) -> list[str]:
    """Every file of a folder; what is there already is not made again."""
    if output.suffix.lower() in (*PICTURES, ".mp4"):
        raise ValueError(f"{source} is a folder, so --output must be one too, not {output.name}")
    skipped, files = [], find_sources([source])
    with Progress("swap", total=len(files)) as bar:
        for file in files:
            suffix = file.path.suffix.lower()
            made = suffix if suffix in PICTURES else ".mp4" if file.kind == "video" else ".png"
            target = output / file.path.relative_to(source).with_suffix(made)
            if target.exists():
                skipped.append(f"{file.path.name}: {target} is there already")
            else:
                try:
                    _one(swapper, file.path, file.kind, target, wanted, count)
                except ValueError as error:
                    skipped.append(str(error))
                    say(f"skipped: {error}")
            bar.advance(note=file.path.name)
    if not count.files and not any("already" in s for s in skipped):
        raise ValueError(f"nothing in {source} could be swapped: {skipped[0] if skipped else 'no pictures'}")
    return skipped


def _one(swapper: Swapping, source: Path, kind: str, output: Path, wanted: Conversion, count: _Count) -> None:
    allowed = (".mp4",) if kind == "video" else PICTURES
    if output.suffix.lower() not in allowed:
        raise ValueError(f"{source.name} is a {kind}: --output must end in {' or '.join(allowed)}, not {output.name!r}")
    (_video if kind == "video" else _picture)(swapper, source, output, wanted, count)
    count.files += 1


def _nothing(swapper: Swapping, source: Path, count: _Count) -> NothingToSwap:
    if not count.swapped + count.untouched:
        return NothingToSwap(f"no face was found in {source}")
    return NothingToSwap(swapper.refused(source, count.nearest))


def _signed(draft: Path, output: Path, source: Path, swapper: Swapping, wanted: Conversion) -> None:
    sign(draft, output, title=output.name, action=f"faces replaced by {wanted.to}'s, drawn by a neural network", parents=[source],
         consent=swapper.consent, model=swapper.method, identity=wanted.signer)


def _picture(swapper: Swapping, source: Path, output: Path, wanted: Conversion, count: _Count) -> None:
    image, mine = read_picture(source), _Count()
    result = swapper.photo(image)
    mine.add(swapper)
    if not mine.swapped:
        raise _nothing(swapper, source, mine)
    if wanted.label:
        result = mark(result)
    with atomic(output) as draft:  # signed before it gets its name: nothing unsigned is ever at `output`
        write_picture(draft, result, like=source)
        _signed(draft, draft, source, swapper, wanted)
    count.take(mine)


def _job(swapper: Swapping, wanted: Conversion) -> str:
    """What a half-finished video was made with: another model or option starts anew."""
    options = {k: v for k, v in asdict(wanted).items() if k not in ("signer", "device", "precision")}
    return json.dumps([swapper.fingerprint(), options], sort_keys=True, default=str)


def _video(swapper: Swapping, source: Path, output: Path, wanted: Conversion, count: _Count) -> None:
    span = Span.parse(wanted.frames, every=1)
    start, stop = span.start, span.stop
    info, mine, flicker = probe(source), _Count(), Flicker()
    draft = output.with_name(f".{output.stem}.unsigned.mp4")
    output.parent.mkdir(parents=True, exist_ok=True)
    swapper.begin(float(info.fps))
    swapper.meet(source)
    total = (min(stop or info.frames, info.frames) - start) if info.frames else None
    with VideoWriter(draft, info, sound=source, trim=bool(wanted.frames), segment=SEGMENT, job=_job(swapper, wanted)) as writer, \
            Progress(f"swap {source.name}", total=total) as bar:
        ready = start + writer.done
        if writer.done:
            say(f"going on at frame {ready} of {source.name}")
        for frame in read_video(source, skip=max(ready - APART, 0)):
            if stop is not None and frame.index >= stop:
                break
            result = swapper.frame(frame.image)  # a few frames before `ready` are only followed, so that tracks are settled
            if frame.index < ready:
                continue
            mine.add(swapper)
            if swapper.seen and swapper.seen[0].swap:
                flicker.see(frame.image, result, swapper.seen[0].face.face.landmarks)
            else:
                flicker.cut()
            writer.write(mark(result) if wanted.label else result, frame.pts)
            bar.advance(note=f"{mine.swapped} faces")
        if not mine.frames and ready == start:
            raise ValueError(f"{source} has no frames" + (f" in {wanted.frames}" if wanted.frames else ""))
        if not mine.swapped and ready == start:
            raise _nothing(swapper, source, mine)
    try:
        _signed(draft, output, source, swapper, wanted)
    finally:
        draft.unlink(missing_ok=True)
    count.take(mine)
    count.flicker = flicker.mean
