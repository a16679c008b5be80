"""Rules for what looks along the axes of a map: kernels, resampling, padding, cutting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from mien.nn.reach.call import Call, Rule, tensors
from mien.nn.reach.field import Field


def _repeated(value: int | Sequence[int], count: int) -> list[int]:
    many = [value] if isinstance(value, int) else list(value)
    return many * count if len(many) == 1 else many


def _window(field: Field, ndim: int, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
            dilation: Sequence[int]) -> Field:
    """A kernel that slides over the last dimensions."""
    for i, (k, s, p, d) in enumerate(zip(kernel, stride, padding, dilation, strict=True)):
        field = field.through(ndim - len(kernel) + i, lambda q, k=k, s=s, p=p, d=d: range(q * s - p, q * s - p + k * d, d), s)
    return field


def convolution(call: Call) -> Field:
    """Kernels over the last dimensions, all channels before them mixed."""
    field, x = call.main()
    kernel = call["weight"].shape[2:]
    n, ndim = len(kernel), x.ndim
    stride, padding, dilation = (_repeated(call[name], n) for name in ("stride", "padding", "dilation"))
    field = field.spanned(tuple(x.shape), [ndim - n - 1])
    if not call["transposed"]:
        return _window(field, ndim, kernel, stride, padding, dilation)
    for i, (k, s, p, d) in enumerate(zip(kernel, stride, padding, dilation, strict=True)):
        # input position i is spread over the outputs i * s - p + t * d, t = 0..k-1
        def taps(q: int, k: int = k, s: int = s, p: int = p, d: int = d) -> list[int]:
            return [place // s for place in range(q + p - (k - 1) * d, q + p + 1, d) if place % s == 0]
        field = field.through(ndim - n + i, taps, Fraction(1, s))
    return field


def pool(n: int) -> Rule:
    """Maximum and mean pooling over n dimensions."""
    def rule(call: Call) -> Field:
        field, x = call.main()
        kernel, stride, padding = (_repeated(call[name], n) for name in ("kernel_size", "stride", "padding"))
        return _window(field, x.ndim, kernel, stride or kernel, padding, _repeated(call.args.get("dilation", [1]), n))
    return rule


def adaptive_pool(call: Call) -> Field:
    """Pooling to a given size; to a single place it sees everything."""
    field, x = call.main()
    out = next(iter(tensors([call.out])))
    n = len(call["output_size"])
    for dim in range(x.ndim - n, x.ndim):
        size, to = x.shape[dim], out.shape[dim]
        if to == 1:
            field = field.spanned(tuple(x.shape), [dim]) if size > 1 else field
        else:
            field = field.through(dim, lambda q, size=size, to=to: range(q * size // to, -(-(q + 1) * size // to)), Fraction(size, to))
    return field


def resampled(neighbours: Sequence[int]) -> Rule:
    """Up- or down-sampling that reads `neighbours` of the place a pixel comes from; nearest reads just that place."""
    def rule(call: Call) -> Field:
        field, x = call.main()
        for dim in range(2, x.ndim):
            size, to = x.shape[dim], call.out.shape[dim]
            corners = call.args.get("align_corners", False) and to > 1 and size > 1
            step = Fraction(size - 1, to - 1) if corners else Fraction(size, to)
            offset = 0 if corners or len(neighbours) == 1 else (step - 1) / 2
            field = field.through(dim, lambda q, s=step, o=offset: [math.floor(q * s + o) + n for n in neighbours], step)
        return field
    return rule


def pixel_shuffle(call: Call) -> Field:
    """Channels become r x r pixels."""
    field, x = call.main()
    r = call["upscale_factor"]
    for dim in (x.ndim - 2, x.ndim - 1):
        field = field.through(dim, lambda q: [q // r], Fraction(1, r))
    return field


def pixel_unshuffle(call: Call) -> Field:
    """Pixels in squares of r x r become channels."""
    field, x = call.main()
    r = call["downscale_factor"]
    return _window(field, x.ndim, [r, r], [r, r], [0, 0], [1, 1])


def pad(call: Call) -> Field:
    """Any padding: the map as before, counted from another place."""
    field, x = call.main()
    amounts = call.args.get("pad") or call["padding"]
    for i, before in enumerate(amounts[::2]):
        field = field.through(x.ndim - 1 - i, lambda q, before=before: [q - before])
    return field


def flip(call: Call) -> Field:
    """Positions counted from the other end."""
    field, x = call.main()
    for dim in call["dims"]:
        field = field.through(dim % x.ndim, lambda q, last=x.shape[dim] - 1: [last - q], -1)
    return field


def slice_(call: Call) -> Field:
    """x[start::step] along one dimension."""
    field, x = call.main()
    dim, step = call["dim"] % x.ndim, call["step"]
    start = range(x.shape[dim])[call["start"] or 0 :].start
    return field.through(dim, lambda q: [start + q * step], step)


def split(call: Call) -> list[Field]:
    """Pieces along one dimension, one after the other."""
    field, x = call.main()
    dim, start, out = call["dim"] % x.ndim, 0, []
    for part in call.out:
        out.append(field.through(dim, lambda q, start=start: [start + q]))
        start += part.shape[dim]
    return out
