"""
One dimension: heart beats
==========================

Convolution needs no picture. A signal in time has one axis; the window slides along it. 14 samples and a kernel of 5 give 10
numbers. Can a small network of such layers tell a ventricular beat, which starts in the wrong place of the heart, from a normal
one?

**一维卷积：心跳**：卷积不一定需要图片。时间信号只有一个轴，窗口沿着它滑动：14 个采样点配上大小为 5 的卷积核，得到 10 个数。
由这种层组成的小网络，能否把起搏位置不对的室性早搏与正常心跳区分开？
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn.functional import conv1d, cross_entropy

from mien.data.folder import data_folder
from mien.data.signals import Beats, beats, read_record
from mien.models.signal import signal_net

# %%
# Fourteen samples
# ----------------
# Around the peak of one beat, every sixth sample; the kernel -1 -1 4 -1 -1 answers to a spike and not to a slope.

record = {name: read_record(data_folder("ecg") / name) for name in ("100", "208")}
cut = {name: beats(each, 90, 126) for name, each in record.items()}
fourteen = torch.tensor(cut["208"].signals[10, 48:132:6])
kernel = torch.tensor([-1.0, -1, 4, -1, -1]) / 4
ten = conv1d(fourteen[None, None], kernel[None, None])[0, 0]

# %%
# The beats
# ---------
# Two half-hour recordings of the MIT-BIH database, 360 samples a second. The network learns from the first two thirds of record 208
# and is asked about the last third, and about record 100, a person it has never seen. That is only two people: a real test needs
# many.


def tensors(found: Beats) -> tuple[torch.Tensor, torch.Tensor]:
    """Normal and ventricular beats: (N, 1, 108) every second sample, each less its median; (N,) 1 for ventricular."""
    chosen = np.isin(found.symbols, ("N", "V"))
    x = found.signals[chosen, ::2]
    return torch.tensor(x - np.median(x, axis=1, keepdims=True))[:, None], torch.tensor(found.symbols[chosen] == "V").long()


x, y = tensors(cut["208"])
border = len(x) * 2 // 3

# %%
# A small network
# ---------------

torch.manual_seed(0)
net = signal_net(classes=2, widths=(8, 16, 16))
optimiser = torch.optim.Adam(net.parameters(), 3e-3)
for _ in range(6):
    for batch in torch.randperm(border).split(32):
        optimiser.zero_grad()
        cross_entropy(net(x[batch]), y[batch]).backward()
        optimiser.step()


@torch.no_grad()
def answers(x: torch.Tensor) -> torch.Tensor:
    """(N,) probability that a beat is ventricular."""
    return net(x).softmax(1)[:, 1]


later, later_y = answers(x[border:]), y[border:]
other_x, other_y = tensors(cut["100"])
other = answers(other_x)
right = ((later > 0.5) == later_y.bool()).float().mean().item()

# %%

figure = plt.figure(figsize=(12.5, 6.4))
grid = figure.add_gridspec(2, 3)
one, two, three = (figure.add_subplot(grid[0, k]) for k in range(3))
one.plot(range(14), fourteen, "o-", label="14 samples")
one.plot(range(2, 12), ten, "s-", label="kernel of 5:\n10 numbers")
one.set(title="A convolution in one dimension", xlabel="sample", ylabel="mV")
one.legend(loc="upper left", fontsize=8)
milliseconds = (np.arange(108) - 45) * 2000 / 360
for label, colour, name in ((0, "C0", "normal"), (1, "C3", "ventricular")):
    for beat in x[:border][y[:border] == label][:60, 0]:
        two.plot(milliseconds, beat, color=colour, alpha=0.15, lw=0.8)
    two.plot([], [], color=colour, label=name)
two.set(title="Record 208: 60 beats of each kind", xlabel="ms from the peak", ylabel="mV")
two.legend()
for each in net[0].weight.detach()[:, 0]:
    three.plot(each)
three.set(title="What the first layer has learnt: 8 kernels", xlabel="tap", xticks=range(5))
strip = figure.add_subplot(grid[1, :])
part = slice(600_000, 600_000 + 16 * 360)
strip.plot(np.arange(16 * 360) / 360, record["208"].signals[part, 0], color="C5", lw=1)
known = np.isin(cut["208"].symbols, ("N", "V"))
answered = dict(zip(cut["208"].places[known][border:].tolist(), later.tolist(), strict=True))
for place, truth in zip(cut["208"].places.tolist(), cut["208"].symbols.tolist(), strict=True):
    if part.start + 50 < place < part.stop - 50:
        second = (place - part.start) / 360
        strip.text(second, -2.2, truth, ha="center", color="C5")
        if place in answered:
            answer, colour = ("V", "C3") if answered[place] > 0.5 else ("N", "C0")
            strip.text(second, 2.6, f"{answer}\n{answered[place]:.2f}", color=colour, ha="center", fontsize=9)
strip.set(title="Sixteen seconds it has not learnt from. Above: its answer, probability of V. Below: the annotators' (F: left out)",
          xlabel="seconds", ylabel="mV", ylim=(-2.5, 3.6), xlim=(0, 16))  # fmt: skip

numbers = {
    "samples_behind_the_first_layer": len(ten), "parameters": sum(p.numel() for p in net.parameters()),
    "beats_learnt_from": border, "right_later": right, "always_normal_would_be": (later_y == 0).float().mean().item(),
    "ventricular_found": (later[later_y == 1] > 0.5).float().mean().item(),
    "false_alarms_on_the_other_person": (other[other_y == 0] > 0.5).float().mean().item(),
}  # fmt: skip
