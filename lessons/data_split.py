"""
Training, development and test set
==================================

Why three parts, and not two? The network learns from the first; on the second, its settings are chosen. The more settings are tried
on it, the more the best one owes to luck. What is true of data never looked at, only the third part tells, and only once.

**训练集、开发集与测试集**：为什么要分成三份，而不是两份？网络从第一份学习，在第二份上挑选设置。试过的设置越多，其中最好的那
个就越多地归功于运气。模型对从未见过的数据究竟如何，只有第三份能说明，而且只能用一次。
"""

import matplotlib.pyplot as plt
import numpy as np

from mien.data.partition import partition

# %%
# How large
# ---------
# With few examples 60/20/20 was usual. With a million, 1 % is 10,000 examples, which tell accuracies apart to about half a
# percent; the rest is better spent on learning. The library's split is exact, keeps the shares of every class, and is the same
# every time.

labels = np.arange(1_000_000) % 10
small = [len(part) for part in partition(labels[:1000], (0.6, 0.2, 0.2), 0)]
train, dev, test = partition(labels, (0.98, 0.01, 0.01), 0)
overlap = len(np.intersect1d(train, dev)) + len(np.intersect1d(train, test)) + len(np.intersect1d(dev, test))

# %%
# Luck
# ----
# The answers here are coin tosses, so nothing can be learnt and every model is right half the time. 500 models, each another random
# projection of 20 features, are compared on a dev set of 100. The best looks well above chance; on the test set it is what it is.

rng = np.random.default_rng(0)


def best_of(models: int, repeats: int = 400) -> tuple[float, float]:
    """Mean accuracy on dev and on test of the model that is best on dev, both of 100 examples."""
    scores = []
    for _ in range(repeats):
        x, y = rng.standard_normal((200, 20)), rng.integers(0, 2, 200)
        right = (x @ rng.standard_normal((20, models)) > 0) == y[:, None]
        on_dev, on_test = right[:100].mean(0), right[100:].mean(0)
        scores.append((on_dev.max(), on_test[on_dev.argmax()]))
    return tuple(np.mean(scores, axis=0).tolist())


TRIED = (1, 2, 5, 10, 20, 50, 100, 200, 500)
curve = np.array([best_of(models) for models in TRIED])

# %%
# How sure is a score? For n examples and accuracy p its standard error is √(p (1 - p) / n).

sizes = np.logspace(2, 5, 50)
error = np.sqrt(0.95 * 0.05 / sizes)

# %%

figure, (shares, luck, sure) = plt.subplots(1, 3, figsize=(12.5, 3.9), width_ratios=(0.9, 1.2, 1))
for name, parts in {"1,000\nexamples": small, "1,000,000\nexamples": [len(train), len(dev), len(test)]}.items():
    bottom = 0.0
    for part, colour, what in zip(parts, ("C0", "C1", "C2"), ("train", "dev", "test"), strict=True):
        share = part / sum(parts)
        shares.bar(name, share, 0.6, bottom, color=colour)
        shares.text(name, bottom + share / 2, f"{what} {part:,}", ha="center", va="center", color="white") if share > 0.1 else None
        bottom += share
shares.annotate("dev and test\n10,000 each", (1, 0.99), (1, 1.1), ha="center", fontsize=9)
shares.set(title="Shares", yticks=[], ylim=(0, 1.25))
luck.plot(TRIED, 100 * curve[:, 0], "o-", color="C1", label="on dev, where it was chosen")
luck.plot(TRIED, 100 * curve[:, 1], "o-", color="C2", label="on test")
luck.set(xscale="log", title="The best of many models that know nothing", xlabel="models tried", ylabel="accuracy %", ylim=(45, 70))
luck.legend(loc="upper left")
sure.fill_between(sizes, 95 - 196 * error, 95 + 196 * error, alpha=0.3)
sure.axhline(95, color="C0")
sure.set(xscale="log", title="A score of 95 %, and two standard errors", xlabel="examples in the test set", ylabel="accuracy %")

numbers = {
    "train": float(len(train)), "dev": float(len(dev)), "test": float(len(test)), "overlap": float(overlap),
    "dev_of_1000": float(small[1]),
    "best_of_500_on_dev": float(curve[-1, 0]), "the_same_on_test": float(curve[-1, 1]),
    "error_of_10000": float(np.sqrt(0.95 * 0.05 / 10_000)),
}  # fmt: skip
