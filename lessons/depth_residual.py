"""
Residual connections
====================

Why could nobody train fifty plain layers, and then suddenly a hundred and fifty? A residual block computes x + f(x). Backward, the
gradient takes the sum's other way too, past f, unchanged. What a deep network should leave alone, it can leave alone by f = 0.

**残差连接**：为什么以前没人能训练五十层的普通网络，后来却忽然能训练一百五十层？残差块计算 x + f(x)。反向传播时，
梯度还可以走加法的另一条路，绕过 f，原样通过。深层网络不需要改动的东西，只要 f = 0 就能保持不变。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from mien.models.layers import Residual

WIDTH = 32

# %%
# The task
# --------
# Points of a spiral with three arms: which arm? Easy for a network of a few layers, so a deep one has no excuse.

torch.manual_seed(0)
y = torch.arange(300) % 3
radius = torch.rand(300).sqrt()
angle = 4 * radius + y * 2 * torch.pi / 3 + torch.randn(300) * 0.15
x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def network(kind: str, blocks: int) -> nn.Sequential:
    """2 inputs, `blocks` of two layers of 32, 3 outputs; "residual": the library's block, relu(body(x) + x)."""

    def block() -> nn.Module:
        body = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        return Residual(body, nn.Identity()) if kind == "residual" else nn.Sequential(body, nn.ReLU())

    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, WIDTH), *(block() for _ in range(blocks)), nn.Linear(WIDTH, 3))
    for layer in net.modules() if kind == "plain, He" else ():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


# %%
# The gradient on its way
# -----------------------
# Twenty-five blocks, before training: the size of the gradient of the loss by what comes out of each block. Plain, with torch's
# usual first weights, each block keeps a sixth or so. He's first weights are made to keep it (2015); a residual connection keeps it
# anyway.


def gradients(kind: str) -> list[float]:
    """Root mean square of the gradient behind each block, first block first."""
    seen, h = [], x.double()
    for layer in network(kind, 25).double():
        h = layer(h)
        h.retain_grad()
        seen.append(h)
    cross_entropy(h, y).backward()
    return [each.grad.square().mean().sqrt().item() for each in seen[1:-1]]


KINDS = {"plain": "C3", "plain, He": "C1", "residual": "C0"}
sizes = {kind: gradients(kind) for kind in KINDS}

# %%
# Deeper and deeper
# -----------------
# The loss on the points learnt from, after 100 steps of Adam. It is not a matter of overfitting: a deep plain network fails on the
# very points it is shown (He et al. 2015 call it degradation). Good first weights move the depth where that happens; residual
# connections were the end of it. (Very deep ones want normalisation besides, for what is added up grows.)


def train(kind: str, blocks: int) -> tuple[float, nn.Sequential]:
    """The last loss, and the network."""
    net = network(kind, blocks)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
    for _ in range(100):
        optimiser.zero_grad()
        loss = cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
    return loss.item(), net


DEPTHS = (1, 5, 15, 25, 50)
trained = {kind: [train(kind, blocks) for blocks in DEPTHS] for kind in KINDS}

# %%

figure, panels = plt.subplots(1, 4, figsize=(14, 3.9), width_ratios=(1.2, 1.2, 1, 1))
for kind, colour in KINDS.items():
    panels[0].plot(range(1, 26), sizes[kind], "o-", ms=4, color=colour, label=kind)
    panels[1].plot([2 * blocks + 2 for blocks in DEPTHS], [loss for loss, _ in trained[kind]], "o-", color=colour, label=kind)
panels[0].set(yscale="log", title="Gradient behind each of 25 blocks", xlabel="block (1: next to the input)", ylabel="its mean size")
panels[1].axhline(1.0986, color="C5", ls="--", lw=1)
panels[1].text(102, 1.03, "ln 3: knows nothing", color="C5", ha="right")
panels[1].set(title="Loss after 100 steps", xlabel="layers", ylabel="cross-entropy", ylim=(0, 1.2))
panels[1].legend(loc="center right")
side = torch.linspace(-1.2, 1.2, 120)
plane = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1)
colours = torch.tensor([[0.16, 0.44, 0.73], [0.88, 0.48, 0.0], [0.18, 0.55, 0.34]])
for panel, kind in zip(panels[2:], ("plain", "residual"), strict=True):
    with torch.no_grad():
        chances = trained[kind][-2][1](plane).softmax(-1)
    panel.imshow((1 - (1 - chances @ colours) * 0.5).numpy(), extent=(-1.2, 1.2, -1.2, 1.2), origin="lower")
    panel.scatter(*x.T, c=[f"C{k}" for k in y], s=9, edgecolors="white", linewidths=0.4)
    panel.set(title=f"52 layers, {kind}", xticks=[], yticks=[])

numbers = {
    "log10_kept_plain": math.log10(sizes["plain"][0] / sizes["plain"][-1]),
    "log10_kept_he": math.log10(sizes["plain, He"][0] / sizes["plain, He"][-1]),
    "log10_kept_residual": math.log10(sizes["residual"][0] / sizes["residual"][-1]),
    "loss_plain_4_layers": trained["plain"][0][0], "loss_plain_52_layers": trained["plain"][3][0],
    "loss_residual_102_layers": trained["residual"][4][0],
}  # fmt: skip
