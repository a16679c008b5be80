"""Receptive field, parameters and multiplications of every layer of any network, by running it once without numbers.

The network runs on torch's `meta` device, which computes shapes only. Each operation is watched as it is dispatched, so that
additions, concatenations and whatever else a `forward` does by itself count like modules do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from mien.nn.reach.call import Call, tensors
from mien.nn.reach.field import At, Field, Pattern, Span
from mien.nn.reach.mixing import mixed, pointwise
from mien.nn.reach.table import RULES


@dataclass(frozen=True)
class Layer:
    """One module without children, or one operation of a module that has some. Called again, its multiplications add up."""

    name: str
    """As in `net.named_modules()`; an operation is called "module:operation"."""
    kind: str
    """The module's class, or the operation."""
    shape: tuple[int, ...]
    """Of the output, without the batch."""
    parameters: int
    """Its own, trained or fixed."""
    macs: int
    """Multiplications with additions for one input, in convolutions and matrix products; biases are not counted."""
    reach: Field

    @property
    def field(self) -> tuple[int, ...]:
        """Receptive field in pixels along each axis of the input: of one position, padding counted as if the picture went on."""
        return tuple(place.pattern.size if isinstance(place, At) else int(place.high - place.low + 1) for place in self.reach.places)

    @property
    def stride(self) -> tuple[float, ...]:
        """Pixels from one position to the next, along each axis; 0 where the layer has no positions any more."""
        return tuple(abs(float(place.pattern.stride)) if isinstance(place, At) else 0.0 for place in self.reach.places)

    @property
    def is_map(self) -> bool:
        """Whether there is a position for every axis of the input."""
        return bool(self.reach.places) and all(self.stride)

    def window(self, at: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """Position on the map, one number an axis, or () for a vector -> the pixels it sees, (start, stop) an axis; may reach over the
        edge.
        """
        ends = [place.pattern.window(p) if isinstance(place, At) else (place.low, place.high)
                for place, p in zip(self.reach.places, at or (0,) * len(self.reach.places), strict=True)]  # fmt: skip
        return tuple((int(low), int(high) + 1) for low, high in ends)


@dataclass(frozen=True)
class Trace:
    """All layers of a network in the order in which they finish first."""

    shape: tuple[int, ...]
    """Of the input, without the batch."""
    layers: tuple[Layer, ...]
    parameters: int
    """Of the whole network, those of parts that did not run included."""
    macs: int

    @property
    def field(self) -> tuple[int, ...]:
        """Receptive field of the last map, what papers call the network's; the whole input where no map sees beyond its own pixel."""
        maps = [layer for layer in self.layers if layer.is_map and max(layer.field) > 1]
        return maps[-1].field if maps else self.shape[1:]


class _Around(nn.Module):
    """A function that calls `net`, as a module that holds it."""

    def __init__(self, net: nn.Module, run: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.net = net
        self.run = run.__call__  # not the module itself, which must be held once

    def forward(self, x: Tensor) -> object:
        return self.run(x)


@torch.no_grad()
def trace(net: nn.Module, shape: tuple[int, ...], run: Callable[[Tensor], object] | None = None) -> Trace:
    """Run `net` in eval mode on one input of `shape` (without the batch; channels first), or `run`, a function that calls `net`.

    The network's weights stay as and where they are. ValueError where it does not take that shape.
    """
    around = _Around(net, run or net)
    training = {module: module.training for module in net.modules()}
    state = {name: torch.empty_like(value, device="meta") for name, value in [*around.named_parameters(), *around.named_buffers()]}
    x = torch.empty((1, *shape), device="meta")
    watch = _Watch(net, x)
    try:
        net.eval()
        with torch.device("meta"), watch:
            torch.func.functional_call(around, state, (x,))
    except RuntimeError as error:
        raise ValueError(f"the network does not run on an input of shape {shape}: {str(error).splitlines()[0]}") from error
    finally:
        watch.close()
        for module, was in training.items():
            module.training = was
    layers = tuple(watch.layers.values())
    return Trace(tuple(shape), layers, sum(p.numel() for p in net.parameters()), sum(layer.macs for layer in layers))


def _conv_macs(args: Mapping[str, Any], out: Tensor) -> int:
    """Every output number (of a transposed convolution: every input number) meets the kernel once for each channel of its group."""
    positions = args["input"] if args["transposed"] else out
    return positions.numel() * math.prod(args["weight"].shape[1:])


def _product_macs(left: str) -> Callable[[Mapping[str, Any], Tensor], int]:
    return lambda args, out: out.numel() * args[left].shape[-1]


MACS: dict[str, Callable[[Mapping[str, Any], Tensor], int]] = {
    "convolution": _conv_macs, "mm": _product_macs("self"), "bmm": _product_macs("self"),
    "addmm": _product_macs("mat1"), "baddbmm": _product_macs("batch1"),
}  # fmt: skip
"""Operation -> multiplications, from its arguments and its output."""


def _norm_shapes(args: Mapping[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm in eval mode; what it saves for a backward pass is empty."""
    return torch.empty_like(args["input"]), args["input"].new_empty(0), args["input"].new_empty(0)


QUICK: dict[OpOverload, Callable[[Mapping[str, Any]], Any]] = {
    torch.ops.aten.native_batch_norm.default: _norm_shapes,
    torch.ops.aten.relu.default: lambda args: torch.empty_like(args["self"]),
}  # fmt: skip
"""Outputs without numbers of what torch takes apart into a dozen operations first: two thirds of the time of a deep network."""


class _Watch(TorchDispatchMode):
    """Sees every operation, knows in which module it happens, and keeps the fields of all tensors that depend on the input."""

    def __init__(self, net: nn.Module, x: Tensor) -> None:
        super().__init__()
        picture = tuple(x.shape[2:])
        self.nothing = Field((Span(0, -1),) * len(picture), picture)
        self.fields: Any = WeakTensorKeyDictionary()
        self.fields[x] = Field(tuple(At(dim, Pattern()) for dim in range(2, x.ndim)), picture)
        self.layers: dict[str, Layer] = {}
        self.open: list[tuple[str, nn.Module]] = []
        self.macs: dict[str, int] = {}
        self.handles = []
        for name, module in net.named_modules():
            self.handles += [module.register_forward_pre_hook(lambda module, _, name=name: self.open.append((name, module))),
                             module.register_forward_hook(self._finish)]

    def close(self) -> None:
        """Leave the network as it was."""
        for handle in self.handles:
            handle.remove()

    def _finish(self, module: nn.Module, inputs: object, out: object) -> None:
        """A row for a module of its own account: without children, or with parameters beside them."""
        name, _ = self.open.pop()
        if _has_row(module) and not isinstance(module, nn.Identity):
            parameters = sum(p.numel() for p in module.parameters(recurse=False))
            self._row(name, type(module).__name__, out, self.macs.pop(name, 0), parameters)

    def _row(self, name: str, kind: str, out: object, macs: int, parameters: int = 0) -> None:
        tensor = next(iter(tensors([out])), None)
        if tensor is None:
            return
        before, reach = self.layers.get(name), self.fields.get(tensor, self.nothing)
        row = Layer(name, kind, tuple(tensor.shape[1:]), parameters, macs + (before.macs if before else 0), reach)
        self.layers[name] = replace(row, parameters=before.parameters) if before else row

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, schema = kwargs or {}, func._schema
        named = {argument.name: args[i] if i < len(args) else given.get(argument.name, argument.default_value)
                 for i, argument in enumerate(schema.arguments)}  # fmt: skip
        op = schema.name.removeprefix("aten::")
        op = op[:-1] if schema.is_mutable and op.endswith("_") else op
        out = QUICK[func](named) if func in QUICK and not named.get("training") else func(*args, **given)
        used = [x for x in tensors(named.values()) if x in self.fields]
        if used:
            self._follow(func, op, Call(named, self.fields.get, out))
        macs = MACS[op](named, out) if op in MACS else 0
        self._account(op, used, out, macs, func.is_view)
        return out

    def _follow(self, func: OpOverload, op: str, call: Call) -> None:
        """The fields of what has come out."""
        rule = RULES.get(op) or (pointwise if torch.Tag.pointwise in func.tags else mixed)
        field = rule(call)
        if field is None:
            return
        outs = list(tensors([call.out]))
        for x, result in zip(outs, field if isinstance(field, list) else [field] * len(outs), strict=True):
            self.fields[x] = result
            if func._schema.is_mutable and x._base is not None:  # a part of another tensor was written to
                whole = result.spanned(tuple(x.shape))
                before = self.fields.get(x._base)
                self.fields[x._base] = before.join(whole) if before else whole

    def _account(self, op: str, used: list[Tensor], out: object, macs: int, is_view: bool) -> None:
        """Multiplications to the module that makes them; a row for an operation that counts where the module will have none."""
        name, module = self.open[-1] if self.open else ("", None)
        if module is not None and _has_row(module):
            self.macs[name] = self.macs.get(name, 0) + macs
        elif used and isinstance(out, Tensor) and not is_view and (macs or len(used) > 1 or out.shape != used[0].shape):
            self._row(f"{name}:{op}", op, out, macs)


def _has_row(module: nn.Module) -> bool:
    return next(module.children(), None) is None or next(module.parameters(recurse=False), None) is not None
