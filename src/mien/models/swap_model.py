"""A trained swap: one network, the people it can draw, and a record of how it came to be; one safetensors file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mien.data.files import atomic
from mien.models.swap import IDENTITY, SIZES, SwapNet
from mien.weights import load

BASE = "swap-base"
"""The card of the pretrained encoder and decoder."""
WHO_SCALE = 8.0
"""dlib's vectors have a spread of about 1/8 a number; the decoder is told them at unit spread."""
FILE = "swap.safetensors"


@dataclass(frozen=True)
class Person:
    """Somebody a model can draw."""

    name: str
    faces: int
    """How many faces were learnt from."""
    centre: list[float]
    """(128,) mean embedding: who in a picture is this person."""
    sources: list[str]
    """File names, without folders."""


@dataclass
class SwapModel:
    """`net` and what is known of its people, in the order they were named."""

    net: SwapNet
    network: str
    people: dict[str, Person]
    record: dict[str, Any] = field(default_factory=dict)
    """Consent, base, steps, seconds, held-out scores: whatever should travel with the weights."""

    def person(self, name: str) -> str:
        """The person meant by `name`: exact, regardless of case, as the file's name, or A, B... by order; ValueError names all."""
        order = {chr(ord("a") + i): p for i, p in enumerate(self.people)}
        ways = (lambda p: p == name, lambda p: p.lower() == name.lower(), lambda p: p == Path(name).stem,
                lambda p: p == order.get(name.lower()))
        hits = next((found for way in ways if (found := [p for p in self.people if way(p)])), [])
        if len(hits) != 1:
            raise ValueError(f"the model does not know {name!r}: it knows {', '.join(self.people)}")
        return hits[0]

    def centres(self) -> np.ndarray:
        """(people, 128)."""
        return np.array([p.centre for p in self.people.values()], np.float32)


def model_file(path: Path) -> Path:
    """A model is named by its folder or by its file."""
    path = Path(path)
    return path / FILE if path.is_dir() else path


def save_model(model: SwapModel, path: Path) -> None:
    """Write atomically; bfloat16 would halve the file but not load the same, so weights stay float32."""
    about = {"format": "mien-swap-1", "network": model.network, "size": model.net.size, "record": model.record,
             "people": [asdict(p) for p in model.people.values()]}
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.net.state_dict().items()}
    with atomic(path) as draft:
        save_file(tensors, draft, metadata={"mien": json.dumps(about)})


def load_model(path: Path) -> SwapModel:
    """Raises ValueError in words where `path` is not a swap model."""
    file = model_file(path)
    if not file.is_file():
        raise ValueError(f"no swap model at {path}: expected a folder made by `mien swap train`, with {FILE} in it")
    try:
        with safe_open(file, "pt") as opened:
            about = json.loads((opened.metadata() or {}).get("mien", "{}"))
            if about.get("format") != "mien-swap-1":
                raise ValueError(f"{file} is not a swap model of mien (no record of its people in it)")
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged: {error}; train again with the same --out to restore it") from error
    people = {p["name"]: Person(**p) for p in about["people"]}
    net = SwapNet(people, about["network"], about.get("size"))  # files from before networks could be grown do not say it
    net.load_state_dict(state)
    return SwapModel(net.eval(), about["network"], people, about["record"])


def base_weights() -> dict[str, Tensor]:
    """The pretrained encoder and the decoder `base` that every new person's decoder starts from."""
    return {name: value.float() for name, value in load(BASE).items()}


def add_person(net: SwapNet, name: str, centre: np.ndarray, base: dict[str, Tensor] | None) -> None:
    """Give `net` one more decoder, drawn from the base and told who it is; the rest of the network stays as it is."""
    fresh = SwapNet([name], net.name, net.size).decoders[name]
    for other in list(net.decoders.values())[:1]:  # the base has never drawn larger faces: somebody else's decoder has
        fresh.load_state_dict({k: v for k, v in other.state_dict().items() if k.startswith("growth.")}, strict=False)
    if base is not None:
        mine = {k.removeprefix("decoders.base."): v for k, v in base.items() if k.startswith("decoders.base.")}
        missing, _ = fresh.load_state_dict(mine, strict=False)
        assert all(key.startswith("growth.") for key in missing)
        with torch.no_grad():
            who = fresh.get_parameter("who")
            who.copy_(torch.from_numpy(np.asarray(centre, np.float32)) * WHO_SCALE)
    net.decoders[name] = fresh


def new_net(network: str, centres: dict[str, np.ndarray], pretrained: bool = True) -> SwapNet:
    """A network for these people. `compact` starts from the pretrained base, the others from random weights."""
    if network not in SIZES:
        raise ValueError(f"no network is called {network!r}: choose {', '.join(SIZES)}")
    base = base_weights() if pretrained and network == "compact" else None
    net = SwapNet([], network)
    if base is not None:
        net.encoder.load_state_dict({k.removeprefix("encoder."): v for k, v in base.items() if k.startswith("encoder.")})
    for name, centre in centres.items():
        assert len(centre) == IDENTITY
        add_person(net, name, centre, base)
    return net
