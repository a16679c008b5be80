"""From a model's name and a picture's path to the page: the edge where files are read and written."""

from __future__ import annotations

import time
from pathlib import Path

from mien.nn.explain.attribution import captum
from mien.nn.explain.maximise import Ascent
from mien.tasks.explain import draw, inside, pixels
from mien.tasks.explain.opening import open_subject
from mien.tasks.explain.page import write_page
from mien.tasks.explain.run import Answer, Explained, LayerLine
from mien.tasks.explain.study import Section, Study, begin

PAGE = "index.html"
SEEN = 480
"""Pixels of the picture at the head of the page."""


def make(model: str, image: Path, out: Path, layer: str | None, unit: int | None, target: str | None, data: Path | None,
         most: int, steps: int) -> Explained:
    """Do all that `mien explain` says. ValueError and RuntimeError in one line each, before anything long begins."""
    start = time.monotonic()
    if most < 1 or steps < 0:
        raise ValueError(f"expected --most of at least 1 and --steps of at least 0, found {most} and {steps}")
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the page")
    captum()
    subject = open_subject(model, image, target)
    study = begin(subject, layer, unit)
    pictures = subject.read(Path(data), most) if data is not None else None
    first, gap = pixels.section(study)
    dreams = inside.units(study, pictures, data, Ascent(steps=steps))
    others = (inside.filters(study), inside.maps(study), dreams, inside.receptive(study))
    sections = [first, *(one for one in others if one is not None)]
    files = _write(out, sections)
    seen = draw.save(out / "input.png", draw.pictured(subject.x[0], SEEN))
    seconds = time.monotonic() - start
    drawn = draw.save(out / "drawn.png", draw.fitted(draw.rgb(subject.drawn), SEEN)) if subject.drawn is not None else None
    write_page(out / PAGE, study, sections, seen, drawn, files, f"mien explain {model} {image.name} · {seconds:.0f} s")
    return _result(study, out, (seen, *([drawn] if drawn else []), *files.values()), gap, time.monotonic() - start)


def _write(out: Path, sections: list[Section]) -> dict[str, Path]:
    figures = [figure for section in sections for group in section.groups for figure in group.figures]
    return {figure.name: draw.save(out / f"{figure.name}.png", figure.picture) for figure in figures}


def _result(study: Study, out: Path, pictures: tuple[Path, ...], gap: float, seconds: float) -> Explained:
    subject = study.subject
    lines = tuple(LayerLine(layer.name, layer.kind, layer.shape, *_field(study, layer.name))
                  for layer in study.found)
    predicted = subject.answers[0][0] if subject.classes else None
    answers = tuple(Answer(*one) for one in subject.answers)
    return Explained(out / PAGE, pictures, subject.name, subject.trained, study.asked.en, predicted, answers, gap, lines, seconds)


def _field(study: Study, name: str) -> tuple[int | None, float | None]:
    """Receptive field and stride along the rows."""
    row = study.fields.get(name)
    return (row.field[0], row.stride[0]) if row is not None and row.is_map else (None, None)
