"""From a network's first layer to its last: what excites its units, found in pictures and made from noise, on one page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from torch import Tensor

from mien.data import html
from mien.nn import trace
from mien.nn.explain.dreaming import dream, stretched
from mien.nn.explain.field import box, patch
from mien.nn.explain.filters import as_pictures, first_filters
from mien.nn.explain.layers import Layer
from mien.nn.explain.maximise import Ascent
from mien.nn.explain.patches import Answers, Peak, answers
from mien.progress import Progress
from mien.tasks.explain import draw, inside, words
from mien.tasks.explain.page import STYLE, both, part, title
from mien.tasks.explain.run import LayerSeen, LayersSeen, Patch, UnitSeen
from mien.tasks.explain.sight import Shown, Sight, chosen, open_sight, short
from mien.tasks.explain.study import Figure, Group, Section
from mien.tasks.explain.subject import Text

PAGE, OVERVIEW = "index.html", "overview"
PATCHES = 8
"""Beside each dream."""
CANVAS = 112
"""Pixels a side that a dream is made on, at most: a deep layer of VGG costs some 10 seconds a unit so."""
RATE, CONTRAST = 0.1, 2.0
"""Of the ascent: twice the usual, for fewer steps and fuller colours."""
ROW = 116
"""Pixels a tile of the overview."""


@dataclass(frozen=True)
class Unit:
    """One unit with what excites it."""

    number: int
    peaks: tuple[Peak, ...]
    patches: tuple[Tensor, ...]
    dream: Tensor | None


@dataclass(frozen=True)
class Floor:
    """One layer with the units shown."""

    layer: Layer
    row: trace.Layer | None
    units: tuple[Unit, ...]

    @property
    def field(self) -> int | None:
        """Pixels of the receptive field."""
        return self.row.field[0] if self.row is not None and self.row.is_map else None


def walk(model: str, folder: Path, out: Path, names: str | None, units: int, size: int, most: int, steps: int) -> LayersSeen:
    """Do all that `mien explain layers` says. ValueError and RuntimeError in one line each, before anything long begins."""
    start = time.monotonic()
    for value, least, name in ((units, 1, "--units"), (size, 32, "--size"), (most, 1, "--most"), (steps, 0, "--steps")):
        if value < least:
            raise ValueError(f"expected {name} of at least {least}, found {value}")
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, expected a folder for the page")
    sight = open_sight(model)
    layers = chosen(sight.found(), names or sight.usual)
    shown = sight.read(folder, most, size)
    floors = look(sight, layers, shown, units, Ascent(steps=steps, rate=RATE, contrast=CONTRAST))
    sections = _sections(sight, floors, shown, folder)
    figures = [figure for section in sections for group in section.groups for figure in group.figures]
    files = {figure.name: draw.save(out / f"{figure.name}.png", figure.picture) for figure in figures}
    seconds = time.monotonic() - start
    _write(out / PAGE, sight, sections, files, f"mien explain layers {sight.name} · {len(shown.pictures)} pictures · {seconds:.0f} s")
    told = tuple(_told(one, shown) for one in floors)
    return LayersSeen(out / PAGE, tuple(files.values()), sight.name, len(shown.pictures), told, seconds)


def look(sight: Sight, layers: Sequence[Layer], shown: Shown, units: int, how: Ascent) -> list[Floor]:
    """For each layer the `units` that stand out most over the pictures: their strongest patches, and a dream if `how` has steps."""
    modules = [sight.net.get_submodule(one.name) for one in layers]
    with Progress("look at pictures", len(shown.pictures)) as bar:
        found = answers(sight.run, modules, shown.pictures, lambda count: bar.advance(count))
    rows = sight.fields([one.name for one in layers])
    floors = []
    with Progress("what units look for", len(layers) * units) as bar:
        for layer, own in zip(layers, found, strict=True):
            row, numbers = rows.get(layer.name), own.telling(min(units, layer.units))
            made: list[Tensor | None] = [None] * len(numbers)
            if how.steps:
                module = sight.net.get_submodule(layer.name)
                for place, number in enumerate(numbers):  # one at a time: progress, and no more memory than one needs
                    made[place] = dream(sight.run, module, layer, row, sight.shape, [number], how, CANVAS if sight.whole else None)[0]
                    bar.advance(note=f"{short(layer.name)} unit {number}")
            seen = [_unit(row, own, shown, number, one) for number, one in zip(numbers, made, strict=True)]
            floors.append(Floor(layer, row, tuple(seen)))
    return floors


def _unit(row: trace.Layer | None, own: Answers, shown: Shown, number: int, made: Tensor | None) -> Unit:
    best = own.best(number, PATCHES)
    return Unit(number, tuple(best), tuple(patch(row, shown.pictures[one.picture].float() / 255, one.at) for one in best), made)


def _sections(sight: Sight, floors: Sequence[Floor], shown: Shown, folder: Path) -> list[Section]:
    said = {"data": folder.name, "count": len(shown.pictures)}
    overview = Section(words.LADDER, words.LADDER_ABOUT, (Group("", (Figure(OVERVIEW, _overview(floors), words.LADDER_KEY),)),))
    made = any(unit.dream is not None for floor in floors for unit in floor.units)
    about = words.UNITS_BOTH if made else words.UNITS_FOUND
    groups = []
    for floor in floors:
        heading = f"{short(floor.layer.name)} · {floor.layer.units} units" + (f" · sees {floor.field} px" if floor.field else "")
        groups.append(Group(heading, tuple(_figure(floor, unit) for unit in floor.units)))
    units = Section(words.UNITS, Text(about.en.format(**said), about.zh.format(**said)), tuple(groups))
    filters = _filters(sight)
    return [overview, *([filters] if filters else []), units]


def _figure(floor: Floor, unit: Unit) -> Figure:
    dreams = [unit.dream] if unit.dream is not None else []
    return Figure(f"unit-{floor.layer.name}-{unit.number}", inside.beside(dreams, unit.patches), Text(f"unit 单元 {unit.number}", ""))


def _overview(floors: Sequence[Floor]):
    """A row a layer, (H, W, 4) uint8: each unit's dream above its strongest patch."""
    rows = []
    for floor in floors:
        made = [draw.fitted(draw.rgb(stretched(unit.dream)), ROW) for unit in floor.units if unit.dream is not None]
        rows += [made] if made else []
        rows.append([draw.fitted(draw.rgb(unit.patches[0]), ROW) for unit in floor.units])
    return draw.sheet(rows, inside.GAP)


