"""The adversarial task: each loss of its own network, every kind of game, resumed as if never stopped, collapse and NaN undone."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mien.nn.batches import seeded
from mien.nn.gan import LOSSES
from mien.runtime import choose
from mien.tasks.generate import recipes
from mien.train import fit
from mien.train.gan import GANTask
from mien.train.gan_recipe import GANRecipe
from mien.train.gan_watch import LONG, TIMES, Watch, spread
from mien.train.types import Every

CPU = choose("cpu", "fp32")
TINY = GANRecipe("projection", "", {"latent": 3, "width": 8, "blocks": 1}, inputs="none", batch=4, optimiser="adam", lr=1e-3,
                 conditional=True, loss="hinge", judge={"width": 6, "plain": 0, "halvings": 1}, average=0.9, sheets=2)  # fmt: skip
DC = replace(TINY, network="dcgan", conditional=False, options={"latent": 3, "width": 4}, judge={"width": 4}, loss="non-saturating")
GAMES = {
    "minimax": replace(DC, loss="minimax"),
    "clipped": replace(DC, loss="wasserstein", judge_steps=2, clip_judge=0.01),
    "penalty": replace(DC, loss="wasserstein", penalty="gradient", judge={"width": 4, "norm": "none"}),
    "r1": replace(DC, penalty="r1", penalty_every=2, judge={"width": 4, "norm": "spectral"}),
    "least squares": replace(DC, loss="least-squares", clip=1.0),
    "hinge": TINY,
    "changed": replace(DC, augment=("colour", "translation", "cutout"), flip=True),
    "maxout": replace(TINY, network="cgan", options={"latent": 3, "width": 12}, judge={"width": 6, "label": 4}, loss="non-saturating"),
}  # fmt: skip


def task(recipe: GANRecipe = TINY, folder: Path | None = None, side: int = 8) -> GANTask:
    images = np.random.default_rng(0).integers(0, 256, (10, side, side, 3), np.uint8)
    return GANTask(recipe, images, np.arange(10) % 2, ("a", "b"), folder)


class Plain:
    """As much of a Fabric as a step needs."""

    device = torch.device("cpu")

    def autocast(self) -> torch.autocast:
        return torch.autocast("cpu", enabled=False)

    def backward(self, loss: Tensor) -> None:
        loss.backward()


def play(one: GANTask, steps: int = 2) -> list[dict[str, float]]:
    one.runtime = CPU
    return [{name: float(value) for name, value in one.step(Plain(), index).items()} for index in range(steps)]  # pyright: ignore


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("game", GAMES)
def test_every_game_moves_both_networks(game: str) -> None:
    one = task(GAMES[game])
    before = {name: [p.detach().clone() for p in module.parameters()] for name, module in one.modules().items()}
    told = play(one)
    assert all(math.isfinite(value) for values in told for value in values.values())
    for name, module in one.modules().items():
        moved = [not torch.equal(p, old) for p, old in zip(module.parameters(), before[name], strict=True)]
        assert all(moved), name
        assert all(p.requires_grad for p in module.parameters())
    if GAMES[game].clip_judge:
        assert max(float(p.detach().abs().max()) for p in one.judge.parameters()) <= 0.01 + 1e-7
    assert ("penalty" in told[0]) == (GAMES[game].penalty != "none")
    assert ("penalty" in told[1]) == (GAMES[game].penalty != "none" and GAMES[game].penalty_every == 1)


@pytest.mark.parametrize("game", ["hinge", "minimax"])
def test_each_loss_is_of_its_own_network(game: str) -> None:
    """A step by hand: the judge first, on real pictures and made ones, then the generator, by what the better judge says."""
    one, two = task(GAMES[game]), task(GAMES[game])
    losses = LOSSES[one.recipe.loss]
    which, random = two._which(0), seeded(0, 0, 1, 0)
    labels = two.labels[which] if two.labels is not None else None
    for module in two.modules().values():
        module.train()
    made = two.net(torch.randn(4, 3, generator=random), labels)
    real = torch.from_numpy(np.ascontiguousarray(two.train.numpy()[which].transpose(0, 3, 1, 2))) / 127.5 - 1
    if one.together:
        of_real, of_made = two.judge(torch.cat([real, made.detach()]), None if labels is None else labels.repeat(2)).chunk(2)
    else:
        of_real, of_made = two.judge(real, labels), two.judge(made.detach(), labels)
    judging = losses.judge(of_real, of_made)
    wanted = torch.autograd.grad(judging, [*two.judge.parameters()])
    told = play(one, 1)[0]
    assert told["judging"] == pytest.approx(float(judging.detach()), rel=1e-4)
    for p, gradient in zip(one.judge.parameters(), wanted, strict=True):
        assert p.grad is not None
        torch.testing.assert_close(p.grad, gradient, rtol=1e-3, atol=1e-6)
    fresh = task(GAMES[game])
    with torch.no_grad():
        for p, moved in zip(two.judge.parameters(), one.judge.parameters(), strict=True):
            p.copy_(moved)
    loss = losses.generator(two.judge(made, labels))
    assert told["loss"] == pytest.approx(float(loss.detach()), rel=1e-3, abs=1e-4)
    gradients = torch.autograd.grad(loss, [*two.net.parameters()])
    for p, gradient, old in zip(one.net.parameters(), gradients, fresh.net.parameters(), strict=True):
        assert p.grad is not None
        torch.testing.assert_close(p.grad, gradient, rtol=1e-2, atol=1e-3 * float(gradient.abs().max()) + 1e-7)
        assert float((p - old).detach().abs().max()) <= one.recipe.lr * 1.01  # Adam's first step


@pytest.mark.parametrize("game", ["hinge", "maxout", "r1"])
def test_a_run_that_was_stopped_goes_on_as_one_that_was_not(tmp_path: Path, game: str) -> None:
    """Both networks, both averages, both optimisers, the watch, and the sheets."""
    whole, first, second = (task(GAMES[game], tmp_path / name) for name in ("whole", "parts", "parts"))
    fit(whole, tmp_path / "a", steps=7, runtime=CPU, tensorboard=False)
    fit(first, tmp_path / "b", steps=3, runtime=CPU, tensorboard=False)
    fit(second, tmp_path / "b", steps=7, runtime=CPU, tensorboard=False)
    for name, module in whole.modules().items():
        assert same(module, second.modules()[name]), name
        assert same(whole.averages()[name].module, second.averages()[name].module), name
        assert not same(module, first.modules()[name]), name
    assert whole.watch.state() == second.watch.state()
    sheets = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert sheets == [f"step-{step:07}.png" for step in (0, 2, 4, 6)]
    assert all((tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes() for name in sheets)


def test_how_often_it_is_looked_at_changes_nothing(tmp_path: Path) -> None:
    one, two = task(), task()
    fit(one, tmp_path / "a", steps=4, runtime=CPU, tensorboard=False, evaluate=Every(steps=1), save=Every(steps=1))
    fit(two, tmp_path / "b", steps=4, runtime=CPU, tensorboard=False)
    assert all(same(module, two.modules()[name]) for name, module in one.modules().items())


def test_nan_is_undone_in_both_networks(tmp_path: Path) -> None:
    one, events = task(), []
    fit(one, tmp_path, steps=2, runtime=CPU, tensorboard=False)
    before, look, spoilt = [p.detach().clone() for p in one.judge.parameters()], one.judge.forward, []

    def blind(x: Tensor, labels: Tensor | None = None) -> Tensor:
        spoilt.append(0)
        return look(x, labels) * (math.nan if len(spoilt) == 2 else 1)

    one.judge.forward = blind  # pyright: ignore[reportAttributeAccessIssue]
    fit(one, tmp_path, steps=3, runtime=CPU, tensorboard=False, on_event=lambda event: events.append(event.kind))
    assert "rolled back" in events
    assert one.detours == 1
    assert all(bool(torch.isfinite(p).all()) for module in one.modules().values() for p in module.parameters())
    assert not all(torch.equal(a, b) for a, b in zip(before, one.judge.parameters(), strict=True))


def test_collapse_is_said_and_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Samples that are all alike: nothing is saved while that is so, the run goes back, and ends when it happens again."""
    monkeypatch.setattr("mien.train.gan_watch.FIRST", 0)
    one, saved, alike = task(), [], []
    whole = one.samples
    monkeypatch.setattr(one, "samples", lambda: whole()[:1].expand(64, -1, -1, -1) if alike else whole() + 5 * torch.rand(64, 3, 8, 8))
    steps = []

    def told(event) -> None:
        steps.append((event.kind, event.step))
        if event.kind == "saved":
            saved.append(event.step)
        if event.step == 4 and not alike:
            alike.append(1)
        if event.kind == "rolled back":
            alike.clear()
            alike.extend([] if len(saved) else [1])

    fit(one, tmp_path, steps=20, runtime=CPU, tensorboard=False, save=Every(steps=1), evaluate=Every(steps=100), on_event=told)
    back = [step for kind, step in steps if kind == "rolled back"]
    assert len(back) == 1
    assert back[0] <= 5
    assert one.detours == 1
    assert "samples became alike" in capsys.readouterr().err
    again = task()
    again.watch.alive = True
    monkeypatch.setattr(again, "samples", lambda: torch.zeros(64, 3, 8, 8))
    with pytest.raises(RuntimeError, match=r"samples became alike.*watch=no.*second time"):
        fit(again, tmp_path / "again", steps=20, runtime=CPU, tensorboard=False)


