"""Rules for what makes one tensor of several, or mixes the places of one."""

from __future__ import annotations

from collections.abc import Sequence

from mien.nn.reach.call import Call, tensors
from mien.nn.reach.field import Field


def pointwise(call: Call) -> Field:
    """Number by number, shapes broadcast."""
    out = next(iter(tensors([call.out])))
    fields = []
    for x in tensors(call.args.values()):
        field, ahead = call.fields(x), out.ndim - x.ndim
        if field:
            grown = [d for d in range(x.ndim) if x.shape[d] != out.shape[d + ahead]]
            fields.append(field.spanned(tuple(x.shape), grown).renamed(lambda d, ahead=ahead: d + ahead))
    return _all(fields)


def _all(fields: Sequence[Field]) -> Field:
    field = fields[0]
    for other in fields[1:]:
        field = field.join(other)
    return field


def cat(call: Call) -> Field:
    """Side by side; positions along the dimension itself lose their order."""
    parts = [(field, x) for x in call["tensors"] if (field := call.fields(x))]
    dim = call["dim"] % parts[0][1].ndim
    return _all([field.spanned(tuple(x.shape), [dim]) for field, x in parts])


def stack(call: Call) -> Field:
    """Side by side along a new dimension."""
    parts = [field for x in call["tensors"] if (field := call.fields(x))]
    dim = call["dim"] % call.out.ndim
    return _all(parts).renamed(lambda d: d + (d >= dim))


def matmul(call: Call) -> Field:
    """Rows by columns: what is summed over is mixed, and so is everything where both sides depend on the picture."""
    sides = [x for x in tensors(call.args.values()) if call.fields(x)]
    field, x = call.main()
    if len(sides) > 1:
        return _all([f.spanned(tuple(side.shape)) for side in sides if (f := call.fields(side))])
    left = x is next(iter(tensors(call.args[name] for name in ("mat1", "batch1", "self") if name in call.args)))
    return field.spanned(tuple(x.shape), [x.ndim - 1 if left else x.ndim - 2])


def reduction(call: Call) -> Field:
    """Mean, sum, maximum... over some dimensions or all."""
    field, x = call.main()
    dims = call.dims(x.ndim)
    field = field.spanned(tuple(x.shape), dims)
    return field if call.args.get("keepdim") else field.renamed(lambda d: d - sum(gone < d for gone in dims))


def along(call: Call) -> Field:
    """Mixes one dimension: softmax, cumulative sums, gated units."""
    field, x = call.main()
    return field.spanned(tuple(x.shape), [call["dim"] % x.ndim])


def batch_norm(call: Call) -> Field:
    """A factor and an offset, unless the statistics are the picture's own."""
    field, x = call.main()
    return field.spanned(tuple(x.shape)) if call.args.get("training") else field


def layer_norm(call: Call) -> Field:
    """Statistics over the last dimensions."""
    field, x = call.main()
    return field.spanned(tuple(x.shape), range(x.ndim - len(call["normalized_shape"]), x.ndim))


def unchanged(call: Call) -> Field:
    """The same numbers in the same places."""
    return call.main()[0]


def nothing(call: Call) -> None:
    """Only the shape was asked for."""


def mixed(call: Call) -> Field:
    """Anything else: all of the picture that the inputs see."""
    return _all([field.spanned(tuple(x.shape)) for x in tensors(call.args.values()) if (field := call.fields(x))])
