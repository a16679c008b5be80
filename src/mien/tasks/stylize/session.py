"""From files to a painted picture: previews, what is kept for going on, Ctrl-C, and the signature."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from mien import __version__
from mien.data.files import atomic, no_empty_folders
from mien.data.pictures import write_picture
from mien.models.vgg_features import CARD, load
from mien.progress import Progress, say
from mien.provenance.identity import Identity
from mien.provenance.label import aigc_label, label_picture
from mien.provenance.manifest import sign
from mien.provenance.outputs import SIGNED, checked
from mien.runtime import Runtime, peak
from mien.tasks.stylize.asking import Pictures, pictures, pixels
from mien.tasks.stylize.painting import How, Moment, Painter
from mien.tasks.stylize.results import Stylized
from mien.tasks.stylize.state import Kept

REST = 2.0
"""Seconds between two previews, at least."""


@dataclass(frozen=True)
class Asked:
    """What a person asked for."""

    content: Path
    styles: tuple[Path, ...]
    masks: tuple[Path, ...]
    out: Path
    size: int | None
    how: How
    average: bool
    """Pools that take the mean."""
    runtime: Runtime
    preview: Path | None = None
    resume: bool = False
    quality: int = 95
    signing: bool = True
    signer: Identity | None = None


def stylize_picture(asked: Asked) -> Stylized:
    """Paint `asked.content` in the styles asked for, into `asked.out`.

    Ctrl-C writes the picture so far and what going on needs beside it; KeyboardInterrupt says so. ValueError for inputs and names that
    will not do, RuntimeError where VGG16's weights cannot be had or the cost is no number.
    """
    sources = (asked.content, *asked.styles, *asked.masks)
    checked(sources, asked.out, asked.signing)
    if asked.preview is not None:
        checked((*sources, asked.out), asked.preview, signing=False)
    given = pictures(asked.content, asked.styles, asked.masks, asked.size, asked.how)
    kept = Kept(asked.out, _job(given, asked))
    left = kept.load() if asked.resume else None
    painter = painting(given, asked)
    if asked.resume and left is None:
        say(f"nothing was left of {asked.out.name} to go on with: starting")
    with no_empty_folders(asked.out.parent, *asked.out.parent.parents):
        return _painted(painter, given, asked, kept, left)


def painting(given: Pictures, asked: Asked) -> Painter:
    """Of these pictures. As `Painter` raises."""
    return Painter(given.content, given.styles, given.masks, asked.how, load(asked.average), asked.runtime, asked.content.name)


def _painted(painter: Painter, given: Pictures, asked: Asked, kept: Kept, left: tuple[Moment, float] | None) -> Stylized:
    before, spent = left if left else (None, 0.0)
    began, shown, last = time.monotonic(), 0.0, before

    def seconds() -> float:
        return spent + time.monotonic() - began

    def picture(moment: Moment) -> Tensor:
        return given.without_margin(painter.picture(moment))

    try:
        with Progress(f"stylize {asked.content.name}", effort(painter), "") as bar:
            for moment in painter.run(before):
                last = moment
                bar.set(effort(painter, moment), f"step {moment.done} of {asked.how.steps}, cost {moment.cost.total:.4g}")
                kept.save_now_and_then(moment, seconds())
                if asked.preview is not None and time.monotonic() - shown > REST:
                    _preview(asked.preview, picture(moment), asked)
                    shown = time.monotonic()
    except KeyboardInterrupt:
        if last is None:
            raise
        kept.save(last, seconds())
        _write(picture(last), asked)
        so_far = f"stopped after step {last.done} of {asked.how.steps}: the picture so far is {asked.out}, --resume goes on"
        raise KeyboardInterrupt(so_far) from None
    assert last is not None  # there is at least one step
    result = picture(last)
    if asked.preview is not None:
        _preview(asked.preview, result, asked)
    _write(result, asked)
    kept.remove()
    scales = tuple((width, height, steps) for (height, width), steps in zip(painter.sizes, painter.steps, strict=True))
    layers = {**painter.weights.content_layers, **painter.weights.style_layers}
    return Stylized(asked.content, asked.out, tuple(path.stem for path in asked.styles), result.shape[-1], result.shape[-2],
                    last.first.total, last.cost.total, last.cost.content, last.cost.style, layers, scales, last.done,
                    before.done if before else 0, peak(), round(seconds(), 2), asked.signing)  # fmt: skip


def effort(painter: Painter, moment: Moment | None = None) -> float:
    """What is done at a moment, or all there is to do: steps in full size, by their pixels."""
    whole = painter.sizes[-1][0] * painter.sizes[-1][1]
    parts = [height * width / whole for height, width in painter.sizes]
    steps = painter.steps if moment is None else (*painter.steps[: moment.scale], moment.step)
    return sum(part * count for part, count in zip(parts, steps, strict=False))


def _preview(path: Path, picture: Tensor, asked: Asked) -> None:
    with atomic(path) as draft:
        write_picture(draft, pixels(picture), asked.quality)
        if path.suffix.lower() in SIGNED:
            label_picture(draft, aigc_label())


def _write(picture: Tensor, asked: Asked) -> None:
    with atomic(asked.out) as draft:  # signed before it gets its name: nothing unsigned is ever at `out`
        write_picture(draft, pixels(picture), asked.quality, like=asked.content)
        if asked.signing:
            sign_as_painted(draft, asked.out.name, asked.content, asked.styles, asked.signer)


def sign_as_painted(draft: Path, title: str, content: Path, styles: Sequence[Path], signer: Identity | None) -> None:
    """Sign a picture as what it is: generated, from `content` in the style of `styles`."""
    names = " and ".join(path.name for path in styles)
    sign(draft, draft, title=title, action=f"painted in the style of {names}, by optimisation against what VGG16 sees",
         parents=[content, *styles], model=f"mien stylize, {CARD}", identity=signer)


def _job(given: Pictures, asked: Asked) -> dict[str, object]:
    """What going on must find unchanged."""
    all_of_it = {"content": [given.content], "style": given.styles, "mask": given.masks}
    prints = {name: [hashlib.sha256(one.numpy().tobytes()).hexdigest() for one in pile] for name, pile in all_of_it.items()}
    options = {name: value for name, value in asdict(asked.how).items() if name != "tile"}
    return {**prints, **options, "mien": __version__, "average": asked.average, "precision": asked.runtime.precision}
