"""A swap's training with a judge: what is restored must also pass for a real face, and what is swapped for the other person.

Restoration alone draws what is right on average, which is soft. A patch discriminator (`mien.models.patch_judge`) joins once that no
longer gets better. It sees faces alone, on grey, so that backgrounds, which are never pasted, teach nobody; it judges restored faces
and swapped ones. The judge, its optimiser, when it began and what was watched since are in every checkpoint.

Two things end it: the judge wins or faces become alike (`mien.train.gan_watch`), or the restoration's error grows beyond `WORSE` times
what it was. Then the training goes back to the last checkpoint and on with half the weights; if it happens again, without a judge.
"""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.faces.align import COVER
from mien.faces.mask import FACE, OUTSIDE
from mien.metrics.perceptual import feature_distance
from mien.models import vgg_features
from mien.models.swap import SwapNet
from mien.nn.adversary import only, ramp, unlikeness
from mien.nn.augment import centre
from mien.progress import say
from mien.runtime import Runtime
from mien.tasks.swap.judging import Judging
from mien.tasks.swap.recognised import Recogniser
from mien.tasks.swap.training import Recipe, SwapTask, restoration
from mien.train.gan_watch import Watch
from mien.train.watch import plateau

PERCEPTUAL = ("relu1_2", "relu2_2")
"""Layers of VGG16: edges and texture."""
WORSE = 1.5
"""How many times the error when the judge came is too much,"""
SETTLED = 0.95
"""as a running mean that keeps so much of itself at a step,"""
PATIENT = 50
"""after so many steps."""
LOOKED_AT = 16
"""Held-out faces a person, of which is seen whether they become alike."""


def face_of(weight: Tensor) -> Tensor:
    """(B, 1, S, S) how much a pixel counts -> 1 on the face, 0 off it, and between at its edge."""
    return ((weight * 255 - OUTSIDE) / (FACE - OUTSIDE)).clamp(0, 1)


