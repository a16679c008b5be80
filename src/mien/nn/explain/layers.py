"""The layers of any network, by watching it run once; and what they put out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Run = Callable[[Tensor], object]
"""A network's forward pass, or a function around it: (B, ...) in."""
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


@dataclass(frozen=True)
class Layer:
    """One named module that puts out one tensor."""

    name: str
    """As in `net.named_modules()`."""
    kind: str
    """The module's class."""
    shape: tuple[int, ...]
    """Of its output, without the batch: (C, H, W) for maps, (F,) for features."""
    weighted: bool
    """A convolution or a dense layer itself, not a block of them."""

    @property
    def units(self) -> int:
        """Channels of a map, numbers of a vector."""
        return self.shape[0]

    @property
    def is_map(self) -> bool:
        """Whether a unit has a place: more than one position."""
        return len(self.shape) > 1 and any(side > 1 for side in self.shape[1:])


@torch.no_grad()
def layers(net: nn.Module, run: Run, x: Tensor) -> list[Layer]:
    """Every named module that `run(x)` passes through and that puts out one tensor, in the order they finish."""
    found: dict[str, Layer] = {}

    def note(name: str, module: nn.Module, out: object) -> None:
        if isinstance(out, Tensor) and out.ndim > 1 and name not in found:
            found[name] = Layer(name, type(module).__name__, tuple(out.shape[1:]), isinstance(module, WEIGHTED))

    handles = [module.register_forward_hook(lambda module, _, out, name=name: note(name, module, out))
               for name, module in net.named_modules() if name]  # fmt: skip
    try:
        run(x)
    finally:
        for handle in handles:
            handle.remove()
    return list(found.values())


def named(found: Sequence[Layer], name: str) -> Layer:
    """The layer of that name; ValueError that names the nearest."""
    by_name = {layer.name: layer for layer in found}
    if name not in by_name:
        near = difflib.get_close_matches(name, by_name, n=3, cutoff=0.0)
        raise ValueError(f"no layer is called {name!r}; the nearest: {', '.join(near)} (the page lists all {len(by_name)})")
    return by_name[name]


def stations(found: Sequence[Layer]) -> list[Layer]:
    """What stands after each convolution (after each dense layer where there is none): its activation or the block it ends.

    The last module of the same output shape that finishes before the next layer with weights does: convolution, norm, ReLU and
    the block around them count once, under the block's name.
    """
    weighted = [i for i, layer in enumerate(found) if layer.weighted]
    convolutions = any(len(found[i].shape) > 1 for i in weighted)
    out = []
    for start, end in zip(weighted, [*weighted[1:], len(found)], strict=True):
        if len(found[start].shape) > 1 or not convolutions:
            out.append([layer for layer in found[start:end] if layer.shape == found[start].shape][-1])
    return out


def spread(items: Sequence[Layer], count: int) -> list[Layer]:
    """At most `count` of them from the first to the last, evenly."""
    if len(items) <= count:
        return list(items)
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)] if count > 1 else [items[-1]]


class _Done(Exception):  # noqa: N818 - not an error: all that was asked for is there
    pass


def outputs(run: Run, modules: Sequence[nn.Module], x: Tensor) -> list[Tensor]:
    """What each module puts out in `run(x)` the first time it is used; nothing behind the last of them is computed."""
    found: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, _: object, out: Tensor) -> None:
        # a clone, because an in-place ReLU behind it would change what was kept
        found.setdefault(module, out.clone())
        if len(found) == len(set(modules)):
            raise _Done

    handles = [module.register_forward_hook(keep) for module in set(modules)]
    try:
        run(x)
    except _Done:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return [found[module] for module in modules]


def peak(features: Tensor) -> Tensor:
    """(B, C, ...) or (B, F) -> (B, C) or (B, F): each unit's largest activation over all positions."""
    return features.flatten(2).amax(-1) if features.ndim > 2 else features


def telling(features: Tensor, count: int) -> list[int]:
    """(C, ...) or (F,) of one picture -> the units that stand out in it, strongest first.

    Of maps: the units with the largest step from mean to peak, since a unit that is on everywhere tells nothing of this picture.
    """
    flat = features.flatten(1) if features.ndim > 1 else features[:, None]
    contrast = flat.amax(1) - flat.mean(1) if flat.shape[1] > 1 else flat[:, 0]
    return contrast.topk(min(count, len(contrast))).indices.tolist()
