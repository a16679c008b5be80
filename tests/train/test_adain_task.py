"""The training of a decoder for any style: its losses by hand, what steps show, the run folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from mien.data.pictures import write_picture
from mien.models.adain import LAYER
from mien.models.stylizer import load
from mien.models.vgg_features import VGGFeatures
from mien.nn.style import adain
from mien.runtime import Runtime
from mien.train.adain import SIZES, AdaINTask, recoloured
from mien.train.adain_recipe import AdaINRecipe
from mien.train.adain_session import learn_adain
from mien.train.textures import texture

CPU = Runtime(torch.device("cpu"), "fp32", True, 1, "for a test")
SMALL = AdaINRecipe("adain", ".", side=32, batch=2, contents=3, looks=3, dev=2, epochs=2, optimiser="muon", lr=0.02, bias_lr=0.1,
                    momentum=0.95, average=0.9, inputs="none")  # fmt: skip


def small(_: bool = False) -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(widths=(8, 8, 8, 8, 8)).eval().requires_grad_(False)


def photos(count: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(count)]


def task(recipe: AdaINRecipe = SMALL) -> AdaINTask:
    made = AdaINTask(recipe, photos(), photos(1), photos(2), small())
    made.setup(Fabric(accelerator="cpu", devices=1), CPU)
    return made


def test_losses_are_equations_12_and_13():
    one = task()
    contents, styles = [one.content(0), one.content(1)], [one.look(0), one.look(1)]
    made, losses = one.losses(contents, styles, CPU.device)
    vgg = small()
    pictures = [torch.cat([seen.pixels for seen in some]).float() / 255 for some in (contents, styles)]
    content, style = (vgg(x, list(SIZES)[:4]) for x in pictures)
    again = vgg(made, list(SIZES)[:4])
    wanted = adain(content[LAYER], style[LAYER])
    expected = ((again[LAYER] - wanted) / SIZES[LAYER]).square().mean()
    torch.testing.assert_close(losses["content"], expected, rtol=1e-2, atol=1e-6)  # what is kept has half precision
    moments = 0.0
    for layer in list(SIZES)[:4]:
        for part in (lambda maps: maps.mean((2, 3)), lambda maps: (maps.var((2, 3), correction=0) + 1e-5).sqrt()):
            moments += float(((part(again[layer]) - part(style[layer])) / SIZES[layer]).square().mean().detach())
    assert float(losses["style"].detach()) == pytest.approx(moments, rel=1e-3)


def test_a_step_is_a_function_of_seed_and_number_and_learns_every_parameter():
    first, second = task(), task()
    for one in (first, second):
        one.share = 0.5
        shown = one.step(Fabric(accelerator="cpu", devices=1), 4)
        assert set(shown) == {"loss", "content", "style", "pixels"}
    for a, b in zip(first.net.parameters(), second.net.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in first.net.parameters())
    assert not any(p.requires_grad for p in first.features.parameters())


def test_it_learns_in_half_precision() -> None:
    """Where the processor computes in bf16 that is what training takes."""
    one, fabric = task(), Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    one.share = 0.5
    assert torch.isfinite(torch.as_tensor(one.step(fabric, 4)["loss"]))


def test_decoding_is_learnt_first_and_from_pixels():
    one, fabric = task(replace(SMALL, contents=2, lr=0.005, first=0.9)), Fabric(accelerator="cpu", devices=1)
    losses = [float(one.step(fabric, number)["loss"]) for number in range(30)]
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) / 1.5


@pytest.mark.parametrize("seed", range(8))
def test_textures_and_other_colours(seed: int):
    made = texture(np.random.default_rng(seed), 48)
    assert (made.shape, made.dtype) == ((48, 48, 3), np.uint8)
    np.testing.assert_array_equal(made, texture(np.random.default_rng(seed), 48))
    assert made.std() > 1
    assert recoloured(made, np.random.default_rng(seed)).shape == made.shape


def test_a_run_folder_holds_a_network_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mien.models.vgg_features.load", small)
    for number, image in enumerate(photos(5)):
        write_picture(tmp_path / "data" / "photos" / f"{number}.png", image)
    write_picture(tmp_path / "data" / "painting.png", photos(1)[0])
    recipe = replace(SMALL, parts=("photos",), styles=("painting.png",))
    learned = learn_adain(recipe, tmp_path / "data", tmp_path / "run", runtime=CPU)
    assert (learned.steps, learned.pictures) == (3, {"train": 3, "dev": 2, "styles": 1})
    assert set(learned.costs) == {"content", "style"}
    net, plan = load(tmp_path / "run" / "model.safetensors")
    assert (plan.network, plan.styles) == ("adain", ())
    assert sum(p.numel() for p in net.parameters()) == learned.parameters
    assert (tmp_path / "run" / "preview.jpg").is_file()
    assert 'kind = "stylizer"' in (tmp_path / "run" / "card.toml").read_text()
    with pytest.raises(ValueError, match="holds a run"):
        learn_adain(recipe, tmp_path / "data", tmp_path / "run", runtime=CPU)
    on = replace(recipe, start=str(tmp_path / "run"), first=0.0, lr=1e-9)
    learn_adain(on, tmp_path / "data", tmp_path / "on", runtime=CPU)
    after, _ = load(tmp_path / "on" / "model.safetensors")
    for name, value in net.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, msg=name)
    with pytest.raises(ValueError, match=r"start=nowhere: no model file"):
        learn_adain(replace(on, start="nowhere"), tmp_path / "data", tmp_path / "none", runtime=CPU)
    with pytest.raises(ValueError, match="expected a network for any style, found StyleNet"):
        learn_adain(replace(on, start="mien-style"), tmp_path / "data", tmp_path / "none", runtime=CPU)


@pytest.mark.parametrize(("setting", "value"), [("side", 40), ("shares", (0, 0, 0)), ("own", 1.5), ("dev", 0), ("first", 1.0)])
def test_settings_that_cannot_be(setting: str, value: object):
    with pytest.raises(ValueError, match=f"{setting} cannot be"):
        replace(SMALL, **{setting: value})
