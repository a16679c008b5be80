"""A network, a picture, and the question: what every section of the page starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mien.nn import trace
from mien.nn.explain.attribution import Score
from mien.nn.explain.field import fields
from mien.nn.explain.layers import Layer, layers, named, outputs, peak, spread, stations
from mien.tasks.explain.subject import Subject, Text

DEPTHS = 5
"""Layers looked into, from shallow to deep, where none is named."""


@dataclass(frozen=True)
class Figure:
    """One picture of the page."""

    name: str
    """File name without suffix."""
    picture: np.ndarray
    """(H, W, 3 or 4) uint8."""
    title: Text
    about: Text | None = None
    legend: tuple[tuple[tuple[int, int, int], str], ...] = ()
    """Colours and what they mark."""


@dataclass(frozen=True)
class Group:
    """Figures side by side under one heading, "" for none."""

    heading: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: Text
    about: Text
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Study:
    """What is asked of whom."""

    subject: Subject
    found: tuple[Layer, ...]
    """Every layer, in the order of computation."""
    fields: Mapping[str, trace.Layer]
    """Receptive fields by layer."""
    layer: Layer | None
    """The one asked for, if any."""
    unit: int | None
    score: Score
    asked: Text
    """What the score is, in words."""

    def module(self, layer: Layer) -> nn.Module:
        """The module of that name."""
        return self.subject.net.get_submodule(layer.name)

    @torch.no_grad()
    def look(self, layer: Layer) -> Tensor:
        """What the layer puts out for the picture: (C, H, W) or (F,)."""
        return outputs(self.subject.run, [self.module(layer)], self.subject.x)[0][0]

    def looked_into(self, only_maps: bool) -> list[Layer]:
        """The layer asked for, else some from shallow to deep, and, where vectors count too, the last vector."""
        if self.layer is not None:
            return [self.layer] if self.layer.is_map or not only_maps else []
        own = [layer for layer in self.found if layer.name.startswith(self.subject.part)]
        steps = [layer for layer in stations(own) if layer.is_map]
        behind = [layer for layer in steps if not layer.weighted]  # activations and blocks tell more than bare convolutions
        steps = behind if len(behind) >= DEPTHS else steps
        if only_maps:
            return spread(steps, DEPTHS)
        vectors = [layer for layer in own if layer.weighted and len(layer.shape) == 1]
        if not steps:
            return spread(vectors, DEPTHS)
        return spread(steps, DEPTHS - 1) + vectors[-1:]

    def cam_layer(self) -> Layer | None:
        """For Grad-CAM: the layer asked for, else the deepest of at least 7 x 7 places, else the deepest map; None without maps."""
        if self.layer is not None and self.layer.is_map:
            return self.layer
        maps = [layer for layer in stations(self.found) if layer.is_map and layer.name.startswith(self.subject.part)]
        fine = [layer for layer in maps if min(layer.shape[1:]) >= 7]
        return (fine or maps or [None])[-1]


def begin(subject: Subject, layer: str | None, unit: int | None) -> Study:
    """Find the layers and settle the question. ValueError for a layer that is not there or a unit it has not."""
    found = tuple(layers(subject.net, subject.run, subject.x))
    wanted = named(found, layer) if layer is not None else None
    score, asked = subject.score, subject.asked
    if unit is not None:
        if wanted is None:
            raise ValueError(f"unit {unit} of which layer? expected --layer too")
        if not 0 <= unit < wanted.units:
            raise ValueError(f"layer {wanted.name} has the units 0 to {wanted.units - 1}, not {unit}")
        module = subject.net.get_submodule(wanted.name)
        score = lambda pictures: peak(outputs(subject.run, [module], pictures)[0])[:, unit]
        asked = Text(f"the largest activation of unit {unit} in layer {wanted.name}", f"{wanted.name} 层第 {unit} 个单元的最大激活值")
    seen = fields(subject.net, tuple(subject.x.shape[1:]), [one.name for one in found], subject.shape_run or subject.run)
    return Study(subject, found, seen, wanted, unit, score, asked)


def label(study: Study, layer: Layer) -> str:
    """`encoder.3 · Conv2d · 64 x 32 x 32 · sees 13 px`."""
    field = study.fields.get(layer.name)
    sees = f" · sees {field.field[0]} px" if field and field.is_map else ""
    return f"{layer.name} · {layer.kind} · {' x '.join(map(str, layer.shape))}{sees}"


def several(units: Sequence[int]) -> Text:
    """Units in words."""
    return Text(f"units 单元 {', '.join(map(str, units))}", "")
