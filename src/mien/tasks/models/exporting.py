"""A network as ONNX, compared with what it was."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien import weights
from mien.data.files import atomic
from mien.models import classifier, enlarger
from mien.models.mien_face import SIZE, mien_face
from mien.tasks.models.run import Exported

OPSET = 18
ANY = 2**14
"""Pixels a side that a picture of any size has at most."""


@dataclass(frozen=True)
class Exportable:
    """A network, and an input to try it on."""

    net: nn.Module
    example: Tensor
    sizes: tuple[str, ...]
    """Names of the example's dimensions where any length will do, else empty."""


class InColour(nn.Module):
    """An enlarger as a module: (B, 3, h, w) RGB in 0..1 -> (B, 3, s h, s w), clipped."""

    def __init__(self, one: enlarger.Enlarger) -> None:
        super().__init__()
        self.net, self.one = one.net, one

    def forward(self, x: Tensor) -> Tensor:
        """Pictures of any size."""
        return self.one.in_colour(x).clamp(0, 1)


def _enlarger(path: Path, scale: int) -> Exportable:
    net, plan = enlarger.load(path)
    if scale not in plan.scales:
        raise ValueError(f"{path.stem} does not enlarge by {scale}: choose {' or '.join(map(str, plan.scales))}")
    whole = InColour(enlarger.Enlarger(path.stem, net, scale, plan.network in enlarger.COLOURED))
    return Exportable(whole, torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0)), ("batch", "", "height", "width"))


def _classifier(path: Path, scale: int) -> Exportable:
    net, plan = classifier.opened(path)
    return Exportable(net, torch.rand(2, *plan.shape, generator=torch.Generator().manual_seed(0)), ("batch", "", "", ""))


def _mien_face(path: Path, scale: int) -> Exportable:
    net = mien_face()
    net.load_state_dict({name: value.float() for name, value in weights.load("mien-face").items()})
    return Exportable(net, torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)), ("batch", "", "", ""))


KINDS: dict[str, Callable[[Path, int], Exportable]] = {"enlarger": _enlarger, "classifier": _classifier}
"""A card's kind -> how its network is opened."""
NAMED: dict[str, Callable[[Path, int], Exportable]] = {"mien-face": _mien_face}


def found(name: str, scale: int) -> Exportable:
    """By a card's name or from a file. ValueError where there is none, or none that can be exported."""
    for card in weights.cards():
        if card.name == name:
            opener = NAMED.get(name) or KINDS.get(card.kind)
            if opener is None:
                raise ValueError(f"{name} cannot be exported: those of the kinds {', '.join(KINDS)} and {', '.join(NAMED)} can")
            return opener(weights.locate(name), scale)
    path = Path(name)
    if not path.is_file():
        raise ValueError(f"no network {name!r}: mien models lists them; or name a model file")
    for opener in KINDS.values():
        try:
            return opener(path, scale)
        except ValueError as error:
            if "but not" not in str(error):
                raise
    raise ValueError(f"{path} is no model of mien's that can be exported ({', '.join(KINDS)})")


def exported(name: str, out: Path, scale: int) -> Exported:
    """Write OUT and compare. RuntimeError where the packages it takes are not installed."""
    if out.suffix != ".onnx":
        raise ValueError(f"{out}: expected a name that ends in .onnx")
    missing = [package for package in ("onnx", "onnxscript") if importlib.util.find_spec(package) is None]
    if missing:
        raise RuntimeError(f"{' and '.join(missing)} must be installed for that: pip install 'mien[onnx]'")
    one = found(name, scale)
    net = one.net.eval()
    dynamic = {i: torch.export.Dim(word, min=1 if word == "batch" else 2, max=ANY) for i, word in enumerate(one.sizes) if word}
    with atomic(out) as draft, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of the exporter's own deprecated calls
        program = torch.onnx.export(net, (one.example,), dynamo=True, opset_version=OPSET, dynamic_shapes=(dynamic,), verbose=False,
                                    input_names=["picture"], output_names=["result"])  # fmt: skip
        assert program is not None
        program.save(draft)
        wanted = net(one.example)
        difference = _difference(draft, one.example, wanted)
    shapes = [tuple(str(word or length) for word, length in zip(one.sizes, one.example.shape, strict=True)),
              _words(one, tuple(wanted.shape), scale)]  # fmt: skip
    return Exported(name, out, OPSET, shapes[0], shapes[1], difference, out.stat().st_size)


def _words(one: Exportable, shape: tuple[int, ...], scale: int) -> tuple[str, ...]:
    """The output's dimensions: where the input's may be any, a name or a multiple of one."""
    words = []
    for i, length in enumerate(shape):
        word = one.sizes[i] if i < len(one.sizes) else ""
        words.append(str(length) if not word else word if length == one.example.shape[i] else f"{scale} {word}")
    return tuple(words)


def _difference(path: Path, example: Tensor, wanted: Tensor) -> float | None:
    """What onnxruntime makes of it, compared; None where it is not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    told = session.run(None, {"picture": example.numpy()})[0]
    return float(np.abs(np.asarray(told) - wanted.numpy()).max())
