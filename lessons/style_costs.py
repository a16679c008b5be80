"""
The cost of content and the cost of style
=========================================

What does it mean that one picture shows the same things as another, and what that it is painted in the same manner? Content is what
a network sees, place by place. Style is which of its units speak together, wherever that is: a Gram matrix. Both costs are small
enough here to be checked by hand: two channels of 2 x 2 places.

**内容代价与风格代价**：两幅画“内容相同”是什么意思？“画法相同”又是什么意思？内容是网络在每个位置看到的东西；风格则是哪些单元同时响应，
不论在何处：这就是 Gram 矩阵。这里只有两个 2 × 2 的通道，两种代价都可以手算核对。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from mien.nn.style import content_cost, gram, mean_gram, style_cost

torch.manual_seed(0)

# %%
# Three pictures as a layer sees them
# -----------------------------------
# The maps of one layer for the content picture C, the style picture S and the generated picture G: n_C = 2 channels, n_H = n_W = 2.

content = torch.tensor([[[1.0, 2], [0, 1]], [[0, 1], [1, 0]]], dtype=torch.float64)[None]
style = torch.tensor([[[1.0, 0], [1, 0]], [[0, 1], [1, 1]]], dtype=torch.float64)[None]
generated = torch.tensor([[[1.0, 1], [0, 1]], [[0, 1], [1, 2]]], dtype=torch.float64)[None]

# %%
# Content: place by place
# -----------------------
# J_content = 1 / (4 n_H n_W n_C) · Σ (a_C - a_G)². G differs from C in two numbers, by 1 and by 2: (1 + 4) / 32 = 5/32.

j_content = content_cost(generated, content).item()

# %%
# Style: which channels speak together
# ------------------------------------
# The Gram matrix forgets where: G_kk' = Σ a_k a_k' over all places. Of S: 1 + 1 = 2; 1 · 0 + 0 · 1 + 1 · 1 + 0 · 1 = 1; 1 + 1 + 1 = 3.
# Of G: 3, 3 and 6. J_style = 1 / (2 n_H n_W n_C)² · Σ (G_S - G_G)² = (1 + 4 + 4 + 9) / 256 = 18/256. The library divides each matrix
# by its number of places first, so that two pictures may differ in size; for equal sizes it is the same number.

gram_style, gram_generated = gram(style)[0], gram(generated)[0]
by_hand = ((gram_style - gram_generated) ** 2).sum().item() / (2 * 2 * 2 * 2) ** 2
j_style = style_cost(mean_gram(generated), mean_gram(style)).item()
shuffled = generated.flatten(2)[..., [2, 0, 3, 1]].view_as(generated)
moved = (gram(shuffled) - gram(generated)).abs().max().item()
moved_content = content_cost(shuffled, content).item()

# %%
# Both, and their slope
# ---------------------
# J = α J_content + β J_style, with α = 10 and β = 40: 1.5625 + 2.8125 = 4.375. The slope of J_style has a short form: with the maps as
# the rows of A it is 4 / 256 · (G_G - G_S) A. The last place of channel 2: (2 · 1 + 3 · 2) / 64 = 1/8.

rows = generated[0].flatten(1)
slope = (gram_generated - gram_style) @ rows * 4 / 256
free = generated.clone().requires_grad_()
style_cost(mean_gram(free), mean_gram(style)).sum().backward()
assert free.grad is not None
off = (free.grad[0].flatten(1) - slope).abs().max().item()

# %%
# Downhill
# --------
# Start from noise and follow the slope of J alone: G comes to have nearly the Gram matrix of S, and as much as that allows of C.

maps = torch.rand(1, 2, 2, 2, dtype=torch.float64).requires_grad_()
costs: list[tuple[float, float]] = []
for _ in range(400):
    parts = 10 * content_cost(maps, content).sum(), 40 * style_cost(mean_gram(maps), mean_gram(style)).sum()
    costs.append((parts[0].item(), parts[1].item()))
    (gradient,) = torch.autograd.grad(parts[0] + parts[1], maps)
    maps = (maps - 0.05 * gradient).detach().requires_grad_()
end = maps.detach()
total = torch.tensor(costs).sum(1)

# %%


def show(panel: Axes, values: Tensor, title: str) -> None:
    """The numbers of a matrix on their colours."""
    panel.imshow(values.numpy(), cmap="RdBu_r", vmin=-9, vmax=9)
    for (row, column), value in zip(torch.cartesian_prod(*map(torch.arange, values.shape)).tolist(), values.flatten(), strict=True):
        panel.text(column, row, f"{value:.3g}", ha="center", va="center")
    panel.set(title=title, xticks=[], yticks=[])


figure = plt.figure(figsize=(12, 6.2), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1))
pictures = {"C": content, "S": style, "G": generated, "G, downhill": end}
for line, (name, one) in zip(left.subplots(4, 3), pictures.items(), strict=True):
    show(line[0], one[0, 0], f"{name}: channel 1")
    show(line[1], one[0, 1], "channel 2")
    show(line[2], gram(one)[0], "Gram matrix")
panel = right.subplots()
panel.plot([one for one, _ in costs], label="α J_content")
panel.plot([other for _, other in costs], label="β J_style")
panel.plot(total, color="black", label="J")
panel.set(xlabel="step", title="from noise, downhill")
panel.legend()

numbers = {
    "content_cost": j_content, "gram_of_style_11": gram_style[0, 0].item(), "gram_of_style_12": gram_style[0, 1].item(),
    "gram_of_style_22": gram_style[1, 1].item(), "gram_of_generated_12": gram_generated[0, 1].item(), "style_cost": j_style,
    "style_cost_by_hand": by_hand, "total_cost": 10 * j_content + 40 * j_style, "slope_of_the_last_place": slope[1, 3].item(),
    "slope_minus_autograd": off, "gram_after_shuffling_places": moved, "content_cost_after_shuffling": moved_content,
    "cost_at_the_end": total[-1].item(),
}  # fmt: skip
