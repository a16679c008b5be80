"""
Data augmentation
=================

A shifted 7 is still a 7, but a dense network does not know that. How is it told? By showing it every digit at another place each
time: new examples for nothing. It helps as far as the changes are those that really happen, and no further.

**数据增强**：平移后的 7 仍然是 7，但全连接网络并不知道。怎样告诉它？每次都把数字放在不同的位置给它看，不花代价就得到新样本。
只要这些变化与真实发生的变化一致，增强就有用，但也仅此而已。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.models.mlp import mlp
from mien.nn.batches import Changes, draw, gather

# %%
# Five hundred digits to learn from, two thousand to be asked about. The files are sorted by class, so every 120th and every 5th.

known, asked = (read_examples(data_folder("digits"), part) for part in ("train", "test"))
images, labels = torch.tensor(known.images[::120]), torch.tensor(known.labels[::120])
test_images, test_labels = torch.tensor(asked.images[::5]), torch.tensor(asked.labels[::5])


def shifted(images: Tensor, which: Tensor, offset: Tensor, mirrored: bool = False) -> Tensor:
    """(B, 1, 28, 28) in 0..1: pictures `which`, moved by `offset` (B, 2) pixels; by the library's own gather."""
    turned = torch.full((len(which),), mirrored)
    return gather(images, which, Changes(turned, offset, torch.zeros(len(which), 2).long())).float() / 255


# %%
# Three ways to learn
# -------------------
# As they are; moved by up to three pixels each way, drawn anew at every step; and mirrored half of the time, which is right for
# photographs of animals and wrong for digits.


def learn(shift: int, mirror: bool) -> nn.Sequential:
    """800 steps of 50 digits."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    net = mlp(784, 100, 10)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
    for _ in range(800):
        which = torch.randint(0, 500, (50,), generator=random)
        changes = draw(50, (28, 28), shift, random)
        if not mirror:
            changes.mirrored.zero_()
        optimiser.zero_grad()
        cross_entropy(net(gather(images, which, changes).float() / 255), labels[which]).backward()
        optimiser.step()
    return net


nets = {"as they are": learn(0, mirror=False), "moved by up to 3": learn(3, mirror=False), "mirrored": learn(0, mirror=True)}

# %%
# Asked about digits that have moved
# ----------------------------------
# The test digits are moved by 0 to 6 pixels to the right.

everyone = torch.arange(2000)


@torch.no_grad()
def right(net: nn.Sequential, x: Tensor) -> float:
    """Share of test digits."""
    return (net(x).argmax(1) == test_labels).float().mean().item()


moved = [shifted(test_images, everyone, torch.tensor([[0, by]]).expand(2000, 2)) for by in range(7)]
scores = {name: [right(net, x) for x in moved] for name, net in nets.items()}

# %%

figure = plt.figure(figsize=(12.5, 4.4))
left, right_side = figure.subfigures(1, 2)
rows = left.subplots(3, 6)
random = torch.Generator().manual_seed(5)
chosen = torch.tensor([120, 160, 210, 260, 370, 480])
for row, (name, shift, mirror) in zip(rows, (("as they are", 0, False), ("moved", 3, False), ("mirrored", 0, True)), strict=True):
    offset = torch.randint(-shift, shift + 1, (6, 2), generator=random)
    for panel, view in zip(row, shifted(images, chosen, offset, mirror)[:, 0], strict=True):
        panel.imshow(view.numpy(), cmap="gray_r")
        panel.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
curve = right_side.subplots()
for name, colour in zip(nets, ("C5", "C0", "C3"), strict=True):
    curve.plot([100 * score for score in scores[name]], "o-", color=colour, label=f"learnt {name}")
curve.axvspan(3, 6.2, color="C5", alpha=0.1)
curve.text(4.6, 96, "further than it was shown", ha="center", color="C5")
curve.set(title="Test digits, moved to the right", xlabel="by pixels", ylabel="right, %", ylim=(0, 100), xlim=(-0.2, 6.2))
curve.legend(loc="lower left")

numbers = {
    "as_they_are": scores["as they are"][0], "as_they_are_moved_by_3": scores["as they are"][3],
    "augmented": scores["moved by up to 3"][0], "augmented_moved_by_3": scores["moved by up to 3"][3],
    "augmented_moved_by_6": scores["moved by up to 3"][6], "mirrored": scores["mirrored"][0],
}  # fmt: skip
