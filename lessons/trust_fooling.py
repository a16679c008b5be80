"""
Fooling a classifier
====================

Can a change that nobody notices turn a 3 into an 8? Move every pixel a little, each in the direction in which the loss grows. Each
step is tiny, but there are many pixels, and all of them push the same way. Noise of the same size does next to nothing.

**欺骗分类器**：没人注意得到的改动，能把 3 变成 8 吗？让每个像素都移动一点点，方向是使损失增大的方向。
每一步都很小，但像素很多，而且都朝同一个方向推。同样大小的随机噪声则几乎没有影响。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.models.lenet import lenet5

# %%
# A good classifier
# -----------------
# LeNet-5, three times over 6000 digits.

known, asked = (read_examples(data_folder("digits"), part) for part in ("train", "test"))
x, y = torch.tensor(known.images[::10]).permute(0, 3, 1, 2) / 255, torch.tensor(known.labels[::10])
test_x, test_y = torch.tensor(asked.images[::10]).permute(0, 3, 1, 2) / 255, torch.tensor(asked.labels[::10])
torch.manual_seed(0)
net = lenet5()
optimiser = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
for _ in range(3):
    for batch in torch.randperm(6000).split(50):
        optimiser.zero_grad()
        cross_entropy(net(x[batch]), y[batch]).backward()
        optimiser.step()

# %%
# The fast gradient sign method
# -----------------------------
# x + ε sign(dL/dx), kept within 0..1 (Goodfellow et al. 2014). To first order no other change of at most ε a pixel raises the loss
# as much: by ε times the sum of the sizes of dL/dx. A random change of the same size raises it by nearly nothing, since its parts
# cancel.

pixels = test_x.clone().requires_grad_()
(slope,) = torch.autograd.grad(cross_entropy(net(pixels), test_y, reduction="sum"), pixels)
generator = torch.Generator().manual_seed(0)
directions = {"against the network": slope.sign(), "random": torch.randint(0, 2, slope.shape, generator=generator) * 2.0 - 1}
push = {name: (slope * each).flatten(1).sum(1).abs().mean().item() for name, each in directions.items()}


@torch.no_grad()
def answers(x: Tensor) -> Tensor:
    """(N, 10) probabilities."""
    return net(x).softmax(1)


def right(x: Tensor) -> float:
    """Share of the test digits."""
    return (answers(x).argmax(1) == test_y).float().mean().item()


SIZES = (0.0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3)
scores = {name: [right((test_x + size * each).clamp(0, 1)) for size in SIZES] for name, each in directions.items()}

# %%
# The picture
# -----------
# Six digits that were right, the change, and what the network then says. A person still reads the old digit.

figure = plt.figure(figsize=(12.5, 5))
left, right_side = figure.subfigures(1, 2, width_ratios=(1.3, 1))
fooled = (test_x + 0.15 * slope.sign()).clamp(0, 1)
before, after = answers(test_x), answers(fooled)
good = (before.argmax(1) == test_y) & (after.argmax(1) != test_y) & (after.amax(1) > 0.8)
chosen = [int((good & (test_y == digit)).nonzero()[0, 0]) for digit in (0, 2, 3, 4, 7, 9)]
for column, index in zip(left.subplots(3, 6).T, chosen, strict=True):
    for panel, view, chances in zip(column, (test_x, slope.sign(), fooled), (before, None, after), strict=True):
        panel.imshow(view[index, 0].numpy(), cmap="gray" if chances is None else "gray_r")
        panel.set(xticks=[], yticks=[])
        if chances is not None:
            said = f"{chances[index].argmax()}: {100 * chances[index].amax():.0f} %"
            panel.set_title(said, color="C3" if chances is after else "black")
left.suptitle("Digits; the direction; 0.15 of it added", fontsize=11)
curve = right_side.subplots()
for (name, score), colour in zip(scores.items(), ("C3", "C5"), strict=True):
    curve.plot(SIZES, [100 * share for share in score], "o-", color=colour, label=name)
curve.axhline(10, color="C5", ls="--", lw=1)
curve.text(0, 11.5, "guessing", color="C5")
curve.set(title="1000 test digits, each pixel moved by ε", xlabel="ε (0 is white, 1 is black)", ylabel="right, %", ylim=(0, 102))
curve.legend(loc="center right")

numbers = {
    "right": scores["random"][0], "right_after_0.1": scores["against the network"][4], "right_after_random_0.1": scores["random"][4],
    "right_after_0.2": scores["against the network"][6], "push_over_random_push": push["against the network"] / push["random"],
}  # fmt: skip
