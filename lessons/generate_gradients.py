"""
Which cost teaches a forger
===========================

A generator wants to be taken for real. As the paper first says it, it lessens log(1 - D), the chance of being found out; in
practice everybody lets it lessen -log D instead. Both are lowest at the same place. Why does one of them not work? At the beginning
the judge is sure, D is near 0, and there log(1 - D) is flat: who is caught every time learns nothing.

**哪种代价教得会造假者**：生成器希望自己的作品被当成真的。按论文最初的写法，它减小 log(1 - D)；实际上大家都让它减小 -log D。
两者在同一处最小，为什么前者行不通？训练之初判别器很有把握，D 接近 0，而 log(1 - D) 在那里是平的：次次都被识破的人什么也学不
到。
"""

import math

import matplotlib.pyplot as plt
import torch

from mien.nn.gan import LOSSES

# %%
# By hand
# -------
# With the logit l, D = 1 / (1 + e^-l). The slope of log(1 - D) in l is -D, that of -log D is D - 1. Where the judge gives a picture
# one chance in a hundred, the first is 0.01 and the second 0.99, 99 times as much.

logit = torch.tensor(math.log(0.01 / 0.99), requires_grad=True)
slopes = {name: torch.autograd.grad(LOSSES[name].generator(logit), logit)[0].item() for name in ("minimax", "non-saturating")}

# %%
# A forger of one number
# ----------------------
# Real numbers are N(0, 1), made ones N(m, 1): the generator has to learn m = 0. The best judge is known, its logit is the logarithm
# of the two densities' ratio, m² / 2 - m x. So each cost has an exact slope in m: the mean, over x = m + z, of the slope in the
# logit times -m, which is how the logit changes with x.

z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
weight = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])


def slope(name: str, m: float) -> float:
    """Of the generator's cost, at m, against the best judge."""
    logits = (m * m / 2 - m * (m + z)).requires_grad_()
    (each,) = torch.autograd.grad(LOSSES[name].generator(logits) * len(z), logits)
    return float((each * weight).sum()) * -m


places = [0.1 * i for i in range(1, 81)]
found = {name: [slope(name, m) for m in places] for name in slopes}
least = {name: found[name][59] for name in slopes}  # at m = 6

# %%
# Steps of 0.1
# ------------
# From m = 6 with a fresh best judge at every step: after 200 steps the one has arrived, the other has hardly left.

paths: dict[str, list[float]] = {}
for name in slopes:
    m, path = 6.0, []
    for _ in range(200):
        path.append(m)
        m -= 0.1 * slope(name, m)
    paths[name] = path

figure, (curves, teaching, walk) = plt.subplots(1, 3, figsize=(13, 4))
chance = torch.linspace(0.001, 0.999, 500)
curves.plot(chance, torch.log(1 - chance), "C0", label="log(1 - D)")
curves.plot(chance, -torch.log(chance), "C1", label="-log D")
curves.axvspan(0, 0.05, color="C5", alpha=0.25)
curves.text(0.06, -5.6, "the beginning:\nthe judge is sure", color="C5")
curves.set(title="Two costs with the same lowest place", xlabel="D, chance of being real", ylabel="cost", ylim=(-7, 7))
curves.legend()
for name, colour, label in (("minimax", "C0", "log(1 - D)"), ("non-saturating", "C1", "-log D")):
    teaching.semilogy(places, found[name], colour, label=label)
    walk.plot(paths[name], colour, label=label)
teaching.set(title="Slope against the best judge", xlabel="m: how far made numbers are from real ones", ylabel="slope in m")
teaching.legend()
walk.set(title="200 steps", xlabel="step", ylabel="m")
walk.axhline(0, color="C5", lw=1)
walk.legend()

numbers = {
    "slope_minimax": slopes["minimax"], "slope_non_saturating": slopes["non-saturating"],
    "slope_at_6_minimax": least["minimax"], "slope_at_6_non_saturating": least["non-saturating"],
    "left_by_minimax": 6 - paths["minimax"][-1], "where_non_saturating_ends": paths["non-saturating"][-1],
}  # fmt: skip
