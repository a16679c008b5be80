"""
A convolution is a product of matrices
======================================

What is the derivative of a convolution? Written as a product of matrices, it needs no new rule. Each place of the window is a row
of a table of pixels; the forward pass multiplies the table by the kernel, and the backward pass multiplies by the same two,
transposed.

**卷积就是矩阵乘积**：卷积的导数是什么？把卷积写成矩阵乘积，就不需要新的规则。窗口的每个位置对应像素表中的一行；
前向传播把这张表乘以卷积核，反向传播则乘以这两个矩阵的转置。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, fold, unfold

# %%
# The table of pixels
# -------------------
# A picture of 5 x 5 and a kernel of 3 x 3: nine places, each with nine pixels. Row i of the table holds what the window sees at
# place i. The convolution is table · kernel: nine sums of nine products. (As everywhere in deep learning, the kernel is not turned
# round first.)

x = torch.tensor([[1.0, 0, 2, 1, 3], [0, 1, 1, 2, 0], [3, 1, 0, 0, 1], [2, 0, 1, 1, 2], [0, 2, 1, 0, 1]], dtype=torch.float64)
kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=torch.float64)
table = unfold(x[None, None], 3)[0].T
y = (table @ kernel.flatten()).view(3, 3)

# %%
# Backward, by hand
# -----------------
# Let g be the derivative of the loss by each output. A weight of the kernel took part in all nine sums, each time with another
# pixel: dL/dkernel = tableᵀ · g. A pixel took part in every place whose window covers it: dL/dx = g · kernelᵀ, each row added back
# to where its pixels came from. Both are convolutions themselves: of x with g, and of g with the kernel turned by 180 degrees.

g = torch.tensor([[1.0, -1, 0], [0, 2, 1], [-1, 0, 1]], dtype=torch.float64)
d_kernel = (table.T @ g.flatten()).view(3, 3)
d_table = torch.outer(g.flatten(), kernel.flatten())
d_x = fold(d_table.T[None], (5, 5), 3)[0, 0]

as_convolution_kernel = conv2d(x[None, None], g[None, None])[0, 0]
as_convolution_x = conv2d(g[None, None], kernel.flip(0, 1)[None, None], padding=2)[0, 0]
transposed = conv_transpose2d(g[None, None], kernel[None, None])[0, 0]

# %%
# Autograd agrees
# ---------------

x_auto, kernel_auto = x.clone().requires_grad_(), kernel.clone().requires_grad_()
y_auto = conv2d(x_auto[None, None], kernel_auto[None, None])[0, 0]
(y_auto * g).sum().backward()


def gap(a: Tensor, b: Tensor | None) -> float:
    """The largest difference."""
    assert b is not None
    return (a - b).abs().max().item()


# %%
# The picture
# -----------
# Forward above, backward below. The window's first place and its row in the table have the same frame.


def show(panel: Axes, values: Tensor, title: str, frame: tuple[float, float, float, float] | None = None) -> None:
    """The numbers of a matrix on their colours; `frame`: column, row, width and height of what is outlined."""
    panel.imshow(values.numpy(), cmap="RdBu_r", vmin=-9, vmax=9)
    for (row, column), value in zip(torch.cartesian_prod(*map(torch.arange, values.shape)).tolist(), values.flatten(), strict=True):
        panel.text(column, row, f"{value + 0.0:.0f}", ha="center", va="center", fontsize=9)
    if frame:
        left, top, width, height = frame
        panel.add_patch(plt.Rectangle((left - 0.5, top - 0.5), width, height, fc="none", ec="C1", lw=3, clip_on=False))
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set_visible(False)


figure, ((top1, top2, top3, top4), (low1, low2, low3, low4)) = plt.subplots(2, 4, figsize=(12, 6.6), width_ratios=(5, 5.6, 3.4, 3.4))
figure.get_layout_engine().set(wspace=0.06, hspace=0.06)
show(top1, x, "picture x", (0, 0, 3, 3))
show(top2, table, "table: a row for each place", (0, 0, 9, 1))
show(top3, kernel, "kernel")
show(top4, y, "output y = table · kernel", (0, 0, 1, 1))
show(low1, d_x, "dL/dx: rows added back", (0, 0, 3, 3))
show(low2, d_table, "g · kernelᵀ", (0, 0, 9, 1))
show(low3, d_kernel, "dL/dkernel = tableᵀ · g")
show(low4, g, "g = dL/dy", (0, 0, 1, 1))

numbers = {
    "first_output": y[0, 0].item(), "first_of_kernel_gradient": d_kernel[0, 0].item(), "middle_of_picture_gradient": d_x[2, 2].item(),
    "output_minus_torch": gap(y, y_auto), "kernel_gradient_minus_autograd": gap(d_kernel, kernel_auto.grad),
    "picture_gradient_minus_autograd": gap(d_x, x_auto.grad),
    "both_as_convolutions": max(gap(d_kernel, as_convolution_kernel), gap(d_x, as_convolution_x), gap(d_x, transposed)),
}  # fmt: skip
