"""
Batch norm
==========

What if every layer could rely on inputs of a known size? Batch norm subtracts, for each neuron, the mean over the batch, divides by
the spread, and lets the network learn a scale and a shift: y = γ (x - μ) / √(σ² + ε) + β. Then it hardly matters how large the
weights are at the start.

**批归一化**：如果每一层的输入大小总是已知的，会怎样？批归一化对每个神经元减去该批的均值，除以标准差，再学习一个缩放和一个平
移：y = γ (x - μ) / √(σ² + ε) + β。这样一来，初始权重取多大就几乎无关紧要了。
"""

import math
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

# %%
# By hand
# -------
# A batch of 1, 2, 3, 4: mean 2.5, variance 1.25, so 1 becomes -1.5 / √1.25 = -1.3416. In training the running mean moves by a tenth
# towards the batch's: 0.9 · 0 + 0.1 · 2.5 = 0.25. The running variance takes the unbiased 5/3: 0.9 · 1 + 0.1 · 5/3 = 1.0667.

norm = nn.BatchNorm1d(1)
batch = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
first = norm(batch)[0].item()
running = norm.running_mean.item(), norm.running_var.item()

# %%
# In use the running numbers are taken, so that the answer for a picture does not depend on the others in its batch.

norm.eval()
alone_minus_together = (norm(batch[:1]) - norm(batch)[:1]).abs().item()

# %%
# A deep network
# --------------
# Two spirals, eight ReLU layers of 32. The weights start at the right size (He et al. 2015), at half of it, or at twice. Each layer
# passes the factor on: without batch norm the signal is 2⁸ = 256 times too small or too large in the end. With batch norm the size
# of the weights drops out.

torch.manual_seed(0)
turn = torch.rand(500) * 2.5 + 0.3
which = torch.arange(500) % 2
angle = 2 * turn + which * torch.pi
x = torch.stack([angle.cos(), angle.sin()], 1) * turn[:, None] + 0.08 * torch.randn(500, 2)
y = which.float()


def deep(normed: bool, scale: float) -> nn.Sequential:
    """2 -> 8 layers of 32 -> 1; the same random weights every time, but for their scale."""
    torch.manual_seed(1)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([2] + [32] * 8):
        layers += [nn.Linear(n_in, n_out, bias=False), *([nn.BatchNorm1d(n_out)] if normed else []), nn.ReLU()]
        nn.init.normal_(layers[-3 if normed else -2].weight, 0, scale * (2 / n_in) ** 0.5)
    return nn.Sequential(*layers, nn.Linear(32, 1))


@torch.no_grad()
def spreads(net: nn.Sequential) -> list[float]:
    """The standard deviation of what leaves each layer."""
    out, signal = [], x
    for layer in net:
        signal = layer(signal)
        if isinstance(layer, nn.ReLU):
            out.append(signal.std(0).mean().item())
    return out


def train(net: nn.Sequential) -> list[float]:
    """The mean loss of each of 40 passes over the points, by plain descent in batches of 100."""
    optimiser, losses = torch.optim.SGD(net.parameters(), 0.05), []
    for _ in range(40):
        total = 0.0
        for chosen in torch.randperm(500).split(100):
            optimiser.zero_grad()
            loss = binary_cross_entropy_with_logits(net(x[chosen])[:, 0], y[chosen])
            loss.backward()
            optimiser.step()
            total += loss.item() / 5
        losses.append(total)
    return losses


SCALES = {0.5: ":", 1.0: "-", 2.0: "--"}
signal = {(normed, scale): spreads(deep(normed, scale)) for normed in (False, True) for scale in SCALES}
losses = {(normed, scale): train(deep(normed, scale)) for normed in (False, True) for scale in SCALES}

# %%
# The picture
# -----------
# Without batch norm one start of three learns, and not well; the small one stands still, and the large one runs off to infinity at
# its first steps.

figure, (left, *rest) = plt.subplots(1, 3, figsize=(12, 4))
for normed, colour, label in ((False, "C3", "without"), (True, "C0", "with batch norm")):
    panel = rest[normed]
    for scale, style in SCALES.items():
        left.plot(range(1, 9), signal[normed, scale], style, color=colour, label=label if scale == 1 else None)
        panel.plot(losses[normed, scale], style, color=colour, label=f"weights x {scale:g}")
    panel.set(title=f"Loss, {label}", xlabel="pass over the points", ylabel="cross-entropy", xlim=(0, 40), ylim=(0, 0.8))
rest[0].text(28, 0.1, "weights x 2: infinite", color="C3", ha="center")
rest[0].legend(loc="lower left")
rest[1].legend(loc="upper right")
left.set(yscale="log", title="Spread of the signal, before training", xlabel="layer")
left.legend(loc="upper left")

numbers = {
    "one_of_1_2_3_4": first, "running_mean": running[0], "running_variance": running[1], "alone_minus_together": alone_minus_together,
    "signal_ratio_without": signal[False, 2.0][-1] / signal[False, 1.0][-1],
    "signal_ratio_with": signal[True, 2.0][-1] / signal[True, 1.0][-1],
    "loss_small_without": losses[False, 0.5][-1], "loss_small_with": losses[True, 0.5][-1],
    "large_without_is_finite": float(math.isfinite(losses[False, 2.0][-1])), "loss_large_with": losses[True, 2.0][-1],
}  # fmt: skip
