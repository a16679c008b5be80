"""What is inside: filters, feature maps, what units look for, receptive fields."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from mien.nn.explain import dreaming
from mien.nn.explain.dreaming import stretched
from mien.nn.explain.field import box, patch
from mien.nn.explain.filters import first_filters
from mien.nn.explain.layers import Layer, telling
from mien.nn.explain.maximise import Ascent
from mien.nn.explain.patches import Peak, peaks
from mien.progress import Progress
from mien.tasks.explain import draw, words
from mien.tasks.explain.study import Figure, Group, Section, Study, label, several
from mien.tasks.explain.subject import Text

WIDTH, GAP = 912, 4
"""Pixels of a row of tiles, and between tiles."""
FILTERS, ACROSS, LARGEST_TILE = 64, 16, 96
MAPS, MANY_MAPS, MAPS_ACROSS = 12, 48, 12
UNITS, ALONE, PATCHES, TILE = 4, 5, 8, 152
"""Units a layer with patches beside them, and without."""


def filters(study: Study) -> Section | None:
    """The first layer's weights; None where they are no pictures."""
    found = first_filters(study.subject.net, study.found, tuple(study.subject.x.shape[1:]))
    if found is None:
        return None
    return sheet_of_filters(*found)


def sheet_of_filters(name: str, weights: Tensor) -> Section:
    """(K, 3 or 1, h, w) in 0..1, of the layer `name`."""
    shown = weights[:FILTERS]
    across = min(len(shown), ACROSS)
    side = min((WIDTH - GAP * (across - 1)) // across, LARGEST_TILE)
    tiles = [draw.fitted(draw.rgb(one), side) for one in shown]
    rows = [tiles[i : i + across] for i in range(0, len(tiles), across)]
    count = f"{len(shown)} of {len(weights)}" if len(shown) < len(weights) else str(len(weights))
    size = " x ".join(map(str, weights.shape[-2:]))
    title = Text(f"{count} filters of {size} pixels", f"共 {len(weights)} 个滤波器,每个 {size} 像素")
    figure = Figure("filters", draw.sheet(rows, GAP), title)
    about = Text(words.FILTERS_ABOUT.en.format(layer=name), words.FILTERS_ABOUT.zh.format(layer=name))
    return Section(words.FILTERS, about, (Group("", (figure,)),))


def maps(study: Study) -> Section | None:
    """The most telling maps of some layers; None where there are no maps."""
    groups = []
    side = (WIDTH - GAP * (MAPS_ACROSS - 1)) // MAPS_ACROSS
    for layer in study.looked_into(only_maps=True):
        features = study.look(layer)
        units = telling(features, MAPS if study.layer is None else MANY_MAPS)
        flat = [features[unit][None] if features.ndim == 2 else draw.flat(features[unit][None])[0] for unit in units]
        tiles = [draw.fitted(_ranged(one), side) for one in flat]
        rows = [tiles[i : i + MAPS_ACROSS] for i in range(0, len(tiles), MAPS_ACROSS)]
        groups.append(Group(label(study, layer), (Figure(f"maps-{layer.name}", draw.sheet(rows, GAP), several(units)),)))
    return Section(words.MAPS, words.MAPS_ABOUT, tuple(groups)) if groups else None


def _ranged(values: Tensor):
    """(H, W) -> (H, W, 3) uint8 by its own range."""
    low, high = float(values.min()), float(values.max())
    return draw.coloured(((values - low) / max(high - low, 1e-12)).numpy(), draw.HEAT)


def units(study: Study, pictures: Tensor | None, data: Path | None, how: Ascent) -> Section | None:
    """For some units of some layers: what they look for, and which pieces of `pictures` (N, C, H, W) uint8 excite them most.

    None where neither is asked for, or the network looks at no pictures.
    """
    if (not how.steps and pictures is None) or study.subject.x.ndim != 4:
        return None
    groups = []
    chosen = study.looked_into(only_maps=False)
    with Progress("what units look for", len(chosen)) as bar:
        for layer in chosen:
            numbers = telling(study.look(layer), ALONE if pictures is None else UNITS) if study.unit is None else [study.unit]
            dreams = dream(study, layer, numbers, how) if how.steps else []
            module = study.module(layer)
            best = peaks(study.subject.run, module, pictures, numbers, PATCHES) if pictures is not None else []
            figures = [_unit(study, layer, number, dreams[i : i + 1], best[i] if best else [], pictures)
                       for i, number in enumerate(numbers)]  # fmt: skip
            groups.append(Group(label(study, layer), tuple(figures)))
            bar.advance(note=layer.name)
    about = words.UNITS_ALONE
    if pictures is not None and data is not None:
        said = {"data": data.name, "count": len(pictures)}
        about = Text(words.UNITS_BOTH.en.format(**said), words.UNITS_BOTH.zh.format(**said))
    return Section(words.UNITS, about, tuple(groups))


def dream(study: Study, layer: Layer, numbers: list[int], how: Ascent) -> list[Tensor]:
    """(C, h, w) pictures in 0..1, one a unit, that excite it most (`mien.nn.explain.dreaming`)."""
    channels, height, width = study.subject.x.shape[1:]
    return dreaming.dream(study.subject.run, study.module(layer), layer, study.fields.get(layer.name), (channels, height, width),
                          numbers, how)  # fmt: skip


def _unit(study: Study, layer: Layer, number: int, dreams: list[Tensor], best: list[Peak], pictures: Tensor | None) -> Figure:
    """The dream, and beside it two rows of patches."""
    row = study.fields.get(layer.name)
    patches = [patch(row, pictures[one.picture].float() / 255, one.at) for one in best] if pictures is not None else []
    classes = study.subject.classes
    last = layer.name == next((one.name for one in reversed(study.found) if one.weighted), None)
    who = f" “{classes[number]}”" if last and len(classes) == layer.units else ""
    return Figure(f"unit-{layer.name}-{number}", beside(dreams, patches), Text(f"unit 单元 {number}{who}", ""))


def beside(dreams: Sequence[Tensor], patches: Sequence[Tensor]) -> np.ndarray:
    """Dreams large, patches small in two rows, side by side: (H, W, 4) uint8."""
    tiles = [draw.fitted(draw.rgb(stretched(one)), TILE) for one in dreams]
    small = [draw.fitted(draw.rgb(one), (TILE - GAP) // 2) for one in patches]
    tiles += [draw.sheet([[one] for one in small[i : i + 2]], GAP) for i in range(0, len(small), 2)]
    return draw.sheet([tiles], GAP)


def receptive(study: Study) -> Section | None:
    """Boxes on the picture, one a layer: where its strongest unit is strongest. None without boxes."""
    boxes, lines = [], []
    if study.subject.x.ndim != 4:
        return None
    for layer in study.looked_into(only_maps=True):
        field = study.fields.get(layer.name)
        if field is None or not field.is_map:
            continue
        features = study.look(layer)
        number = telling(features, 1)[0] if study.unit is None else study.unit
        row, column = divmod(int(features[number].argmax()), features.shape[-1])
        boxes.append(box(field, (row, column)))
        lines.append(f"{layer.name} ({number}): {field.field[0]} px")
    if not boxes:
        return None
    picture = draw.rgb(study.subject.x[0])
    drawn = draw.boxed(picture, boxes, max(600 // max(picture.shape[:2]), 1))
    legend = tuple(zip(draw.COLOURS, lines, strict=False))
    figure = Figure("fields", drawn, Text("layer (unit): pixels a side", "层(单元):边长像素"), legend=legend)
    return Section(words.FIELDS, words.FIELDS_ABOUT, (Group("", (figure,)),))
