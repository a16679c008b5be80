"""
Pooling, forward and backward
=============================

What does pooling keep, and where does the gradient go? Of each 2 x 2 pixels, max pooling keeps the largest and mean pooling the
mean. Backward, the maximum hands its gradient to the one pixel that won, the mean a quarter to each.

**池化的前向与反向**：池化保留什么，梯度又流向哪里？在每 2 × 2 个像素中，最大池化保留最大值，平均池化保留平均值。
反向时，最大池化把梯度交给胜出的那个像素，平均池化则给每个像素四分之一。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

# %%
# Sixteen numbers
# ---------------

x = torch.tensor([[1.0, 5, 4, 3], [2, 6, 4, 0], [3, 1, 8, 9], [2, 8, 6, 5]], requires_grad=True)
largest = max_pool2d(x[None, None], 2)[0, 0]
mean = avg_pool2d(x[None, None], 2)[0, 0]

# %%
# Backward
# --------
# Let the gradients by the four outputs be 1, 2, 3 and 4. Both poolings hand all of it on: the sums stay 10. In the block
# 4 3 / 4 0 the maximum stands twice; torch gives everything to the first.

g = torch.tensor([[1.0, 2], [3, 4]])
(of_max,) = torch.autograd.grad(largest, x, g, retain_graph=True)
(of_mean,) = torch.autograd.grad(mean, x, g, retain_graph=True)

# %%
# By hand: a pixel's share is 1 where it won and 0 elsewhere, or 1/4; each multiplies the gradient of its block.

big = g.repeat_interleave(2, 0).repeat_interleave(2, 1)
won = torch.zeros(4, 4)
won[[1, 0, 3, 2], [1, 2, 1, 3]] = 1

# %%
# What it is good for
# -------------------
# A small step of the picture changes little. A feature that stands in the left column of its block may move one pixel to the right
# and the maximum does not notice. Here half of the sixteen places of a 1 can move right unseen.

places = torch.eye(16).view(16, 1, 4, 4)
unseen = (max_pool2d(places, 2) == max_pool2d(places.roll(1, 3), 2)).flatten(1).all(1).float().mean().item()

# %%


def show(panel: Axes, values: Tensor, title: str, top: float, digits: int = 2) -> None:
    """Numbers on colours; the blocks of a 4 x 4 are outlined."""
    panel.imshow(values.detach().numpy(), cmap="Blues", vmin=0, vmax=top)
    for (row, column), value in zip(torch.cartesian_prod(*map(torch.arange, values.shape)).tolist(), values.flatten(), strict=True):
        text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
        panel.text(column, row, text, ha="center", va="center", fontsize=13, color="white" if value > 0.7 * top else "black")
    if len(values) == 4:
        panel.axhline(1.5, color="C1", lw=2)
        panel.axvline(1.5, color="C1", lw=2)
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set_visible(False)


figure, panels = plt.subplots(2, 3, figsize=(9.5, 6.4))
show(panels[0, 0], x, "x", 10, 0)
show(panels[0, 1], largest, "maximum", 10, 0)
show(panels[0, 2], mean, "mean", 10)
show(panels[1, 0], g, "gradient that comes back", 5, 0)
show(panels[1, 1], of_max, "behind the maximum: to the winners", 5, 0)
show(panels[1, 2], of_mean, "behind the mean: a quarter each", 5)

numbers = {
    **{f"max_{k}": value for k, value in enumerate(largest.flatten().tolist())},
    **{f"mean_{k}": value for k, value in enumerate(mean.flatten().tolist())},
    "max_by_hand_minus_autograd": (won * big - of_max).abs().max().item(),
    "mean_by_hand_minus_autograd": (big / 4 - of_mean).abs().max().item(),
    "gradient_handed_on_by_max": of_max.sum().item(), "gradient_handed_on_by_mean": of_mean.sum().item(), "steps_unseen": unseen,
}  # fmt: skip
