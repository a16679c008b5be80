"""Which rule hands the receptive field through which operation of torch.

Operations that work on every number by itself carry torch's tag `pointwise`; any other that is not here mixes the whole tensor, which
is the safe answer.
"""

from __future__ import annotations

from mien.nn.reach import mixing, shapes, windows
from mien.nn.reach.call import Rule

GROUPS: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (windows.convolution, ("convolution",)),
    (windows.pool(2), ("max_pool2d_with_indices", "avg_pool2d")),
    (windows.pool(3), ("max_pool3d_with_indices", "avg_pool3d")),
    (windows.adaptive_pool, ("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d")),
    (windows.resampled([0]), ("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")),
    (windows.resampled([0, 1]), ("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")),
    (windows.resampled([-1, 0, 1, 2]), ("upsample_bicubic2d",)),
    (windows.pixel_shuffle, ("pixel_shuffle",)),
    (windows.pixel_unshuffle, ("pixel_unshuffle",)),
    (windows.pad, ("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
                   "replication_pad1d", "replication_pad2d", "replication_pad3d")),
    (windows.flip, ("flip",)),
    (windows.slice_, ("slice",)),
    (windows.split, ("split", "split_with_sizes", "unsafe_split")),
    (shapes.select, ("select",)),
    (shapes.unbind, ("unbind",)),
    (shapes.permute, ("permute",)),
    (shapes.transpose, ("transpose", "t")),
    (shapes.squeeze, ("squeeze",)),
    (shapes.unsqueeze, ("unsqueeze",)),
    (shapes.expand, ("expand",)),
    (shapes.view, ("view", "_unsafe_view", "_reshape_alias")),
    (mixing.cat, ("cat",)),
    (mixing.stack, ("stack",)),
    (mixing.pointwise, ("copy", "rsub", "hardswish", "_prelu_kernel", "log_sigmoid_forward")),  # without the tag
    (mixing.matmul, ("mm", "addmm", "bmm", "baddbmm")),
    (mixing.reduction, ("mean", "sum", "amax", "amin", "max", "min", "var", "std", "norm", "linalg_vector_norm")),
    (mixing.along, ("_softmax", "_safe_softmax", "_log_softmax", "cumsum", "cumprod", "glu")),
    (mixing.batch_norm, ("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")),
    (mixing.layer_norm, ("native_layer_norm",)),
    (mixing.unchanged, ("clone", "detach", "alias", "_to_copy", "lift_fresh")),
    (mixing.nothing, ("new_zeros", "new_ones", "new_empty", "new_full", "zeros_like", "ones_like", "empty_like", "full_like")),
)  # fmt: skip

RULES: dict[str, Rule] = {name: rule for rule, names in GROUPS for name in names}
"""The operation's name without its overload and without the underscore of the in-place form -> its rule."""
