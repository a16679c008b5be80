"""
How far is far away
===================

Two heaps of numbers do not touch. Are they near or far? The judge of the first GAN measures the Jensen-Shannon divergence, and to
it all heaps that do not touch are equally far: log 2. The Wasserstein distance counts how far earth has to be carried to make one
heap of the other: it grows with every step, so its slope says where to go.

**多远才算远**：两堆数互不相交，它们是近还是远？最初的 GAN 的判别器量的是 Jensen-Shannon 散度，在它看来，凡不相交的都一样远：
log 2。Wasserstein 距离数的是把一堆土搬成另一堆要走多远：每挪一步它都会变，所以它的斜率指明了方向。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.nn.gan import LOSSES, gradient_penalty

torch.manual_seed(2)

# %%
# By hand
# -------
# Numbers drawn evenly from 0 to 1, and the same moved by s. Where they overlap (1 - s of each) both densities are alike and cost
# nothing; the rest costs log 2 each. So the divergence is s log 2 up to s = 1, and log 2 for ever after. Every grain of earth
# travels s: that is the Wasserstein distance.

GRAINS = 1000


def divergence(p: Tensor, q: Tensor) -> float:
    """Jensen-Shannon, in nats, of two histograms."""
    middle = (p + q) / 2
    return float((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).nan_to_num().sum() / 2)


def earth(p: Tensor, q: Tensor, bar: float) -> float:
    """Wasserstein-1 of two histograms on a line: the area between their sums."""
    return float((p.cumsum(0) - q.cumsum(0)).abs().sum() * bar)


shifts = [0.05 * i for i in range(61)]
still = torch.zeros(4 * GRAINS, dtype=torch.float64)
still[:GRAINS] = 1 / GRAINS
rows = [(divergence(still, moved), earth(still, moved, 1 / GRAINS)) for moved in (still.roll(round(s * GRAINS)) for s in shifts)]

# %%
# Two judges of the same heaps
# ----------------------------
# Real numbers around 0, made ones around 4. One small network learns to tell them apart, another of the same kind is a critic
# that shall be no steeper than 1 (the gradient penalty of WGAN-GP). The penalty 10 (k - 1)² gives way a little to the gain 4 k:
# at the steepness k = 1 + 4 / 20 = 1.2. What matters to a generator is the slope where its own numbers lie: there one judge is a
# plain.

real, made = 0.3 * torch.randn(128, 1), 4 + 0.3 * torch.randn(128, 1)


def learnt(loss: str, penalty: float) -> nn.Module:
    """A judge of 64 neurons, trained for 300 steps."""
    judge = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    optimiser = torch.optim.Adam(judge.parameters(), 0.01, (0.5, 0.9))
    for _ in range(300):
        cost = LOSSES[loss].judge(judge(real), judge(made))
        if penalty:
            cost = cost + penalty * gradient_penalty(judge, real, made, torch.rand(128))
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
    return judge


discriminator, critic = learnt("minimax", 0), learnt("wasserstein", 10)


def slope(judge: nn.Module, loss: str) -> float:
    """Mean size of the slope of the generator's cost at made numbers."""
    x = made.clone().requires_grad_()
    (grad,) = torch.autograd.grad(LOSSES[loss].generator(judge(x)) * len(x), x)
    return grad.abs().mean().item()


slopes = {"minimax": slope(discriminator, "minimax"), "critic": slope(critic, "wasserstein")}
distance = (critic(real).mean() - critic(made).mean()).item()

figure, (heaps, growth, judges) = plt.subplots(1, 3, figsize=(13, 4))
for i, s in enumerate((0.5, 1.0, 2.0)):
    at = shifts.index(min(shifts, key=lambda one, s=s: abs(one - s)))
    for start, colour in ((0, "C0"), (s, "C1")):
        heaps.fill_between([start, start + 1], 2 * i, 2 * i + 1, color=colour, alpha=0.6, lw=0)
    heaps.text(3.05, 2 * i + 0.3, f"JS {rows[at][0]:.3f}\nW {rows[at][1]:.2f}")
heaps.set(title="Even heaps, moved by 0.5, 1 and 2", yticks=[], xlim=(-0.1, 4))
growth.plot(shifts, [row[0] for row in rows], "C0", label="Jensen-Shannon")
growth.plot(shifts, [row[1] for row in rows], "C1", label="Wasserstein")
growth.axhline(math.log(2), color="C5", ls="--", lw=1)
growth.text(2.2, math.log(2) + 0.07, "log 2", color="C5")
growth.set(title="One stays, one grows", xlabel="moved by", ylabel="distance")
growth.legend()
line = torch.linspace(-2, 6, 400)[:, None]
with torch.no_grad():
    judges.plot(line, torch.sigmoid(discriminator(line)), "C0", label="discriminator D")
    height = critic(line)
    judges.plot(line, (height - height.min()) / (height.max() - height.min()), "C1", label="critic, brought to 0..1")
for heap, colour in ((real, "C2"), (made, "C3")):
    judges.plot(heap[:60], torch.full((60,), -0.1), "|", color=colour, ms=10)
judges.text(-0.6, -0.28, "real", color="C2")
judges.text(3.5, -0.28, "made", color="C3")
judges.set(title="A cliff and a hillside", xlabel="number", ylim=(-0.35, 1.1))
judges.legend(loc="upper right")

numbers = {
    "js_at_half": rows[10][0], "js_at_1": rows[20][0], "js_at_3": rows[60][0], "w_at_half": rows[10][1], "w_at_3": rows[60][1],
    "slope_of_the_discriminator": slopes["minimax"], "slope_of_the_critic": slopes["critic"], "distance_by_the_critic": distance,
}  # fmt: skip
