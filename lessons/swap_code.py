"""
What the code carries
=====================

A face swap is an accident that happens on purpose: nobody tells the encoder what to write down. What is in the four numbers that it
makes of a face? What do the decoders add to them? And what if each person has an encoder as well as a decoder? Two drawn people, whose
movements are known exactly, answer by measurement.

**编码里有什么**：换脸可以说是一场有意安排的巧合：没有人告诉编码器该记下什么。它从一张脸得出的四个数里有什么？解码器又添上了什么？
如果每个人除了解码器还各有一个编码器，会怎样？两个画出来的人，动作完全已知，用测量来回答。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.data.cartoon import MOVEMENTS, draw, read
from mien.nn.augment import recolour

STEPS, BATCH, CODE, PIXELS = 400, 16, 4, 3 * 32 * 32
drawing = torch.Generator().manual_seed(0)
movements = torch.rand(3, 600, 4, generator=drawing) * 2 - 1
faces = {"a": draw("a", movements[0]), "b": draw("b", movements[1])}
known = movements[2, :200]
looks = {who: draw(who, known) for who in "ab"}

# %%
# One encoder, and two
# --------------------
# Trained alike, on the same pictures: two decoders behind one encoder, and two autoencoders that have nothing to do with each other.


def encoder() -> nn.Sequential:
    """(B, 3, 32, 32) in -0.5..0.5 -> (B, 4)."""
    act = nn.ELU()
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 96), act, nn.Linear(96, 64), act, nn.Linear(64, CODE))


def decoder(mean: Tensor) -> nn.Sequential:
    """(B, 4) -> (B, 3, 32, 32), at first near the mean face (3, 32, 32)."""
    act, last = nn.ELU(), nn.Linear(96, PIXELS)
    last.bias.data.copy_(mean.flatten())
    last.weight.data.mul_(0.3)
    return nn.Sequential(nn.Linear(CODE, 64), act, nn.Linear(64, 96), act, last, nn.Unflatten(1, (3, 32, 32)))


def learn(encoders: list[nn.Sequential]) -> tuple[list[nn.Sequential], list[nn.Sequential]]:
    """Encoders of A and of B, which may be the same, and their decoders, trained to restore each their own."""
    decoders, rng = [decoder(some.mean(0)) for some in faces.values()], torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam({p: None for net in encoders + decoders for p in net.parameters()}, 3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, STEPS)
    for _ in range(STEPS):
        loss = torch.zeros(())
        for some, encode, decode in zip(faces.values(), encoders, decoders, strict=True):
            batch = some[torch.randint(0, len(some), (BATCH,), generator=rng)]
            loss = loss + (decode(encode(recolour(batch, 0.5, rng)[0] - 0.5)) - batch).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return encoders, decoders


torch.manual_seed(0)
shared = encoder()
one, two = learn([shared, shared]), learn([encoder(), encoder()])


@torch.no_grad()
def crossed(nets: tuple[list[nn.Sequential], list[nn.Sequential]]) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (200, 4) of A and of B in the same movements, and A's codes drawn by B's decoder (200, 3, 32, 32)."""
    (code_a, code_b), decoders = [net(looks[who] - 0.5) for net, who in zip(nets[0], "ab", strict=True)], nets[1]
    return code_a, code_b, decoders[1](code_a)


# %%
# A linear probe
# --------------
# The movements, read from the code by the best linear formula. It is fitted to half of A's codes and asked about the other half, then
# about those of B. Behind one encoder it does well on both: raised brows are nearly the same four numbers, whoever raises them. Behind
# two encoders A's formula says nothing of B's codes; R² below 0 is worse than always answering the mean. Who it is, a linear formula
# cannot tell from the one encoder's code any better than a coin.


def fitted(code: Tensor, wanted: Tensor) -> Tensor:
    """Weights (5, n) of least squares, the last row for a constant."""
    return torch.linalg.lstsq(torch.cat([code, torch.ones(len(code), 1)], 1), wanted).solution


