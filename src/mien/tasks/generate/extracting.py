"""What a network sees in pictures, for distances of distributions: the numbers before a classifier's last layer, and its answers.

A network of somebody else's may come as an ONNX file: RGB pictures (B, 3, S, S) in 0..1 (or uint8) in, features (B, D) first out,
logits (B, classes) second or not at all. Whatever a network does to pictures beforehand belongs into the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.classifier import find, load
from mien.progress import Progress

FOR = {1: "lenet5-digits", 3: "speednet-cifar10"}
"""Channels of pictures -> the bundled classifier that looks at them."""
AT_ONCE = 250
ONNX_SIDE, ONNX_AT_ONCE = 299, 25
"""Where an ONNX file leaves the size open: Inception's; and how many of such size at once."""


@dataclass(frozen=True)
class Seen:
    """What an extractor makes of pictures."""

    features: Tensor
    """(N, D) before the last layer."""
    chances: Tensor
    """(N, classes); (N, 0) of a network that names nothing."""


@dataclass(frozen=True)
class Extractor:
    """A network that looks at pictures; `name` holds the beginning of its file's hash, for a score is one of its extractor."""

    name: str
    shape: tuple[int, int, int]
    """Channels, height, width of the pictures it knows."""
    classes: tuple[str, ...]
    """What its chances are called, if that is known."""
    answer: Callable[[Tensor], tuple[Tensor, Tensor]]
    """(B, *shape) in 0..1 -> features (B, D), chances (B, classes)."""
    device: torch.device
    at_once: int = AT_ONCE

    def fits(self, side: int) -> str:
        """How pictures come to the size it knows, in words."""
        wanted = self.shape[1]
        return "" if side == wanted else f", pictures of {side} pixels brought to {wanted} (bilinear, antialiased)"

    @torch.no_grad()
    def see(self, pictures: Tensor, what: str) -> Seen:
        """(N, C, H, W) uint8; greys become colours, and colours grey, where it knows the other; `what`: for the progress."""
        seen = []
        with Progress(f"look at {what}", total=len(pictures), unit="pictures") as bar:
            for some in pictures.split(self.at_once):
                seen.append([part.float().cpu() for part in self.answer(self._prepared(some))])
                bar.advance(len(some))
        return Seen(*map(torch.cat, zip(*seen, strict=True)))

    def _prepared(self, some: Tensor) -> Tensor:
        x, (channels, side, _) = some.to(self.device).float() / 255, self.shape
        if x.shape[1] != channels:
            x = x.mean(1, keepdim=True).expand(-1, channels, -1, -1)
        return x if x.shape[-1] == side else F.interpolate(x, (side, side), mode="bilinear", antialias=True)


def extractor(model: str, channels: int, device: torch.device) -> Extractor:
    """`model`: a bundled classifier, a classifier's file or run folder, an ONNX file; nothing: the one of `FOR`.

    ValueError where it is none.
    """
    model = model or FOR[channels]
    if Path(model).suffix == ".onnx":
        return _foreign(Path(model))
    net, plan = load(model)
    if not any(isinstance(part, nn.Linear) for part in net.modules()):
        raise ValueError(f"{model} has no dense last layer to look before: choose another extractor")
    path = find(model)
    return Extractor(_named(model if model in FOR.values() else path.stem, path), plan.shape, plan.classes,
                     _before_the_last(net.to(device)), device)  # fmt: skip


def _named(name: str, path: Path) -> str:
    with path.open("rb") as file:
        return f"{name}@{hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"


def _before_the_last(net: nn.Module) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """What the last dense layer is given is kept as it passes."""
    before: list[Tensor] = []
    last = [part for part in net.modules() if isinstance(part, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: before.append(inputs[0].flatten(1)))

    def answer(x: Tensor) -> tuple[Tensor, Tensor]:
        before.clear()
        chances = net(x).float().softmax(1)
        return before[0], chances

    return answer


def _foreign(path: Path) -> Extractor:
    """An ONNX file, run by onnxruntime on the CPU. ValueError where it takes or gives something else than this file's head says."""
    try:
        import onnxruntime
    except ImportError:
        raise RuntimeError("an ONNX extractor needs onnxruntime: pip install 'mien[onnx]'") from None
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds, one for every reason
        raise ValueError(f"{path} cannot be read as ONNX: {str(error).splitlines()[0]}") from None
    taken = session.get_inputs()
    shape = tuple(side if isinstance(side, int) else None for side in taken[0].shape)
    if len(taken) != 1 or len(shape) != 4 or shape[1] not in (1, 3, None) or shape[2] != shape[3]:
        found = "; ".join(f"{one.name} {one.shape}" for one in taken)
        raise ValueError(f"{path} takes {found}; expected one batch of square pictures (B, 3, S, S)")
    whole, single = taken[0].type == "tensor(uint8)", shape[0] == 1

    def run(x: Tensor) -> list[Any]:
        fed = (x * 255).round().byte() if whole else x
        return list(session.run(None, {taken[0].name: fed.contiguous().numpy()}))

    def answer(x: Tensor) -> tuple[Tensor, Tensor]:
        parts = [[torch.from_numpy(one).float() for one in run(some)[:2]] for some in (x.split(1) if single else (x,))]
        features, *logits = (torch.cat(some) for some in zip(*parts, strict=True))
        return features.flatten(1), logits[0].flatten(1).softmax(1) if logits else features.new_empty(len(x), 0)

    side = shape[2] or ONNX_SIDE
    known = shape[1] or 3, side, side
    try:
        features, _ = answer(torch.zeros(1, *known))
    except Exception as error:
        raise ValueError(f"{path} does not take pictures of {known}: {str(error).splitlines()[0]}") from None
    if features.shape[1] < 2:
        raise ValueError(f"{path} gives {tuple(features.shape)} first; expected features (B, D)")
    return Extractor(_named(path.stem, path), known, (), answer, torch.device("cpu"), ONNX_AT_ONCE if side > 100 else AT_ONCE)
