"""A trained classifier (or embedder) as one file: weights as safetensors, in its header the plan that builds the network again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.data.files import atomic
from mien.models import checking
from mien.models.catalog import NETWORKS
from mien.models.planned import model_file
from mien.models.speed import FitsInputs
from mien.nn.inputs import InputLayer
from mien.nn.metric import UnitLength
from mien.weights import cards
from mien.weights.eight_bits import squeeze, unsqueeze

HEADER = "mien_classifier"


@dataclass(frozen=True)
class Plan:
    """All that is needed to build a network before its weights are loaded."""

    network: str
    """A key of `mien.models.catalog.NETWORKS`."""
    shape: tuple[int, int, int]
    """Channels, height, width of a picture."""
    classes: tuple[str, ...]
    """Of a classifier; of an embedder (`mien.models.embedder`) none."""
    inputs: str = "standard"
    """Kind of the input layer (`mien.nn.inputs`)."""
    mirror: bool = False
    """Whether probabilities (vectors) are the mean over the picture and its mirror image."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the network's builder is given beside the number of classes."""
    vector: int = 0
    """Numbers in the vector of unit length that an embedder makes of a picture; 0: a classifier."""


def build(plan: Plan) -> nn.Sequential:
    """Input layer and network, untrained: (B, C, H, W) uint8 or 0..1 -> (B, classes) logits, or (B, vector) of unit length.

    ValueError for no such network.
    """
    if plan.network not in NETWORKS:
        raise ValueError(f"no network is called {plan.network!r}; known: {', '.join(NETWORKS)}")
    try:
        network = NETWORKS[plan.network].build(classes=plan.vector or len(plan.classes), **plan.options)
    except TypeError as error:
        raise ValueError(f"{plan.network} cannot be built with {dict(plan.options)}: {error}") from None
    return nn.Sequential(InputLayer(plan.shape, plan.inputs), network, *([UnitLength()] if plan.vector else []))


@torch.no_grad()
def fit_inputs(net: nn.Sequential, images: Tensor) -> None:
    """Statistics of (N, C, H, W) training pictures for the input layer of `build`, and for a network that starts from its data."""
    inputs, network = net[0], net[1]
    assert isinstance(inputs, InputLayer)
    inputs.fit(images)
    if isinstance(network, FitsInputs):
        network.fit_inputs(inputs(images[:: max(len(images) // 5000, 1)]))


@torch.no_grad()
def check(plan: Plan) -> None:
    """ValueError where the network cannot take pictures of the plan's shape, or does not tell classes apart; computes nothing."""
    with torch.device("meta"):
        net, picture = build(plan).eval(), torch.empty(1, *plan.shape)
    channels, height, width = plan.shape
    try:
        out = net(picture)
    except (RuntimeError, ValueError, IndexError) as error:
        shown = f"{channels} channel{'s' * (channels > 1)} and {width} x {height} pixels"
        why = str(error).partition("\n")[0]
        raise ValueError(f"{plan.network} cannot take pictures of {shown}: {why}; change size or network") from None
    if tuple(getattr(out, "shape", ())) != (1, len(plan.classes)):
        raise ValueError(f"{plan.network} does not tell classes apart: choose another network")


@torch.no_grad()
def probabilities(net: nn.Module, images: Tensor, mirror: bool = False) -> Tensor:
    """(B, C, H, W) -> (B, classes) softmax; with `mirror` the mean over both ways round."""
    chances = net(images).float().softmax(1)
    return (chances + net(images.flip(-1)).float().softmax(1)) / 2 if mirror else chances


def save(path: Path, net: nn.Module, plan: Plan, dtype: torch.dtype = torch.float32) -> None:
    """Write weights (`dtype`, int8 as in `mien.weights.eight_bits`) and plan; what is not floating point stays as it is, and so do the
    input layer's statistics.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    if dtype == torch.int8:
        tensors = squeeze(tensors)
    else:
        tensors = {name: value.to(dtype) if value.is_floating_point() and not name.startswith("0.") else value
                   for name, value in tensors.items()}  # fmt: skip
    with atomic(path) as draft:
        save_file(tensors, draft, metadata={HEADER: json.dumps(asdict(plan))})


def read_plan(path: Path) -> Plan:
    """The plan in a file's header; ValueError where the file is no classifier of mien's."""
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(HEADER)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a whole .safetensors file: {error}") from None
    if text is None:
        raise ValueError(f"{path} holds weights, but not a classifier of mien (no plan in its header)")
    table = json.loads(text)
    return Plan(**table | {"shape": tuple(table["shape"]), "classes": tuple(table["classes"])})


def bundled() -> list[str]:
    """Names of the classifiers that have a card."""
    return [card.name for card in cards() if card.kind == "classifier"]


def find(model: str | Path) -> Path:
    """The file of a bundled name, a file, or a run folder; ValueError where there is none."""
    if file := model_file(model, "classifier"):
        return file
    raise ValueError(f"{model} is neither a bundled classifier ({', '.join(bundled())}) nor a model file or run folder")


def load(model: str | Path) -> tuple[nn.Sequential, Plan]:
    """A classifier in eval mode, float32, on the CPU, and its plan; ValueError where it is none.

    RuntimeError where a bundled one does not answer as its card says.
    """
    path = find(model)
    net, plan = opened(path)
    if plan.vector:
        raise ValueError(f"{path} makes vectors of {plan.vector} numbers and knows no classes: expected a classifier")
    if str(model) in bundled():
        channels, side, _ = plan.shape
        checking.check(str(model), lambda x, _: {"logits": net(x)}, channels, side)
    return net, plan


def opened(path: Path) -> tuple[nn.Sequential, Plan]:
    """What `save` wrote, in eval mode, float32, on the CPU."""
    plan = read_plan(path)
    net = build(plan)
    with safe_open(str(path), framework="pt") as file:
        state = unsqueeze({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    try:
        net.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state.items()})
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the network {plan.network} it names: {str(error).splitlines()[1].strip()}") from None
    return net.eval(), plan