def explained(weights: Tensor, code: Tensor, wanted: Tensor) -> float:
    """R² over all columns: 1 is perfect, 0 is the mean."""
    rest = torch.cat([code, torch.ones(len(code), 1)], 1) @ weights - wanted
    return 1 - (rest.square().sum() / (wanted - wanted.mean(0)).square().sum()).item()


found = {}
for name, nets in (("one", one), ("two", two)):
    code_a, code_b, drawn = crossed(nets)
    probe, (shown, _) = fitted(code_a[:100], known[:100]), read(drawn[:60], "b")
    both, whose = torch.cat([code_a, code_b]), torch.arange(400)[:, None] // 200 * 2.0 - 1
    who = fitted(both[::2], whose[::2])
    right = (torch.cat([both[1::2], torch.ones(200, 1)], 1) @ who * whose[1::2] > 0).float().mean().item()
    found[name] = {"probe": explained(probe, code_a[100:], known[100:]), "probe_on_b": explained(probe, code_b[100:], known[100:]),
                   "whose": right, "error": (drawn - looks["b"]).square().mean().item(),
                   "agreement": torch.corrcoef(torch.cat([shown.T, known[:60].T]))[:4, 4:].diag().mean().item()}  # fmt: skip
mean_face_error = (faces["b"].mean(0) - looks["b"]).square().mean().item()

# %%
# What the decoders add
# ---------------------
# One code, drawn by both: the same movements, two people; the mean code gives each at rest. When both draw 200 codes, nearly two
# thirds of the variance of the pixels lie between the decoders, a third between codes, next to nothing is left for both together:
# the face is the decoder's, what it does is the code's.

with torch.no_grad():
    code = crossed(one)[0]
    drawings = torch.stack([net(code) for net in one[1]])
    rest, spread = code.mean(0), code.std(0)
    whole = (drawings - drawings.mean((0, 1))).square().sum()
    by_decoder = ((drawings.mean(1) - drawings.mean((0, 1))).square().sum() * 200 / whole).item()
    by_code = ((drawings.mean(0) - drawings.mean((0, 1))).square().sum() * 2 / whole).item()
    steps = torch.tensor([[-1.5], [0], [1.5]]) * spread
    turned = [net(rest + steps * torch.eye(4)[k]) for k in range(4) for net in one[1]]

figure = plt.figure(figsize=(13, 7))
above, below = figure.subfigures(2, 1, height_ratios=(1, 1.15))
correlation = torch.corrcoef(torch.cat([code.T, known.T]))[:4, 4:]
matrix, *units = above.subplots(1, 5, width_ratios=(1.2, 1, 1, 1, 1))
matrix.imshow(correlation.numpy(), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
matrix.set(title="Correlation with movements", xticks=range(4), yticks=range(4), ylabel="number of the code")
matrix.set_xticklabels([name.split()[0] for name in MOVEMENTS])
for (i, j), value in [((i, j), correlation[i, j].item()) for i in range(4) for j in range(4)]:
    matrix.text(j, i, f"{value:.1f}", ha="center", va="center", color="white" if abs(value) > 0.6 else "black", fontsize=8)
for unit, panel in enumerate(units):
    rows = [torch.cat(list(views), 2) for views in turned[2 * unit:2 * unit + 2]]
    panel.imshow(torch.cat(rows, 1).permute(1, 2, 0).clamp(0, 1).numpy())
    panel.set_title(f"number {unit} of the code,\nless to more")
    panel.axis("off")
lines = ((looks["a"], "A, asked"), (crossed(one)[2], "one encoder"), (crossed(two)[2], "two encoders"), (looks["b"], "as B should be"))
for row, (views, name) in zip(below.subplots(4, 12), lines, strict=True):
    for panel, view in zip(row, views, strict=False):
        panel.imshow(view.permute(1, 2, 0).clamp(0, 1).numpy())
        panel.axis("off")
    row[0].text(-3, 16, name, ha="right", va="center")

numbers = {f"{name}_encoder{'s' * (name == 'two')}_{what}": value for name, some in found.items() for what, value in some.items()} | {
    "mean_face_error": mean_face_error, "variance_by_decoder": by_decoder, "variance_by_code": by_code,
}  # fmt: skip
