"""
Transfer learning
=================

What can be learnt from five examples? More, if the network already knows how to look. Here one learns the digits 0 to 4 from
thousands of examples. Its first layers, left as they are, then serve to learn 5 to 9 from a few. Its last layers do not: they know
0 to 4 only.

**迁移学习**：五个样本能学到什么？如果网络已经会“看”，就能学到更多。这里先用几千个样本学习数字 0 到 4，
然后让前面的几层保持不变，只用少数样本学习 5 到 9。最后的几层则帮不上忙：它们只认得 0 到 4。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.models.lenet import lenet5


def digits(part: str, step: int, classes: range) -> tuple[Tensor, Tensor]:
    """Every `step`-th picture of these classes: (N, 1, 28, 28) in 0..1, labels from 0."""
    examples = read_examples(data_folder("digits"), part)
    x, y = torch.tensor(examples.images[::step]).permute(0, 3, 1, 2) / 255, torch.tensor(examples.labels[::step])
    chosen = (y >= classes.start) & (y < classes.stop)
    return x[chosen], y[chosen] - classes.start


def learn(net: nn.Module, x: Tensor, y: Tensor, steps: int) -> None:
    """Adam, batches of at most 50."""
    optimiser = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), 2e-3, fused=True)
    for _ in range(steps):
        batch = torch.randint(0, len(x), (min(50, len(x)),))
        optimiser.zero_grad()
        cross_entropy(net(x[batch]), y[batch]).backward()
        optimiser.step()


# %%
# First 0 to 4
# ------------

torch.manual_seed(0)
first = lenet5(classes=5)
learn(first, *digits("train", 8, range(5)), steps=400)
test_x, test_y = digits("test", 4, range(5))
with torch.no_grad():
    right_on_first = (first(test_x).argmax(1) == test_y).float().mean().item()

# %%
# Then 5 to 9, from one to twenty examples of each
# ------------------------------------------------
# From scratch, the whole of LeNet-5 is trained. With transfer a part of the first network is kept and one dense layer is trained on
# what it puts out: 400 numbers behind the second pooling, or 120 behind the last convolution. As a check, the same on random
# convolutions: they are no bad start either, but worse. Means of five draws of examples.

x, y = digits("train", 8, range(5, 10))
test_x, test_y = digits("test", 6, range(5, 10))
SCRATCH, EARLY, LATE, RANDOM = "from scratch", "its first two convolutions", "its three convolutions", "two random convolutions"
COUNTS, REPEATS = (1, 5, 20), 5


def chosen(count: int) -> Tensor:
    """The places of `count` random examples of each digit."""
    return torch.cat([(y == digit).nonzero()[torch.randperm(int((y == digit).sum()))[:count], 0] for digit in range(5)])


def score(net: nn.Module, x: Tensor) -> float:
    """Share of the test digits."""
    with torch.no_grad():
        return (net(x).argmax(1) == test_y).float().mean().item()


def on_top_of(trunk: nn.Module, few: Tensor) -> float:
    """The score of one dense layer behind a trunk that stays as it is."""
    with torch.no_grad():
        features, test_features = trunk(x[few]).flatten(1), trunk(test_x).flatten(1)
    head, scale = nn.Linear(features.shape[1], 5), features.std()
    learn(head, features / scale, y[few], steps=80)
    return score(head, test_features / scale)


def from_scratch(few: Tensor) -> float:
    """The score of a whole new network."""
    net = lenet5(classes=5)
    learn(net, x[few], y[few], steps=80)
    return score(net, test_x)


scores: dict[str, list[float]] = {SCRATCH: [], EARLY: [], LATE: [], RANDOM: []}
for count in COUNTS:
    draws = [chosen(count) for _ in range(REPEATS)]
    scores[SCRATCH].append(sum(from_scratch(few) for few in draws) / REPEATS)
    scores[EARLY].append(sum(on_top_of(first[:6], few) for few in draws) / REPEATS)
    scores[LATE].append(sum(on_top_of(first[:9], few) for few in draws) / REPEATS)
    scores[RANDOM].append(sum(on_top_of(lenet5(classes=5)[:6], few) for few in draws) / REPEATS)

# %%
# What they see
# -------------
# The numbers of the digits 5 to 9, drawn along their two main axes. How far features are of use for another task, layer by layer:
# Yosinski et al. 2014. The gain here is some percent only: digits are easy, and the first task knew no more than five of them.

figure, (curve, *clouds) = plt.subplots(1, 3, figsize=(13, 4.3), width_ratios=(1.3, 1, 1))
for (name, score_), colour in zip(scores.items(), ("C3", "C0", "C1", "C5"), strict=True):
    curve.plot(COUNTS, [100 * share for share in score_], "o-", color=colour, label=name)
curve.axhline(20, color="C5", ls="--", lw=1)
curve.text(1, 21.5, "guessing", color="C5")
curve.set(xscale="log", xticks=COUNTS, xticklabels=[str(count) for count in COUNTS], title="Learning the digits 5 to 9", ylim=(0, 100),
          xlabel="examples of each", ylabel="right, %")  # fmt: skip
curve.minorticks_off()
curve.legend(loc="lower right")
for panel, name, depth in zip(clouds, (EARLY, LATE), (6, 9), strict=True):
    with torch.no_grad():
        features = first[:depth](test_x).flatten(1)
    plane = torch.linalg.svd(features - features.mean(0), full_matrices=False)[0][:, :2]
    for digit in range(5):
        panel.scatter(*plane[test_y == digit].T, s=6, color=f"C{digit}", label=str(digit + 5))
    panel.set(title=f"Behind {name}", xticks=[], yticks=[])
figure.legend(*clouds[1].get_legend_handles_labels(), markerscale=3, loc="outside right center")

numbers = {
    "right_on_0_to_4": right_on_first, "scratch_from_1": scores[SCRATCH][0], "early_from_1": scores[EARLY][0],
    "scratch_from_5": scores[SCRATCH][1], "early_from_5": scores[EARLY][1], "late_from_5": scores[LATE][1],
    "random_from_5": scores[RANDOM][1], "scratch_from_20": scores[SCRATCH][2], "early_from_20": scores[EARLY][2],
}  # fmt: skip