def test_a_judge_that_has_won_is_seen() -> None:
    watch = Watch(torch.randn(8, 1, 4, 4), True)
    for _ in range(LONG):
        assert watch.trouble(10_000) == ""
        watch.judged(0.001)
    assert "judge has won" in watch.trouble(10_000)
    watch.judged(0.5)
    assert watch.trouble(10_000) == ""
    critic = Watch(torch.randn(8, 1, 4, 4), False)
    for _ in range(LONG):
        critic.judged(-3.0)
    assert critic.trouble(10_000) == ""


def test_spread_by_hand() -> None:
    """Two pictures of two pixels, 3 and 4 apart: 5 over the root of 2; three, of which two are the same."""
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]]).view(2, 1, 1, 2)
    assert spread(x) == pytest.approx(5 / 2**0.5)
    assert spread(torch.cat([x, x[:1]])) == pytest.approx(2 / 3 * 5 / 2**0.5)
    assert spread(torch.cat([x, x]), torch.tensor([0, 1, 0, 1])) == pytest.approx(0)  # each label has one picture, twice
    assert spread(x, torch.tensor([0, 1])) == pytest.approx(5 / 2**0.5)  # no two of one label: all of them
    watch = Watch(x, True)
    assert watch.look(x) == pytest.approx(1)
    assert not watch.doubt
    for _ in range(TIMES):
        watch.look(x[:1].expand(4, -1, -1, -1))
    assert watch.doubt