class AdversarialSwapTask(SwapTask):
    """As `SwapTask`, with the losses of `recipe.adversary` from some step on."""

    advice = "train without --adversary"

    def __init__(self, net: SwapNet, crops: dict[str, Tensor], recipe: Recipe, learn: list[str] | None = None,
                 title: str = "preview of a face swap") -> None:
        """RuntimeError where VGG16 is wanted (`perceptual`) and cannot be had."""
        super().__init__(net, crops, recipe, learn, title)
        assert recipe.adversary is not None
        self.terms = terms = recipe.adversary
        self.judging = Judging(terms)
        self.swaps = terms.swapped if len(self.learn) > 1 else 0
        self.features = vgg_features.load() if terms.perceptual else None
        self.recogniser = Recogniser(net.size) if terms.identity and self.swaps else None
        self.vectors = torch.empty(0)
        self.began, self.error, self.error_before = -1, 0.0, 0.0
        self.scores: list[float] = []
        self.detours, self.without, self._last = 0, False, -1
        shown = [self._straight(self.held[p][:LOOKED_AT])[:, :3] for p in self.learn]
        self._whose = torch.repeat_interleave(torch.arange(len(shown)), torch.tensor([len(one) for one in shown]))
        self.watch = Watch(torch.cat(shown), bounded=True, labels=self._whose)

    def modules(self) -> dict[str, nn.Module]:
        """Network and judge."""
        return {"net": self.net, "judge": self.judging.judge}

    def optimizers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self.optimizer, "judge": self.judging.optimizer}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """The frozen networks go along; who everybody is, is computed once."""
        super().setup(fabric, runtime)
        if self.features is not None:
            self.features.to(fabric.device)
        if self.recogniser is not None:
            self.recogniser.to(fabric.device)
            with torch.no_grad():
                self.vectors = torch.stack([self.recogniser(self._straight(self.seen[p][:64])[:, :3].to(fabric.device)).mean(0)
                                            for p in self.learn])  # fmt: skip

    def _straight(self, crops: Tensor) -> Tensor:
        """(B, 4, H, W) uint8 -> (B, 4, S, S) in 0..1, nothing moved."""
        return centre(crops, self.net.size, COVER)

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """Restoration, and from `began` on the judge's step and what is learnt from it."""
        if index <= self._last:  # rolled back
            self.detours, self.began = self.detours + 1, min(self.began, index)
            self.watch.forget()
            self.error = self.error_before
        self._last, self.trouble = index, ""
        self._begin(index)
        made, target, weight = self.drawn(fabric)
        loss, told = restoration(made, target, weight, self.recipe.structure)
        keep = SETTLED if self.error else 0.0
        self.error = keep * self.error + (1 - keep) * float(told["error"])
        if self.began >= 0 and not self.error_before:  # the judge was there from the first step
            self.error_before = self.error
        if self.began >= 0 and not self.without:
            more, also = self._against(fabric, index - self.began, made, target, face_of(weight))
            loss, told = loss + more, told | also
            self._look_after(index)
        self.descend(fabric, loss, self.recipe.clip)
        return told

    def _begin(self, index: int) -> None:
        terms = self.terms
        if self.began >= 0:
            return
        flat = plateau(self.scores, terms.patience, terms.least_gain)
        if flat or self.share >= terms.begin:
            self.began, self.error_before = index, self.error
            why = "restoring gets no better" if flat else f"{self.share:.0%} of the training is done"
            say(f"the judge joins at step {index}: {why}")

    def _against(self, fabric: Fabric, since: int, made: Tensor, target: Tensor,
                 face: Tensor) -> tuple[Tensor, dict[str, float | Tensor]]:  # fmt: skip
        """One step of the judge; then the losses that its better self, and the frozen networks, give."""
        terms, people, batch = self.terms, range(len(self.learn)), self.recipe.batch
        which = torch.cat([k * batch + torch.arange(min(terms.faces, batch)) for k in people])
        real, mine = only(target[which], face[which]), only(made[which], face[which])
        swapped, whose = self._swapped(fabric)
        shown = torch.cat([mine, swapped[0]]) if self.swaps else mine
        told = self.judging.learn(fabric, since, self.share, real, shown.detach())
        self.watch.judged(float(told["judging"]))
        losses = self.judging.deceiving(fabric, shown, real)
        if self.features is not None:
            with fabric.autocast():
                losses["perceptual"] = feature_distance(mine, real, self.features, PERCEPTUAL).mean()
        if self.recogniser is not None:
            losses["identity"] = unlikeness(self.recogniser(swapped[1]), self.vectors[whose])
        factor = ramp(since, terms.ramp) / 2**self.detours
        total = sum((factor * getattr(terms, name) * value for name, value in losses.items()), torch.zeros((), device=made.device))
        return total, told | {name: value.detach() for name, value in losses.items()}

    def _swapped(self, fabric: Fabric) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Faces of others drawn as each person: on grey as the judge sees them and whole, (B, 3, S, S) both, and as whom (B,)."""
        if not self.swaps:
            return (torch.empty(0), torch.empty(0)), torch.empty(0)
        crops, count = [], len(self.learn)
        for k in range(count):
            other = (k + int(torch.randint(1, count, (1,), generator=self.rng))) % count
            seen = self.seen[self.learn[other]]
            crops.append(seen[torch.randint(len(seen), (self.swaps,), generator=self.rng)])
        shown = self._straight(torch.cat(crops).to(fabric.device))
        with fabric.autocast():
            codes = self.net.code(shown[:, :3].contiguous(memory_format=torch.channels_last)).chunk(count)
            drawn = torch.cat([self.net.decoders[p](code) for p, code in zip(self.learn, codes, strict=True)]).float()
        return (only(drawn, face_of(shown[:, 3:])), drawn), torch.arange(count).repeat_interleave(self.swaps)

    def _look_after(self, index: int) -> None:
        """Is it still well? The first time it is not, `trouble` makes `fit` go back; the second time the judge is left out."""
        found = self.watch.trouble(index)
        if not found and index - self.began > PATIENT and self.error > WORSE * self.error_before:
            found = f"the judge drives faces away: their error is {self.error / self.error_before:.1f} times what it was"
        if found and self.detours:
            self.without = True
            say(f"{found}; the training goes on without the judge")
        elif found:
            self.trouble = found

    def evaluate(self) -> dict[str, float]:
        """As without a judge; the scores until it joins decide when, and faces are looked at for being alike."""
        found = super().evaluate()
        if self.began < 0:
            self.scores.append(found["score"])
        drawn = [self._draw(self._straight(self.held[p][:LOOKED_AT])[:, :3], p) for p in self.learn]
        found["spread"] = self.watch.look(torch.cat(drawn), self._whose)
        self.doubted = self.watch.doubt and not self.without
        return found

    def state(self) -> dict[str, Any]:
        """When the judge joined, and what was seen since."""
        kept = {name: getattr(self, name) for name in ("began", "error", "error_before", "scores", "detours", "without")}
        return {**super().state(), "adversary": {**kept, "last": self._last, "watch": self.watch.state()}}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on there."""
        super().load_state(state)
        kept = dict(state["adversary"])
        self._last = kept.pop("last")
        self.watch.load_state(kept.pop("watch"))
        for name, value in kept.items():
            setattr(self, name, value)
