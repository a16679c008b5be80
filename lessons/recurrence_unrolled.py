"""
Recurrence: the same layer at every moment
==========================================

How can a network read a sequence of any length? It keeps a state and updates it at every moment by the same layer: h_t is made from
x_t and h_(t-1). Unrolled in time it is a deep network whose layers share their weights. Here one learns to count.

**循环：每一时刻都用同一层**：网络怎样读取任意长度的序列？它保存一个状态，并在每一时刻用同一层更新它：h_t 由 x_t 和 h_(t-1) 得出。
按时间展开，它就是一个各层共享权重的深层网络。这里让一个循环网络学会计数。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from mien.models.recurrent import PlainCell, Recurrent

# %%
# Three moments by hand
# ---------------------
# h_t = tanh(W x_t + b + U h_(t-1) + c), from a state of zeros. The library's module does the same.

torch.manual_seed(0)
net = Recurrent(PlainCell(2, 4))
(w, b), (u, c) = ([*layer.parameters()] for layer in (net.cell.from_input, net.cell.from_hidden))
x = torch.randn(1, 3, 2)
h1 = torch.tanh(w @ x[0, 0] + b + c)
h2 = torch.tanh(w @ x[0, 1] + b + u @ h1 + c)
h3 = torch.tanh(w @ x[0, 2] + b + u @ h2 + c)
difference = (torch.stack([h1, h2, h3]) - net(x)[0]).abs().max().item()

# %%
# Backpropagation through time
# ----------------------------
# U takes part at every moment, so its gradient is a sum over moments. At each, the part that goes on to the past is multiplied by
# (1 - h²), the slope of tanh, and by Uᵀ.

(by_autograd,) = torch.autograd.grad(net(x)[0, 2].sum(), u)
back, by_hand = torch.ones(4), torch.zeros(4, 4)
for h, before in ((h3, h2), (h2, h1), (h1, torch.zeros(4))):
    back = back * (1 - h**2)
    by_hand = by_hand + torch.outer(back, before)
    back = u.T @ back
gradient_difference = (by_hand - by_autograd).abs().max().item()

# %%
# Learning to count
# -----------------
# Twelve bits; after each, how many ones were there so far? A network without memory sees only the last bit and can do no better
# than the usual count at that moment.


def bits(count: int, length: int) -> tuple[Tensor, Tensor]:
    """(count, length, 1) zeros and ones, and (count, length) how many ones so far."""
    drawn = torch.randint(0, 2, (count, length)).float()
    return drawn[..., None], drawn.cumsum(1)


counter = nn.Sequential(Recurrent(PlainCell(1, 16)), nn.Linear(16, 1))
optimiser = torch.optim.Adam(counter.parameters(), 0.01)
losses = []
for _ in range(500):
    drawn, ones = bits(32, 12)
    loss = mse_loss(counter(drawn)[..., 0], ones)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())

with torch.no_grad():
    drawn, ones = bits(1000, 30)
    right = ((counter(drawn)[..., 0] - ones).abs() < 0.5).float().mean(0)
    states, counts = counter[0](drawn), counter(drawn)[..., 0]
within, at_30 = right[:12].mean().item(), right[29].item()
moment = torch.arange(1, 13)
without_memory = ((moment - 1) / 4).mean().item()

# %%
# The best guess without memory is x_t + (t - 1) / 2, whose squared error is the variance of t - 1 coin tosses, (t - 1) / 4; its
# mean over twelve moments is 1.375. Beyond twelve the counter fails: tanh ends at 1, and there is no room for numbers it was never
# shown.

figure, (counting, inside, curve) = plt.subplots(1, 3, figsize=(13, 4), width_ratios=(1.3, 1, 1))
example = int(((counts - ones)[:, :12].abs().amax(1) < 0.5).nonzero()[0, 0])
counting.step(range(1, 31), ones[example], where="mid", color="C5", label="ones so far")
counting.plot(range(1, 31), counts[example], "o-", ms=4, label="the network says")
counting.axvspan(12.5, 30.5, color="C3", alpha=0.08)
counting.text(21.5, 0.5, "longer than it\nwas trained on", color="C3", ha="center")
for place, bit in enumerate(drawn[example, :, 0].int().tolist()):
    counting.text(place + 1, -2, str(bit), ha="center", color="C0" if bit else "C5", fontsize=8)
counting.set(title="Counting ones", xlabel="moment; below the curve: the bits it reads", ylim=(-3, 19))
counting.legend(loc="upper left")
shade = inside.imshow(states[example, :, :].T.numpy(), aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1, extent=(0.5, 30.5, 16.5, 0.5))
inside.axvline(12.5, color="black", lw=1)
inside.set(title="Its state: 16 numbers", xlabel="moment", ylabel="hidden unit")
figure.colorbar(shade, ax=inside)
curve.plot(losses)
curve.axhline(without_memory, color="C5", ls="--", lw=1)
curve.text(500, without_memory * 1.1, "the best without memory", color="C5", ha="right")
curve.set(yscale="log", title="Squared error while it learns", xlabel="step")

numbers = {
    "by_hand_minus_module": difference, "gradient_by_hand_minus_autograd": gradient_difference,
    "squared_error": sum(losses[-20:]) / 20, "squared_error_without_memory": without_memory,
    "right_within_twelve": within, "right_at_thirty": at_30,
}  # fmt: skip