def test_batch_statistics_are_of_the_averaged_weights() -> None:
    """After settling, the average draws in use as it does while it learns, on the noise that it was settled with."""
    one = task(replace(DC, average=0.5))
    play(one, 3)
    for ema in one.averages().values():
        ema.update()
    one.settle()
    z = torch.randn(512, 3, generator=seeded(9))
    with torch.no_grad():
        used = one.result(z)
        one.result.train()
        torch.testing.assert_close(used.std(), one.result(z).std(), rtol=0.1, atol=0.01)


def test_what_is_refused() -> None:
    images = np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="found one picture"):
        GANTask(DC, images)
    with pytest.raises(ValueError, match="expected square ones"):
        GANTask(DC, np.zeros((4, 8, 12, 3), np.uint8))
    with pytest.raises(ValueError, match="without labels"):
        GANTask(TINY, np.zeros((4, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="augment cannot be"):
        replace(TINY, augment=("rain",))
    with pytest.raises(ValueError, match="not of 18"):
        task(DC, side=18)


def test_recipes_are_the_papers() -> None:
    wgan, penalty, dcgan = recipes.wgan(), recipes.wgan_gp(), recipes.dcgan()
    assert (wgan.optimiser, wgan.lr, wgan.clip_judge, wgan.judge_steps, wgan.batch) == ("rmsprop", 5e-5, 0.01, 5, 64)
    assert (penalty.lr, penalty.betas, penalty.penalty_weight, penalty.judge_steps) == (1e-4, (0, 0.9), 10, 5)
    assert penalty.judge["norm"] == "none"
    assert (dcgan.lr, dcgan.betas, dcgan.size, dcgan.options, dcgan.judge) == (2e-4, (0.5, 0.999), 64, {}, {})
    assert recipes.gan_minimax().loss == "minimax"
    assert recipes.lsgan().loss == "least-squares"
    assert recipes.projection().judge_steps == 5
    assert recipes.dcgan_cifar10().data == recipes.wgan_gp_cifar10().data == "cifar10"
    assert recipes.cgan().conditional
    assert recipes.cgan_dcgan().conditional
    assert recipes.dcgan_small().augment
