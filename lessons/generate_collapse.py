"""
One trick for every judge
=========================

Real points lie in eight heaps on a ring. A generator that hurries ahead of its judge finds the one place the judge trusts most and
puts everything there; the judge learns to distrust it, the generator jumps to the next. It never shows more than a few heaps: its
mode has collapsed. What cures it? Here it is enough to let the judge learn faster than the generator.

**一招应付所有的判别器**：真的点分成八堆，排在一个环上。跑在判别器前面的生成器会找到判别器最信任的那一处，把所有的点都放在那
里；判别器学会不再信任那里，生成器就跳到下一处。它从来只给出少数几堆：这就是模式崩溃。怎样治？在这里，只要让判别器学得比生成
器快就够了。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.nn.gan import LOSSES

HEAPS, BATCH, SHOWN = 8, 128, (100, 200, 300, 400)
angles = torch.arange(HEAPS) * (2 * math.pi / HEAPS)
middles = 2 * torch.stack([angles.cos(), angles.sin()], 1)


def real(count: int) -> Tensor:
    """(count, 2), deviation 0.1 around one of the eight middles."""
    return middles[torch.randint(HEAPS, (count,))] + 0.1 * torch.randn(count, 2)


def net(outputs: int) -> nn.Sequential:
    """Two hidden layers of 64."""
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


# %%
# What the ideal forger does against a judge that stands still
# ------------------------------------------------------------
# Take a judge who gives the eight heaps the logits 0, 0.1, ... 0.7. The mean of -log D over the made points is least when all of them
# lie in the heap with 0.7: 0.4032. Spread over all eight it is 0.5397. Nothing in the cost of one point speaks for variety: only the
# judge's next answer does.

logits = torch.arange(8) / 10
at_one_heap = LOSSES["non-saturating"].generator(logits[-1:]).item()
spread_out = LOSSES["non-saturating"].generator(logits).item()

# %%
# The same game twice
# -------------------
# Once the generator's learning rate is ten times the judge's, once the other way round (two time scales, Heusel et al. 2017).


def play(forging: float, judging: float) -> dict[int, Tensor]:
    """Made points after the steps in `SHOWN`, for two learning rates."""
    torch.manual_seed(0)
    generator, judge = net(2), net(1)
    ours = torch.optim.Adam(generator.parameters(), forging, (0.5, 0.99))
    theirs = torch.optim.Adam(judge.parameters(), judging, (0.5, 0.99))
    game, noise, kept = LOSSES["non-saturating"], torch.randn(1000, 2), {}
    for step in range(1, SHOWN[-1] + 1):
        cost = game.judge(judge(real(BATCH)), judge(generator(torch.randn(BATCH, 2)).detach()))
        theirs.zero_grad()
        cost.backward()
        theirs.step()
        deceit = game.generator(judge(generator(torch.randn(BATCH, 2))))
        ours.zero_grad()
        deceit.backward()
        ours.step()
        if step in SHOWN:
            kept[step] = generator(noise).detach()
    return kept


ways = {"the generator ten times faster": play(1e-2, 1e-3), "the judge ten times faster": play(1e-3, 1e-2)}

# %%
# How many heaps are shown
# ------------------------
# A point counts where it lies within 0.4 of a middle; a heap is shown where it has at least 2 percent of all points.


def shown(made: Tensor) -> int:
    """How many of the eight heaps."""
    far, which = torch.cdist(made, middles).min(1)
    return int((torch.bincount(which[far < 0.4], minlength=HEAPS) >= 0.02 * len(made)).sum())


counts = {way: [shown(made) for made in kept.values()] for way, kept in ways.items()}
truth = real(400)
figure, axes = plt.subplots(2, 4, figsize=(12, 6.2))
for row, colour, (way, kept) in zip(axes, ("C3", "C2"), ways.items(), strict=True):
    row[0].set_ylabel(way)
    for panel, (step, made), count in zip(row, kept.items(), counts[way], strict=True):
        panel.plot(*truth.T, ".", color="C0", ms=2, alpha=0.5)
        panel.plot(*made.T, ".", color=colour, ms=2)
        panel.set(title=f"step {step}: {count} of {HEAPS}", xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")

collapsed, cured = counts.values()
numbers = {
    "cost_at_one_heap": at_one_heap, "cost_spread_out": spread_out, "heaps_collapsed": max(collapsed), "heaps_cured": cured[-1],
}  # fmt: skip
