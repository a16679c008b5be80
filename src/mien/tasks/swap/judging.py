"""A judge beside a training of swaps: its own steps, and what the network that draws learns from it."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import AdamW

from mien.models.patch_judge import PatchJudge
from mien.nn.adversary import feature_matching
from mien.nn.gan import LOSSES, r1
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.training import decay


class Judging:
    """`learn` before `deceiving`: the network that draws meets the better judge."""

    def __init__(self, terms: Adversary) -> None:
        self.terms = terms
        self.judge = PatchJudge(widths=terms.widths, norm=terms.norm)
        self.optimizer = AdamW(self.judge.parameters(), terms.rate, terms.betas, weight_decay=0.0, fused=True)

    def learn(self, fabric: Fabric, since: int, share: float, real: Tensor, made: Tensor) -> dict[str, float | Tensor]:
        """One step on real faces and faces made, (B, 3, S, S) in 0..1; `since`: steps before, `share` of the training that is done."""
        terms = self.terms
        for group in self.optimizer.param_groups:
            group["lr"] = terms.rate * decay(share)
        with fabric.autocast():
            scores = self.judge(torch.cat([real, made])).scores.float()
        loss = total = LOSSES[terms.game].judge(scores[:len(real)], scores[len(real):])
        told: dict[str, float | Tensor] = {"judging": loss.detach()}
        if terms.penalty and since % terms.penalty_every == 0:
            with torch.autocast(fabric.device.type, enabled=False):  # gradients of gradients lose too much otherwise
                steep = r1(self.judge.score, real)
            told["penalty"] = steep.detach()
            total = loss + terms.penalty / 2 * terms.penalty_every * steep
        self.optimizer.zero_grad()
        fabric.backward(total)
        self.optimizer.step()
        return told

    def deceiving(self, fabric: Fabric, shown: Tensor, real: Tensor) -> dict[str, Tensor]:
        """How far what is shown is from deceiving the judge, and how differently it sees the first of them and what they should be."""
        self.judge.requires_grad_(False)  # it has learnt already: its gradients are not computed
        with fabric.autocast():
            seen = self.judge(shown)
            with torch.no_grad():
                wanted = self.judge(real).features
        self.judge.requires_grad_(True)
        mine = tuple(one[:len(real)] for one in seen.features)
        return {"adversarial": LOSSES[self.terms.game].generator(seen.scores.float()), "features": feature_matching(mine, wanted)}