def _filters(sight: Sight) -> Section | None:
    found = first_filters(sight.net, sight.found(), sight.shape)
    if found is None:
        return None
    name, weights = found
    if sight.flipped:
        weights = as_pictures(sight.net.get_submodule(name).weight.detach().flip(1))  # pyright: ignore[reportCallIssue]
    return inside.sheet_of_filters(short(name), weights)


def _write(path: Path, sight: Sight, sections: Sequence[Section], files: dict[str, Path], foot: str) -> None:
    links = "".join(f"<a href='#s{i}'>{title(one.title)}</a>" for i, one in enumerate(sections))
    head = f"<h1>{escape(sight.name)}</h1>{both(sight.what)}<nav>{links}</nav>"
    body = [head, *(part(i, one, files) for i, one in enumerate(sections)), f"<footer>{escape(foot)}</footer>"]
    html.write_html(path, f"{sight.name} · mien explain layers", STYLE, body)


def _told(floor: Floor, shown: Shown) -> LayerSeen:
    row = floor.row
    units = []
    for unit in floor.units:
        patches = []
        for one in unit.peaks:
            whole = shown.pictures[one.picture].shape
            y1, x1, y2, x2 = box(row, one.at) if row is not None and row.is_map and len(one.at) == 2 else (0, 0, whole[-2], whole[-1])
            patches.append(Patch(shown.names[one.picture], (x1, y1, x2, y2), one.activation))
        units.append(UnitSeen(unit.number, tuple(patches)))
    return LayerSeen(floor.layer.name, floor.layer.kind, floor.layer.units, floor.field, tuple(units))
