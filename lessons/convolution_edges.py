"""
Edge filters
============

How can nine numbers find the edges of a picture? A kernel whose weights add up to zero answers nothing on even ground, and much
where left and right, or above and below, differ. Networks find such kernels by themselves: here one is learnt from its output.

**边缘滤波器**：九个数怎样找出图片的边缘？权重之和为零的卷积核在均匀处没有响应，而在左右或上下不同的地方响应很强。
网络会自己学到这样的卷积核：这里仅凭输出就学出一个来。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data
from torch import nn
from torch.nn.functional import conv2d

# %%
# A step
# ------
# Six columns, bright on the left (10) and dark on the right (0). The kernel 1 0 -1, three times, answers 30 at the border and 0
# elsewhere; -30 where it goes from dark to bright.

vertical = torch.tensor([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]])
step = torch.zeros(6, 6)
step[:, :3] = 10
answer = conv2d(step[None, None], vertical[None, None])[0, 0]

# %%
# A photograph
# ------------
# Sobel's kernels do the same with more weight in the middle. Their two answers are the slope of the brightness to the right and
# down; its length is the strength of the edge, whatever its direction. Laplace's kernel adds up how much a pixel differs from its
# four neighbours. (Rear Admiral Grace Hopper, public domain; comes with matplotlib.)

with get_sample_data("grace_hopper.jpg") as file:
    picture = torch.tensor(plt.imread(file, format="jpg"))[:400, 80:480].float().mean(2) / 255
sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
laplace = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
right, down, second = conv2d(picture[None, None], torch.stack([sobel, sobel.T, laplace])[:, None])[0]
strength = (right**2 + down**2).sqrt()

# %%
# Learnt from its output
# ----------------------
# Start from zeros, and ask gradient descent for nine weights that give Sobel's answer on this photograph.

learner = nn.Conv2d(1, 1, 3, bias=False)
nn.init.zeros_(learner.weight)
optimiser = torch.optim.Adam(learner.parameters(), 0.05)
small = picture[None, None, ::2, ::2]
wanted = conv2d(small, sobel[None, None])
for _ in range(300):
    optimiser.zero_grad()
    (learner(small) - wanted).square().mean().backward()
    optimiser.step()
learnt = learner.weight.detach()[0, 0]

# %%

figure, panels = plt.subplots(2, 4, figsize=(12, 6.6))
views = {
    "the photograph": (picture, "gray", 0, 1), "Sobel, to the right": (right, "RdBu_r", -1.5, 1.5),
    "Sobel, down": (down, "RdBu_r", -1.5, 1.5), "strength of the edge": (strength, "gray_r", 0, 1.5),
    "Laplace": (second, "RdBu_r", -0.4, 0.4), "step: bright, dark": (step, "gray", 0, 12),
    "answer of 1 0 -1": (answer, "RdBu_r", -40, 40), "learnt from Sobel's output": (learnt, "RdBu_r", -3, 3),
}  # fmt: skip
for panel, (name, (view, colours, low, high)) in zip(panels.flat, views.items(), strict=True):
    panel.imshow(view.numpy(), cmap=colours, vmin=low, vmax=high)
    panel.set(title=name, xticks=[], yticks=[])
    if view.numel() < 40:
        digits = 2 if view is learnt else 0
        for (row, column), value in zip(torch.cartesian_prod(*map(torch.arange, view.shape)).tolist(), view.flatten(), strict=True):
            ink = "white" if name.startswith("step") and value == 0 else "black"
            panel.text(column, row, f"{round(value.item(), digits) + 0.0:.{digits}f}", ha="center", va="center", color=ink)

numbers = {
    "at_the_border": answer[0, 1].item(), "on_even_ground": answer[0, 0].item(), "sum_of_sobel": sobel.sum().item(),
    "sum_of_laplace": laplace.sum().item(), "learnt_minus_sobel": (learnt - sobel).abs().max().item(),
    "pixels_with_a_strong_edge": (strength > 1).float().mean().item(),
}  # fmt: skip
