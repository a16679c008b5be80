"""
Gated memory
============

Why does a plain recurrent network forget? At each moment its state goes through a layer and a tanh, and what was there before
fades, like a gradient in a deep network. An LSTM adds to its memory instead, and a gate says how much of it stays. So it can be
told to remember.

**门控记忆**：普通循环网络为什么会遗忘？它的状态每一时刻都要经过一层变换和 tanh，先前的内容逐渐消失，就像深层网络中的梯度一样。
LSTM 则是往记忆里做加法，由门决定保留多少，因此可以让它记住。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.models.recurrent import LSTMCell

HIDDEN = 16

# %%
# The cells
# ---------
# The library's cells are written out (`mien.models.recurrent`); torch's, used below, compute the same and are faster on long
# sequences.

torch.manual_seed(0)
cell, of_torch = LSTMCell(1, HIDDEN), nn.LSTMCell(1, HIDDEN)
for own, other in zip(cell.parameters(), (of_torch.weight_ih, of_torch.bias_ih, of_torch.weight_hh, of_torch.bias_hh), strict=True):
    own.data.copy_(other.data)
x, state = torch.randn(5, 1), (torch.randn(5, HIDDEN), torch.randn(5, HIDDEN))
difference = (cell(x, state)[0] - of_torch(x, state)[0]).abs().max().item()


def memory(kind: str, open_gates: bool) -> nn.RNN | nn.GRU | nn.LSTM:
    """A recurrent layer; `open_gates`: it starts by keeping sigmoid(4) = 0.982 of its memory at each moment."""
    layer = {"plain": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}[kind](1, HIDDEN, batch_first=True)
    if open_gates and kind != "plain":
        layer.bias_ih_l0.data[HIDDEN : 2 * HIDDEN] = 4.0  # the forget gate of an LSTM, the update gate of a GRU
    if open_gates and kind == "LSTM":
        layer.bias_ih_l0.data[:HIDDEN] = -1.0  # the input gate: noise shall not fill the memory
    return layer


# %%
# How far back does it see?
# -------------------------
# The gradient of the last state by each earlier input, before any training. The plain network's falls a hundredfold within ten
# moments. An open gate alone keeps 0.982^40 = 0.48 of it over forty. The open LSTM's even grows, since its output feeds the memory
# again.

kinds = {"plain": ("plain", False), "LSTM": ("LSTM", False), "LSTM, gates open": ("LSTM", True), "GRU, gates open": ("GRU", True)}
reach = {}
for name, (kind, open_gates) in kinds.items():
    torch.manual_seed(1)
    x = (torch.randn(64, 80, 1) * 0.3).requires_grad_()
    memory(kind, open_gates)(x)[0][:, -1].sum().backward()
    slope = x.grad[..., 0].abs().mean(0).flip(0)
    reach[name] = slope / slope[:3].max()

# %%
# Remember the first
# ------------------
# A sequence begins with 1 or -1; then comes noise. At the end: which was it? 150 steps of training for each length.


def sequences(count: int, length: int) -> tuple[Tensor, Tensor]:
    """(count, length, 1), and (count,) whether it began with 1."""
    began = torch.randint(0, 2, (count,))
    x = torch.randn(count, length, 1) * 0.3
    x[:, 0, 0] = began * 2.0 - 1
    return x, began


def recalled(kind: str, open_gates: bool, length: int) -> float:
    """The share answered right after training."""
    torch.manual_seed(0)
    layer, head = memory(kind, open_gates), nn.Linear(HIDDEN, 2)
    optimiser = torch.optim.Adam([*layer.parameters(), *head.parameters()], 0.01)
    for _ in range(150):
        x, began = sequences(16, length)
        optimiser.zero_grad()
        cross_entropy(head(layer(x)[0][:, -1]), began).backward()
        nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        x, began = sequences(500, length)
        return (head(layer(x)[0][:, -1]).argmax(1) == began).float().mean().item()


LENGTHS = (5, 10, 20, 40, 80)
scores = {name: [recalled(*kind, length) for length in LENGTHS] for name, kind in kinds.items()}

# %%
# Gates alone do not do it: an LSTM that starts with its gates half open keeps half of its memory at each moment, and is no better
# than the plain network. The bias of the forget gate matters (Gers et al. 2000; Tallec and Ollivier 2018).

figure, (back, share) = plt.subplots(1, 2, figsize=(12, 4.2))
for (name, slope), colour, mark in zip(reach.items(), ("C3", "C1", "C0", "C2"), "os^D", strict=True):
    back.plot(range(80), slope, color=colour, label=name)
    share.plot(LENGTHS, [100 * score for score in scores[name]], f"{mark}-", color=colour, label=name)
back.set(yscale="log", ylim=(1e-8, 3), title="Gradient by earlier inputs, before training", xlabel="moments ago", ylabel="share left")
back.legend()
share.axhline(50, color="C5", lw=1, ls="--")
share.set(xscale="log", title="Remembering the first of so many", xlabel="length of the sequence", ylabel="right, %", xticks=LENGTHS,
          xticklabels=[str(length) for length in LENGTHS])  # fmt: skip
share.minorticks_off()
share.legend(loc="center left")

numbers = {
    "cell_minus_torch": difference, "kept_at_each_moment": 1 / (1 + math.exp(-4)), "kept_after_40": (1 / (1 + math.exp(-4))) ** 40,
    "log10_plain_left_after_20": reach["plain"][20].log10().item(),
    "log10_open_gru_left_after_20": reach["GRU, gates open"][20].log10().item(),
    "plain_at_10": scores["plain"][1], "plain_at_80": scores["plain"][4], "lstm_at_80": scores["LSTM"][4],
    "open_lstm_at_80": scores["LSTM, gates open"][4], "open_gru_at_80": scores["GRU, gates open"][4],
}  # fmt: skip
