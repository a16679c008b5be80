"""
The arithmetic of a convolution
===============================

How large is the output of a convolution, and how many weights does it have? A window of f x f slides over n x n pixels with padding
p and stride s. It fits (n + 2p - f) / s + 1 times along each side, rounded down. The number of weights does not depend on n.

**卷积的算术**：卷积的输出有多大，又有多少个权重？f × f 的窗口在 n × n 的像素上滑动，填充为 p，步长为 s，
每条边上能放下 (n + 2p - f) / s + 1 次（向下取整）。权重的个数与 n 无关。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from torch import nn

# %%
# Seven and three
# ---------------
# 7 x 7 pixels and a window of 3 x 3: five places at stride 1, three at stride 2. At stride 3 it is 4 / 3 + 1 = 2.33, so two: one row
# and one column of pixels are never looked at. Padding by (f - 1) / 2 keeps the size.


def side(n: int, f: int, stride: int = 1, padding: int = 0) -> int:
    """Output pixels a side, by the formula."""
    return (n + 2 * padding - f) // stride + 1


CASES = {"stride 1": (1, 0), "stride 2": (2, 0), "stride 3": (3, 0), "stride 1, padding 1": (1, 1)}
by_formula = {name: side(7, 3, *case) for name, case in CASES.items()}
by_torch = {name: nn.Conv2d(1, 1, 3, *case)(torch.zeros(1, 1, 7, 7)).shape[-1] for name, case in CASES.items()}

# %%
# Colour in, six maps out
# -----------------------
# A kernel always goes through the whole depth of its input: on a colour picture a 5 x 5 kernel has 5 · 5 · 3 weights and one bias.
# Each kernel makes one map. Six of them make 28 x 28 x 6 out of 32 x 32 x 3 with 6 · (75 + 1) = 456 parameters.

layer = nn.Conv2d(3, 6, 5)
shape = layer(torch.zeros(1, 3, 32, 32)).shape[1:]
parameters = sum(p.numel() for p in layer.parameters())
products = shape.numel() * 5 * 5 * 3
dense = 32 * 32 * 3 * shape.numel()

# %%
# The picture
# -----------
# Above: every dot is the middle of one place of the window; two neighbouring places are outlined. Below: the layer with six kernels.
# Connecting everything with everything would take 14 million weights for the same output.


def board(panel: Axes, stride: int) -> None:
    """7 x 7 pixels, the places of a 3 x 3 window, and the output beside it."""
    count = side(7, 3, stride)
    for x in range(7):
        for y in range(7):
            panel.add_patch(Rectangle((x, y), 1, 1, fc="#e8eef6", ec="white"))
    for place, colour in ((0, "C1"), (stride, "C3")):
        panel.add_patch(Rectangle((place + 0.06, 0.06), 2.88, 2.88, fc="none", ec=colour, lw=2.5, zorder=3))
    for i in range(count):
        for j in range(count):
            panel.plot(i * stride + 1.5, j * stride + 1.5, "o", color="C0", ms=4)
            fill = "C1" if (i, j) == (0, 0) else "C3" if (i, j) == (1, 0) else "C0"
            panel.add_patch(Rectangle((9.5 + i, j + (7 - count) / 2), 1, 1, fc=fill, ec="white", alpha=0.75))
    panel.annotate("", (9.1, 3.5), (7.4, 3.5), arrowprops={"arrowstyle": "->"})
    panel.set(title=f"7 x 7, window 3 x 3, stride {stride}: {count} x {count}", xlim=(-0.3, 15), ylim=(7.3, -0.3), aspect="equal")
    panel.axis("off")


def block(panel: Axes, x: float, height: float, depth: float, colour: str, text: str) -> None:
    """A box of maps, its front at x, in perspective."""
    a = 0.7 * depth
    front = [(x, 0), (x + height, 0), (x + height, height), (x, height)]
    top = [(x, height), (x + a, height + a), (x + height + a, height + a), (x + height, height)]
    right = [(x + height, 0), (x + height + a, a), (x + height + a, height + a), (x + height, height)]
    for face, alpha in ((front, 0.35), (top, 0.55), (right, 0.75)):
        panel.add_patch(Polygon(face, fc=colour, ec="white", alpha=alpha))
    panel.text(x + height / 2, -3, text, ha="center", va="top")


figure = plt.figure(figsize=(11, 6.6))
grid = figure.add_gridspec(2, 2)
board(figure.add_subplot(grid[0, 0]), 1)
board(figure.add_subplot(grid[0, 1]), 2)
stack = figure.add_subplot(grid[1, :])
block(stack, 0, 32, 3, "C5", "32 x 32 x 3")
block(stack, 13, 5, 3, "C1", "")
for k in range(6):
    block(stack, 52 + 11 * k, 5, 3, "C1", "six kernels of 5 x 5 x 3: 456 parameters" if k == 2 else "")
block(stack, 134, 28, 6, "C0", "28 x 28 x 6")
for start, end in ((38, 49), (118, 130)):
    stack.annotate("", (end, 4), (start, 4), arrowprops={"arrowstyle": "->"})
stack.set(xlim=(-4, 172), ylim=(-9, 36), aspect="equal", title="A layer: each kernel goes through the whole depth and makes one map")
stack.axis("off")

numbers = {
    "side_at_stride_1": by_torch["stride 1"], "side_at_stride_2": by_torch["stride 2"], "side_at_stride_3": by_torch["stride 3"],
    "side_with_padding": by_torch["stride 1, padding 1"], "formula_minus_torch": max(abs(by_formula[k] - by_torch[k]) for k in CASES),
    "maps": shape[0], "map_side": shape[1], "parameters": parameters, "multiplications": products, "if_fully_connected": dense,
}  # fmt: skip
