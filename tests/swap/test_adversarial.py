"""The judge in a swap's training: when it joins, that it teaches, that it is kept, and what happens when it goes wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from drawn_people import drawn_faces
from lightning_fabric import Fabric
from torch import Tensor

from mien.faces.align import window
from mien.faces.describe import chips
from mien.models.swap import SwapNet
from mien.runtime import choose
from mien.tasks.swap.adversarial import AdversarialSwapTask, face_of
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.recognised import Recogniser, chip_places
from mien.tasks.swap.training import Recipe
from mien.train import Event, Every, fit
from mien.weights import find

TERMS = Adversary(identity=0.0, widths=(4, 8, 8), faces=4, begin=0.0, ramp=2)
RECIPE = Recipe(network="tiny", batch=4, rate=3e-3, encoder_rate=3e-3, average=0.9)
RUNTIME = choose("cpu", "fp32")


def task(terms: Adversary = TERMS, seed: int = 0) -> AdversarialSwapTask:
    torch.manual_seed(seed)
    crops = {"a": drawn_faces(1), "b": drawn_faces(2)}
    return AdversarialSwapTask(SwapNet(["a", "b"], "tiny"), crops, replace(RECIPE, adversary=terms))


def ready(one: AdversarialSwapTask) -> Fabric:
    fabric = Fabric(accelerator="cpu", devices=1)
    one.setup(fabric, RUNTIME)
    return fabric


def weights(one: AdversarialSwapTask) -> dict[str, Tensor]:
    parts = {"net": one.net, "ema": one.ema.module, "judge": one.judging.judge}
    return {f"{part}.{name}": value.clone() for part, net in parts.items() for name, value in net.state_dict().items()}


def test_it_joins_when_restoring_gets_no_better_or_when_it_is_late() -> None:
    one = task(replace(TERMS, begin=0.6, patience=2))
    fabric = ready(one)
    one.share, one.scores = 0.3, [0.5, 0.6, 0.7]
    assert "judging" not in one.step(fabric, 0)
    one.scores += [0.7, 0.7005]
    assert "judging" in one.step(fabric, 1)
    assert one.began == 1
    late = task(replace(TERMS, begin=0.6))
    fabric = ready(late)
    late.share = 0.6
    assert "judging" in late.step(fabric, 4)
    assert late.began == 4


def test_until_then_it_is_the_same_training() -> None:
    from mien.tasks.swap.training import SwapTask

    torch.manual_seed(0)
    plain = SwapTask(SwapNet(["a", "b"], "tiny"), {"a": drawn_faces(1), "b": drawn_faces(2)}, RECIPE)
    waiting = task(replace(TERMS, begin=1.0))
    fabric = ready(waiting)
    plain.setup(fabric, RUNTIME)
    for index in range(3):
        plain.step(fabric, index)
        waiting.step(fabric, index)
    assert all(torch.equal(value, waiting.net.state_dict()[name]) for name, value in plain.net.state_dict().items())


def test_every_loss_is_switched_off_by_its_weight() -> None:
    nothing = replace(TERMS, adversarial=0.0, features=0.0, penalty=0.0, swapped=0)
    with_judge, without = task(nothing), task(replace(TERMS, begin=1.0))
    for index in range(3):
        for one in (with_judge, without):
            one.step(ready(one) if index == 0 else Fabric(accelerator="cpu", devices=1), index)
    assert all(torch.equal(value, without.net.state_dict()[name]) for name, value in with_judge.net.state_dict().items())
    told = with_judge.step(Fabric(accelerator="cpu", devices=1), 3)
    assert {"judging", "adversarial", "features"} <= set(told)
    assert "penalty" not in told


@pytest.mark.parametrize("name", ["adversarial", "features"])
def test_each_loss_teaches_the_network(name: str) -> None:
    changed = []
    for weight in (0.0, 5.0):
        one = task(replace(TERMS, ramp=0, **{"adversarial": 0.0, "features": 0.0, name: weight}))
        one.step(ready(one), 0)
        changed.append(one.net.decoders["a"].get_parameter("out.0.weight").detach().clone())
    assert not torch.allclose(*changed, atol=1e-5)


def test_the_judge_learns_and_restoring_goes_on(tmp_path: Path) -> None:
    one = task(replace(TERMS, begin=0.4))
    fitted = fit(one, tmp_path, steps=120, runtime=RUNTIME, evaluate=Every(steps=40), tensorboard=False)
    scores = [entry["score"] for entry in fitted.history]
    assert 0 < one.began <= 48
    assert scores[-1] > scores[0]
    assert scores[-1] > 0.55
    assert one.detours == 0
    assert not one.without


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    """Once before the judge joins, once after."""
    class KilledError(Exception):
        pass

    def killing(at: int) -> Callable[[Event], None]:
        def kill(event: Event) -> None:
            if event.kind == "step" and event.step == at:
                raise KilledError
        return kill

    how = {"steps": 12, "runtime": RUNTIME, "save": Every(steps=3), "evaluate": Every(steps=3), "tensorboard": False}
    terms = replace(TERMS, begin=0.5)
    whole = task(terms)
    fit(whole, tmp_path / "whole", **how)
    for seed, at in ((1, 5), (2, 11)):
        with pytest.raises(KilledError):
            fit(task(terms, seed=0 if seed == 1 else seed), tmp_path / "parts", **how, on_event=killing(at))
    last = task(terms, seed=3)
    fit(last, tmp_path / "parts", **how)
    assert last.began == whole.began == 6
    assert last.state()["adversary"] == whole.state()["adversary"]
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(last).items())


def test_faces_driven_away_are_trouble_once_and_then_it_goes_on_without() -> None:
    one = task(replace(TERMS, adversarial=0.0, features=0.0, swapped=0))
    fabric = ready(one)
    one.step(fabric, 0)
    one.error_before, one.error = 0.5, 50.0
    one.step(fabric, 100)
    assert "error is" in one.trouble
    one.step(fabric, 60)  # `fit` went back
    assert one.detours == 1
    assert not one.trouble
    assert not one.without
    one.error = 50.0
    assert "judging" in one.step(fabric, 200)
    assert not one.trouble
    assert one.without
    assert "judging" not in one.step(fabric, 201)


def test_there_from_the_first_step_it_measures_itself_by_that_step(tmp_path: Path) -> None:
    one = task(replace(TERMS, begin=0.0))
    fit(one, tmp_path / "run", steps=2, runtime=choose("cpu", "fp32"))
    assert one.began == 0
    assert one.error_before > 0


def test_a_loss_that_is_not_a_number_goes_back_to_before(tmp_path: Path) -> None:
    one = task()

    def spoil(event: Event) -> None:
        if event.kind == "step" and event.step == 5 and not one.detours:
            with torch.no_grad():
                one.judging.judge.out.get_parameter("bias").fill_(float("nan"))

    fitted = fit(one, tmp_path, steps=8, runtime=RUNTIME, save=Every(steps=2), tensorboard=False, on_event=spoil)
    assert fitted.steps == 8
    assert one.detours == 1
    assert all(bool(value.isfinite().all()) for value in weights(one).values())


def test_only_faces_are_judged() -> None:
    """Background weighs 26, face 102, eyes and mouth 255."""
    weight = torch.tensor([26.0, 64.0, 102.0, 255.0]).reshape(1, 1, 1, 4) / 255
    assert face_of(weight).flatten().tolist() == pytest.approx([0, 0.5, 1, 1], abs=1e-6)


@pytest.mark.skipif(find("mien-face") is None, reason="no mien-face weights here")
def test_a_window_is_cut_as_the_describer_cuts_a_picture() -> None:
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0)), 128, mode="bicubic")
    picture = (picture.clamp(0, 1) * 255).round()
    expected = chips(picture[0].permute(1, 2, 0).byte().numpy(), window(128)[None], 96)
    found = torch.nn.functional.grid_sample(picture / 255, chip_places(128, 96)[None], align_corners=False)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)
    x = torch.rand(2, 3, 128, 128, requires_grad=True)
    Recogniser(128)(x).sum().backward()
    assert x.grad is not None
    assert bool(x.grad.any())


@pytest.mark.skipif(find("mien-face") is None, reason="no mien-face weights here")
def test_identity_is_learnt_from_swapped_faces() -> None:
    one = task(replace(TERMS, identity=1.0))
    told = one.step(ready(one), 0)
    assert 0 <= float(told["identity"]) <= 2
    assert one.vectors.shape == (2, 128)
