"""
Dropout: many networks in one
=============================

Why switch off random neurons while training? Every subset of the neurons is a network of its own; all of them
share their weights and are trained at once. In use all neurons are on, which is like asking all those networks and taking the mean.

**Dropout：一个网络里的许多网络**：训练时随机关掉一些神经元有什么用？神经元的每个子集都是一个网络，它们共享权重，同时得到训
练。使用时打开所有神经元，相当于询问所有这些网络并取平均。
"""

from itertools import product

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

# %%
# Sixteen networks
# ----------------
# Four hidden neurons, each kept with probability 1/2: 2⁴ = 16 networks. Inverted dropout divides what is kept by 1/2 while
# training, so that in use nothing has to be scaled. The mean of the 16 outputs is then exactly that of the whole network, as long
# as nothing bent comes after the dropped layer.

torch.manual_seed(0)
hidden, weight = torch.rand(4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
outputs = torch.stack([(hidden * torch.tensor(mask) / 0.5) @ weight for mask in product((0.0, 1.0), repeat=4)])
difference = (outputs.mean() - hidden @ weight).abs().item()

# %%
# torch's own layer does the same: what is kept is doubled, and in use it changes nothing.

layer = nn.Dropout(0.5)
ones = torch.ones(100_000)
dropped = layer.train()(ones)
kept_value, mean = dropped.max().item(), dropped.mean().item()
untouched = layer.eval()(ones).eq(ones).float().mean().item()

# %%
# Too few examples
# ----------------
# 24 noisy points of a curve, and 200 ReLUs, enough to follow every point. The ReLUs' bends are spread over the axis and fixed; the
# 200 weights behind them are learnt, without dropout and with. The error is measured against the curve itself.


def truth(x: Tensor) -> Tensor:
    """The curve behind the points."""
    return torch.sin(3 * x)


x = torch.linspace(-1, 1, 24)[:, None]
y = truth(x) + 0.5 * torch.randn(24, 1)
fine = torch.linspace(-1, 1, 300)[:, None]
bends = nn.Linear(1, 200)
with torch.no_grad():
    side = torch.where(torch.rand(200) < 0.5, -1.0, 1.0)
    bends.weight[:, 0], bends.bias[:] = side, side * torch.rand(200) * 2 - side
bends.requires_grad_(False)


def train(drop: float) -> nn.Sequential:
    """A trained network."""
    net = nn.Sequential(bends, nn.ReLU(), nn.Dropout(drop), nn.Linear(200, 1))
    nn.init.zeros_(net[3].weight)
    optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 0.01)
    for _ in range(2000):
        optimiser.zero_grad()
        (net(x) - y).square().mean().backward()
        optimiser.step()
    return net


nets = {"without dropout": train(0.0), "with dropout 0.3": train(0.3)}


@torch.no_grad()
def error(net: nn.Module, at: Tensor, want: Tensor) -> float:
    """Mean squared error in use, all neurons on."""
    return (net.eval()(at) - want).square().mean().item()


on_points = {name: error(net, x, y) for name, net in nets.items()}
on_curve = {name: error(net, fine, truth(fine)) for name, net in nets.items()}

# %%
# The picture
# -----------
# Thin: 30 of the 2²⁰⁰ networks. Thick: the whole network, close to their mean.

figure, panels = plt.subplots(1, 3, figsize=(12.5, 4), width_ratios=(0.9, 1.2, 1.2))
panels[0].bar(range(16), sorted(outputs.tolist()), color="C0")
panels[0].axhline(outputs.mean().item(), color="C1", label="their mean = the whole network")
panels[0].set(title="The outputs of 16 networks", xticks=[], xlabel="which of four neurons are kept")
panels[0].legend(loc="upper left")
panels[0].set_ylim(-4.6, 3.2)
for panel, (name, net) in zip(panels[1:], nets.items(), strict=True):
    with torch.no_grad():
        if name.startswith("with d"):
            for _ in range(30):
                keep = torch.rand(200) < 0.7
                panel.plot(fine, net[3](net[1](net[0](fine)) * keep / 0.7), color="C0", lw=0.5, alpha=0.4)
        panel.plot(fine, net.eval()(fine), color="C1", lw=2.5, label="all neurons on")
    panel.plot(fine, truth(fine), "k--", lw=1.2, label="truth")
    panel.plot(x, y, "ko", ms=4)
    panel.set(title=f"{name}: error {on_curve[name]:.3f}", ylim=(-2.2, 2.2))
panels[1].legend()

numbers = {
    "mean_of_16_minus_whole": difference, "kept_value": kept_value, "mean": mean, "untouched_in_use": untouched,
    "points_without": on_points["without dropout"], "points_with": on_points["with dropout 0.3"],
    "curve_without": on_curve["without dropout"], "curve_with": on_curve["with dropout 0.3"],
}  # fmt: skip
