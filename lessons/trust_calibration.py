"""
Are the probabilities true?
===========================

A network says "90 %". Is it right nine times in ten? Trained until it knows its examples by heart, it is far too sure. One number
mends it: dividing all logits by a temperature, found on data it has not learnt from, changes no answer but makes the probabilities
honest.

**概率可信吗**：网络说“90%”时，十次里真有九次正确吗？如果训练到把样本都背了下来，它就会过分自信。一个数就能纠正：
用没有参与训练的数据求出一个温度，把所有 logits 除以它。答案不变，概率却变得可信。
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.data.partition import partition
from mien.metrics.classification import calibration_error
from mien.models.mlp import mlp

# %%
# A network that learns by heart
# ------------------------------
# Photographs of CIFAR-10 at 8 x 8 pixels. 2000 to learn from, 4000 to find the temperature, 4000 for the test.

examples = read_examples(data_folder("cifar10"), "test")
x = avg_pool2d(torch.tensor(examples.images).permute(0, 3, 1, 2) / 255, 4).flatten(1)
x, y = (x - x.mean(0)) / x.std(0), torch.tensor(examples.labels)
train, dev, test = (torch.tensor(part) for part in partition(examples.labels, (0.2, 0.4, 0.4), 0))

torch.manual_seed(0)
net = mlp(192, 200, 10)
optimiser = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
for _ in range(25):
    for batch in train[torch.randperm(len(train))].split(50):
        optimiser.zero_grad()
        cross_entropy(net(x[batch]), y[batch]).backward()
        optimiser.step()
with torch.no_grad():
    logits = net(x)
right_on_train = (logits[train].argmax(1) == y[train]).float().mean().item()

# %%
# The temperature
# ---------------
# The one number T for which the softmax of logits / T has the lowest cross-entropy on the dev part (Guo et al. 2017). The loss has a
# single minimum in 1 / T, so bisection on its slope finds it.


def slope(scale: Tensor) -> float:
    """Derivative of the dev part's loss by 1 / T."""
    scale = scale.requires_grad_()
    return torch.autograd.grad(cross_entropy(logits[dev] * scale, y[dev]), scale)[0].item()


low, high = 0.01, 2.0
for _ in range(40):
    middle = (low + high) / 2
    low, high = (middle, high) if slope(torch.tensor(middle)) < 0 else (low, middle)
temperature = 1 / low

# %%
# Before and after, on the test part
# ----------------------------------

chances = {"as trained": logits[test].softmax(1), f"divided by {temperature:.2f}": (logits[test] / temperature).softmax(1)}
labels = y[test].numpy()
error = [calibration_error(labels, each.numpy()) for each in chances.values()]
losses = [cross_entropy(logits[test] / t, y[test]).item() for t in (1, temperature)]
right = (logits[test].argmax(1) == y[test]).float().mean().item()
changed = (chances["as trained"].argmax(1) != logits[test].argmax(1)).sum().item()

# %%
# Each bar is how often the answers of that sureness were right; on the dashed line sureness and truth agree. The red part is how
# much too sure the network is.

figure, panels = plt.subplots(1, 3, figsize=(13, 4.2))
edges = np.linspace(0, 1, 11)
for panel, (name, each), wrong in zip(panels, chances.items(), error, strict=False):
    sure, hit = each.amax(1).numpy(), (each.argmax(1) == y[test]).numpy()
    group = np.clip((sure * 10).astype(int), 0, 9)
    for k in range(10):
        inside = group == k
        if inside.sum() >= 10:
            claimed, was = sure[inside].mean(), hit[inside].mean()
            panel.bar(edges[k] + 0.05, was, 0.092, color="C0")
            panel.bar(edges[k] + 0.05, claimed - was, 0.092, was, color="C3", alpha=0.35)
            panel.text(edges[k] + 0.05, 0.012, f"{inside.sum()}", ha="center", fontsize=8, color="white")
    panel.plot([0, 1], [0, 1], color="black", ls="--", lw=1)
    panel.set(title=f"{name}: calibration error {100 * wrong:.1f} %", xlabel="it says", ylabel="it is right", xlim=(0, 1), ylim=(0, 1))
scales = np.logspace(-0.3, 1.2, 60)
panels[2].plot(scales, [cross_entropy(logits[dev] / t, y[dev]).item() for t in scales])
panels[2].axvline(temperature, color="C3", ls=":")
panels[2].axvline(1, color="C5", ls=":")
panels[2].text(0.97, 3.2, "as trained", color="C5", ha="right")
panels[2].text(temperature * 1.04, 3.2, f"T = {temperature:.2f}", color="C3")
panels[2].set(xscale="log", ylim=(1.6, 3.5), title="Cross-entropy on the dev part", xlabel="temperature", xticks=[1, 2, 5, 10],
              xticklabels=["1", "2", "5", "10"])  # fmt: skip
panels[2].minorticks_off()

numbers = {
    "right_on_train": right_on_train, "right_on_test": right, "temperature": temperature, "answers_changed": changed,
    "error_before": error[0], "error_after": error[1], "loss_before": losses[0], "loss_after": losses[1],
}  # fmt: skip
