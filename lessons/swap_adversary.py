"""
What an adversary changes
=========================

A decoder that is trained to be near on average draws no hair. Where the strands lie is not in the code, every place is as likely as
any other, and the drawing with the least squared error is the mean of all: an even grey. It is the right answer to the wrong
question. A judge asks another one: could this be real? What does that buy, and what does it cost?

**对抗者改变了什么**：只求平均误差最小的解码器画不出头发。发丝落在哪里，编码里没有，哪里都同样可能，而平方误差最小的画是所有
可能的平均：一片均匀的灰。答得没错，只是问题问错了。判别器问的是另一个问题：这可能是真的吗？它带来什么，又要付出什么代价？
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.nn.gan import LOSSES, r1

WIDTH, STRANDS, CONTRAST, BATCH = 48, 6, 0.6, 64
rng = torch.Generator().manual_seed(0)
across = (torch.arange(WIDTH) + 0.5) / WIDTH

# %%
# Rows of hair
# ------------
# A picture's row of 48 pixels: hair as bright as the first number of the code says, skin right of where the second says, and 6 strands
# across the row. Where the strands begin is not in the code.


def even(code: Tensor) -> Tensor:
    """Codes (B, 2) in 0..1 -> rows (B, 48) without strands: the mean of all that is possible."""
    bright, end = code[:, :1], code[:, 1:]
    return 0.4 * bright - 0.6 + 0.8 * torch.sigmoid((across - 0.3 - 0.4 * end) * 40)


def real(code: Tensor, phase: Tensor) -> Tensor:
    """(B, 2) and (B,) in 0..1 -> (B, 48)."""
    return even(code) + CONTRAST * torch.cos(2 * math.pi * (STRANDS * across + phase[:, None]))


def drawn(count: int) -> tuple[Tensor, Tensor]:
    """(B, 2) codes and real rows (B, 48) of that code."""
    code = torch.rand(count, 2, generator=rng)
    return code, real(code, torch.rand(count, generator=rng))


def power(rows: Tensor) -> Tensor:
    """(B, 48) -> (25,) mean squared amplitude at 0, 1, ... 24 waves a row."""
    return (2 / WIDTH * torch.fft.rfft(rows)).abs().square().mean(0)


# %%
# By hand
# -------
# A wave of amplitude a has the mean square a² / 2. Who draws the even mean errs by that: 0.6² / 2 = 0.18. Who draws strands, not
# knowing where, errs by two independent waves: twice as much, 3 decibels. To be sharp is to be further from the truth on average.

error_of_the_mean, error_of_strands = CONTRAST**2 / 2, CONTRAST**2

# %%
# Four decoders
# -------------
# The same small network, told the code and four random numbers, learns to be near by squared differences (L2), by absolute ones (L1),
# and by L2 with a judge: each step also lessens -log D, times a weight. The judge sees single rows, real and made.


def learn(near: str, weight: float, steps: int = 800) -> tuple[nn.Module, list[float]]:
    """The decoder, and at every twentieth step the power of its strands over that of real ones."""
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, WIDTH))
    judge = nn.Sequential(nn.Linear(WIDTH, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    drawing, judging = (torch.optim.Adam(net.parameters(), 2e-3, (0.5, 0.9)) for net in (decoder, judge))
    game, shares = LOSSES["non-saturating"], []
    for step in range(steps):
        code, x = drawn(BATCH)
        made = decoder(torch.cat([code, torch.randn(BATCH, 4, generator=rng)], 1))
        if weight:
            judging.zero_grad()
            (game.judge(judge(x), judge(made.detach())) + 0.05 * r1(judge, x)).backward()
            judging.step()
        loss = (made - x).square().mean() if near == "L2" else (made - x).abs().mean()
        drawing.zero_grad()
        (loss + weight * game.generator(judge(made)) if weight else loss).backward()
        drawing.step()
        if step % 20 == 0:
            shares.append((power(made.detach())[STRANDS] / CONTRAST**2).item())
    return decoder, shares


learnt = {"L2": learn("L2", 0), "L1": learn("L1", 0), "L2, weak judge": learn("L2", 0.03), "L2 and a judge": learn("L2", 1)}

# %%
# What came of it
# ---------------
# The judge brings back the strands that the error had taken, at the sixth wave and at no other, and the price is the one found by
# hand: twice the error, and a little more, as brightness and the hair's end are followed less exactly. A weak judge is outvoted: the
# error draws every strand back towards the mean.

code, x = drawn(1000)
noise = torch.randn(1000, 4, generator=rng)
with torch.no_grad():
    rows = {name: net(torch.cat([code, noise], 1)) for name, (net, _) in learnt.items()}
errors = {name: (made - x).square().mean().item() for name, made in rows.items()}
strands = {name: (power(made)[STRANDS] / CONTRAST**2).item() for name, made in rows.items()}
slowly = torch.linspace(0, 1, 40)
asked = torch.stack([slowly, 0.5 + 0.5 * torch.sin(6 * slowly)], 1)
same = torch.randn(1, 4, generator=rng).expand(40, 4)

figure = plt.figure(figsize=(13, 6))
above, below = figure.subfigures(2, 1, height_ratios=(1.1, 1))
with torch.no_grad():
    views = {"real": real(asked, torch.full((40,), 0.3))} | {n: net(torch.cat([asked, same], 1)) for n, (net, _) in learnt.items()}
for panel, (name, view) in zip(above.subplots(1, 5), views.items(), strict=True):
    panel.imshow(view.numpy(), vmin=-1.2, vmax=0.9, aspect="auto", cmap="copper")
    panel.set(title=name if name == "real" else f"{name}: error {errors[name]:.3f}", xticks=[], yticks=[])
one, spectrum, course = below.subplots(1, 3)
one.plot(x[0], "C5", lw=1, label="real")
one.plot(even(code)[0], "C5", ls="--", lw=1, label="mean of all possible")
for name, colour in (("L2", "C0"), ("L2 and a judge", "C1")):
    one.plot(rows[name][0], colour, label=name)
one.set(title="One row", xlabel="pixel")
one.legend(fontsize=8)
spectrum.plot(power(x)[1:13], "C5", label="real")
for (name, made), colour in zip(rows.items(), ("C0", "C2", "C4", "C1"), strict=True):
    spectrum.plot(power(made)[1:13], colour, lw=1.2, label=name)
spectrum.set(yscale="log", title="Power by waves a row", xlabel="waves", xticks=(0, 2, 5, 8, 11), xticklabels=(1, 3, 6, 9, 12))
spectrum.legend(fontsize=8)
for (name, (_, shares)), colour in zip(learnt.items(), ("C0", "C2", "C4", "C1"), strict=True):
    course.plot(range(0, 20 * len(shares), 20), shares, colour, label=name)
course.axhline(1, color="C5", ls="--", lw=1)
course.set(title="Power of the strands, over that of real ones", xlabel="step")
course.legend(fontsize=8)

numbers = {
    "error_of_the_mean_by_hand": error_of_the_mean, "error_of_strands_by_hand": error_of_strands,
    "error_L2": errors["L2"], "error_L1": errors["L1"], "error_judged": errors["L2 and a judge"],
    "strands_L2": strands["L2"], "strands_L1": strands["L1"], "strands_weakly_judged": strands["L2, weak judge"],
    "strands_judged": strands["L2 and a judge"], "decibels_lost": 10 * math.log10(errors["L2 and a judge"] / errors["L2"]),
}  # fmt: skip
