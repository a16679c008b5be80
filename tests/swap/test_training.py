from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_people import drawn_faces
from torch import Tensor

from mien.models.swap import SwapNet
from mien.provenance.report import verify
from mien.runtime import choose
from mien.tasks.swap.training import Recipe, SwapTask, decay, split
from mien.train import Event, Every, fit

RECIPE = Recipe(network="tiny", batch=4, rate=3e-3, encoder_rate=3e-3, average=0.9)


def task(seed: int = 0, recipe: Recipe = RECIPE, learn: list[str] | None = None) -> SwapTask:
    torch.manual_seed(seed)
    return SwapTask(SwapNet(["a", "b"], "tiny"), {"a": drawn_faces(1), "b": drawn_faces(2)}, recipe, learn)


def weights(one: SwapTask) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in one.ema.module.state_dict().items()}


def test_the_last_tenth_is_held_out() -> None:
    seen, held = split(torch.arange(30).reshape(30, 1, 1, 1))
    assert (len(seen), len(held)) == (27, 3)
    assert held.flatten().tolist() == [27, 28, 29]
    few = torch.arange(4)
    assert split(few)[0] is few


def test_training_learns_and_a_swap_draws_the_other_person(tmp_path: Path) -> None:
    one = task()
    fitted = fit(one, tmp_path, steps=150, runtime=choose("cpu", "fp32"), evaluate=Every(steps=50), tensorboard=False)
    scores = [entry["score"] for entry in fitted.history]
    assert scores[-1] > scores[0] + 0.05
    assert scores[-1] > 0.6
    colour_a, colour_b = (drawn_faces(s)[0, :3, 20, 14].float() / 255 for s in (1, 2))
    faces = one.held["a"][:, :3, 4:36, 4:36].float() / 255
    swapped = one.ema.module(faces, "b")[:, :, 16, 10].mean(0).detach()
    assert (swapped - colour_b).norm() < 0.5 * (swapped - colour_a).norm()


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(event: Event) -> None:
        if event.kind == "step" and event.step == 7:
            raise KilledError

    whole, first, second = task(), task(), task(seed=1)
    runtime, save = choose("cpu", "fp32"), Every(steps=5)
    fit(whole, tmp_path / "whole", steps=9, runtime=runtime, save=save, tensorboard=False)
    with pytest.raises(KilledError):
        fit(first, tmp_path / "parts", steps=9, runtime=runtime, save=save, tensorboard=False, on_event=kill)
    fit(second, tmp_path / "parts", steps=9, runtime=runtime, save=save, tensorboard=False)
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(second).items())


def test_the_learning_rate_falls_in_the_last_three_fifths() -> None:
    assert [round(decay(share), 4) for share in (0, 0.4, 0.7, 1)] == [1, 1, 0.525, 0.05]


def test_who_is_not_learnt_stays_as_it_is(tmp_path: Path) -> None:
    one = task(recipe=replace(RECIPE, encoder_rate=0.0), learn=["b"])
    before = {name: value.clone() for name, value in one.net.state_dict().items()}
    fit(one, tmp_path, steps=3, runtime=choose("cpu", "fp32"), tensorboard=False)
    changed = {name for name, value in one.net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("decoders.b.") for name in changed)


def test_the_preview_is_signed(tmp_path: Path) -> None:
    fit(task(), tmp_path, steps=1, runtime=choose("cpu", "fp32"), tensorboard=False)
    report = verify(tmp_path / "preview.jpg")
    assert report.signed
    assert report.intact


def test_every_step_gives_finite_figures() -> None:
    from lightning_fabric import Fabric

    one, fabric = task(), Fabric(accelerator="cpu", devices=1)
    one.setup(fabric, choose("cpu", "fp32"))
    values = one.step(fabric, 0)
    assert set(values) == {"loss", "error", "structure"}
    assert all(np.isfinite(float(v)) for v in values.values())
