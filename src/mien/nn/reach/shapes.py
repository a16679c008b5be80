"""Rules for what moves numbers to other dimensions: views, permutations, single places."""

from __future__ import annotations

import math

from mien.nn.reach.call import Call
from mien.nn.reach.field import Field, Span


def select(call: Call) -> Field:
    """One place along a dimension, which goes."""
    return _selected(call, call["index"])


def _selected(call: Call, index: int) -> Field:
    field, x = call.main()
    dim = call["dim"] % x.ndim
    index %= x.shape[dim]
    field = field.mapped(lambda at, _: Span(*at.pattern.window(index)) if at.dim == dim else at)
    return field.renamed(lambda d: d - (d > dim))


def unbind(call: Call) -> list[Field]:
    """Every place along a dimension by itself."""
    return [_selected(call, index) for index in range(len(call.out))]


def permute(call: Call) -> Field:
    """Dimensions in another order."""
    field, x = call.main()
    return field.renamed([d % x.ndim for d in call["dims"]].index)


def transpose(call: Call) -> Field:
    """Two dimensions swapped; those of a matrix where none are named."""
    field, x = call.main()
    a, b = (call.args.get(name, i) % x.ndim for i, name in enumerate(("dim0", "dim1")))
    return field.renamed({a: b, b: a, **{d: d for d in range(x.ndim) if d not in (a, b)}}.__getitem__)


def squeeze(call: Call) -> Field:
    """Dimensions of length one go."""
    field, x = call.main()
    gone = [d for d in call.dims(x.ndim) if x.shape[d] == 1]
    return field.spanned(tuple(x.shape), gone).renamed(lambda d: d - sum(g < d for g in gone))


def unsqueeze(call: Call) -> Field:
    """A dimension of length one comes."""
    field, _ = call.main()
    dim = call["dim"] % call.out.ndim
    return field.renamed(lambda d: d + (d >= dim))


def view(call: Call) -> Field:
    """Another shape of the same numbers: dimensions that stay keep their positions, merged or split ones mix."""
    field, x = call.main()
    kept = _kept(tuple(x.shape), tuple(call.out.shape))
    return field.spanned(tuple(x.shape), [d for d in range(x.ndim) if d not in kept]).renamed(kept.__getitem__)


def _kept(old: tuple[int, ...], new: tuple[int, ...]) -> dict[int, int]:
    """Dimensions longer than one with the same length and the same count of numbers behind them."""
    def behind(shape: tuple[int, ...]) -> dict[tuple[int, int], int]:
        return {(length, math.prod(shape[d + 1:])): d for d, length in enumerate(shape) if length > 1}
    after = behind(new)
    return {d: after[key] for key, d in behind(old).items() if key in after}


def expand(call: Call) -> Field:
    """New dimensions in front, and repetition where the length was one."""
    field, x = call.main()
    ahead = call.out.ndim - x.ndim
    grown = [d for d in range(x.ndim) if x.shape[d] != call.out.shape[d + ahead]]
    return field.spanned(tuple(x.shape), grown).renamed(lambda d: d + ahead)
