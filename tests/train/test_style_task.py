"""Training a style network: its costs, that a moved picture is asked for, that it learns and goes on, and what a run leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from mien.data import drawn
from mien.data.pictures import write_picture
from mien.models import vgg_features
from mien.models.style_net import StyleNet, StyleNorm
from mien.models.stylizer import load
from mien.models.vgg_features import VGGFeatures
from mien.nn.flow import sample
from mien.nn.style import content_cost, mean_gram, style_cost, total_variation
from mien.runtime import choose
from mien.train import fit
from mien.train.style import StyleTask, half, movement, patch, sized, tensor
from mien.train.style_recipe import StyleRecipe
from mien.train.style_session import learn_styles, style_pictures

LAYERS = {"relu1_2": 1.0, "relu2_1": 3.0}
TINY = StyleRecipe(
    "style-net", ".", {"widths": [4, 6, 8], "blocks": 1}, patch=64, style_side=64, content={"relu2_1": 1.0}, layers=LAYERS, dev=1,
    optimiser="muon", lr=0.02, bias_lr=0.5, momentum=0.9, schedule="cosine", epochs=0.01, inputs="none",
)  # fmt: skip
CPU = choose("cpu", "fp32")


@pytest.fixture(autouse=True)
def _small_vgg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg_features, "load", small_vgg)
    monkeypatch.setitem(drawn.DRAWN, "waves", lambda: drawn.waves(32))


def small_vgg() -> VGGFeatures:
    torch.manual_seed(1)
    return VGGFeatures(widths=(4, 6), depths=(2, 1)).eval().requires_grad_(False)


def photo(seed: int, height: int = 70, width: int = 90) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height // 10, width // 10, 3), np.uint8)
    return noise.repeat(10, 0).repeat(10, 1)


def stripes(period: int) -> np.ndarray:
    y, _ = np.mgrid[:64, :64]
    return np.where((y % period < period // 2)[..., None], [200, 40, 30], [20, 60, 160]).astype(np.uint8)


def task(recipe: StyleRecipe = TINY, count: int = 2) -> StyleTask:
    styles = {f"stripes {period}": stripes(period) for period in (4, 12, 20)[:count]}
    torch.manual_seed(0)
    return StyleTask(recipe, StyleNet(count, (4, 6, 8), 1), styles, [photo(seed) for seed in range(3)], [photo(9)])


def test_costs_are_those_of_the_floor_below_over_their_units() -> None:
    mine, recipe = task(), TINY
    photos, vgg = torch.cat([patch(photo(seed), 64, 0, 0, 64) for seed in (4, 5)]), small_vgg()
    x, which = mine.in_all_styles(photos)
    made = mine.net(x, which).detach()
    found = mine.costs(Fabric(accelerator="cpu"), photos, made, 1, np.random.default_rng(0))
    content, style = [], []
    unit = torch.stack([content_cost(torch.zeros(()), vgg(half(patch(photo(seed), 64, 0.5, 0.5, 70)), ["relu2_1"])["relu2_1"])
                        for seed in range(3)]).mean()  # fmt: skip
    for number, one in enumerate(made):
        seen, truth = (vgg(half(some[None]), LAYERS) for some in (one, photos[number // 2]))
        content.append(content_cost(seen["relu2_1"], truth["relu2_1"]) / unit)
        wanted = vgg(half(sized(tensor(stripes((4, 12)[number % 2])), 64)), LAYERS)
        for layer, weight in LAYERS.items():
            gram = mean_gram(wanted[layer])
            style.append(weight / 4 * style_cost(mean_gram(seen[layer]), gram) / style_cost(torch.zeros_like(gram), gram))
    assert float(found["content"]) == pytest.approx(float(torch.cat(content).mean()), rel=1e-4)
    assert float(found["style"]) == pytest.approx(recipe.style_weight * float(torch.cat(style).sum()) / 4, rel=1e-4)
    assert float(found["variation"]) == pytest.approx(recipe.variation * float(total_variation(made).mean()), rel=1e-5)


def test_a_picture_that_has_its_own_style_and_content_costs_nothing() -> None:
    style = stripes(8)
    torch.manual_seed(0)
    mine = StyleTask(TINY, StyleNet(1, (4, 6, 8), 1), {"a": style}, [photo(0)])
    x = tensor(style)
    found = mine.costs(Fabric(accelerator="cpu"), x, x, 1, np.random.default_rng(0))
    assert float(found["content"] + found["style"]) == pytest.approx(0, abs=1e-9)


def test_strengths_weigh_styles() -> None:
    photos, random = tensor(photo(0)[:64, :64]), np.random.default_rng
    costs = {}
    for strengths in ((1.0, 0.0), (0.0, 1.0), (2.0, 5.0)):
        mine = task(replace(TINY, styles=("a", "b"), strengths=strengths))
        made = mine.net(*mine.in_all_styles(photos)).detach()
        costs[strengths] = float(mine.costs(Fabric(accelerator="cpu"), photos, made, 0, random(0))["style"])
    assert costs[2.0, 5.0] == pytest.approx(2 * costs[1.0, 0.0] + 5 * costs[0.0, 1.0], rel=1e-5)


def test_a_network_that_moves_with_its_picture_is_steady_and_one_that_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.train.style.NOISE", 0.0)
    mine, x = task(), patch(photo(1), 64, 0, 0, 64)
    ways: dict[str, Callable[..., torch.Tensor]] = {"pixels": lambda x, _: 1 - x, "place": lambda x, _: x * torch.linspace(0, 1, 64)}
    found = {}
    for name, way in ways.items():
        mine.net.forward = way  # pyright: ignore[reportAttributeAccessIssue]
        found[name] = float(mine.unsteady(Fabric(accelerator="cpu"), x, torch.ones(1, 1), way(x, None), np.random.default_rng(3)))
    assert found["pixels"] == pytest.approx(0, abs=1e-9)
    assert found["place"] > 1e-4


def test_movement_is_smooth_and_far() -> None:
    field = movement(2, 64, np.random.default_rng(0))
    assert field.shape == (2, 2, 64, 64)
    assert float(field.abs().max()) > 4
    assert float((field[..., 1:] - field[..., :-1]).abs().max()) < 1.5
    moved = sample(torch.arange(64.0).expand(2, 1, 64, 64), field)
    assert moved.shape == (2, 1, 64, 64)


def test_it_learns_and_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, recipe = task(replace(TINY, average=0.9)), replace(TINY, average=0.9)
    before = whole.evaluate()["score"]
    fit(whole, tmp_path / "whole", steps=16, runtime=CPU)
    assert whole.evaluate()["score"] > before
    first, second = task(recipe), task(recipe)
    fit(first, tmp_path / "parts", steps=16, runtime=CPU, on_event=_stop_after(7))
    fit(second, tmp_path / "parts", steps=16, runtime=CPU)
    for one, other in zip(whole.result.parameters(), second.result.parameters(), strict=True):
        assert torch.equal(one, other)


def _stop_after(step: int) -> Callable[..., None]:
    import signal

    def told(event: object) -> None:
        if getattr(event, "kind", "") == "step" and getattr(event, "step", 0) == step:
            signal.raise_signal(signal.SIGINT)

    return told


def test_styles_alone_learn_where_that_is_asked(tmp_path: Path) -> None:
    mine = task(replace(TINY, learnt="styles"))
    before = {name: value.clone() for name, value in mine.net.state_dict().items()}
    fit(mine, tmp_path, steps=3, runtime=CPU)
    changed = {name for name, value in mine.net.state_dict().items() if not torch.equal(value, before[name])}
    norms = [name for name, module in mine.net.named_modules() if isinstance(module, StyleNorm)]
    assert changed == {"end.weight", "end.bias", *(f"{name}.{part}" for name in norms for part in ("gamma", "beta"))}


def test_a_run_from_a_folder_and_one_from_that(tmp_path: Path) -> None:
    for seed in range(3):
        write_picture(tmp_path / "data" / "photos" / f"{seed}.png", photo(seed))
    write_picture(tmp_path / "data" / "stripes.png", stripes(8))
    recipe = replace(TINY, parts=("photos",), styles=("red=stripes.png", "waves"), epochs=0.002)
    found = learn_styles(recipe, tmp_path / "data", tmp_path / "run", runtime=CPU)
    assert (found.styles, found.steps, found.pictures) == (("red", "waves"), 2, {"train": 2, "dev": 1})
    assert set(found.costs) == {"content", "style", "variation"}
    assert 'kind = "stylizer"' in (tmp_path / "run" / "card.toml").read_text()
    assert (tmp_path / "run" / "preview.jpg").is_file()
    net, plan = load(tmp_path / "run" / "model.safetensors")
    assert (plan.network, plan.styles) == ("style-net", ("red", "waves"))
    assert net(torch.rand(1, 3, 32, 32), torch.eye(2)[:1]).shape == (1, 3, 32, 32)
    own = replace(recipe, styles=(), style=str(tmp_path / "data" / "stripes.png"), start=str(tmp_path / "run"), learnt="styles")
    again = learn_styles(own, tmp_path / "data", tmp_path / "own", runtime=CPU)
    assert again.styles == ("stripes",)
    kept, _ = load(tmp_path / "own" / "model.safetensors")
    name = "body.0.first.conv.weight"
    assert torch.equal(kept.state_dict()[name], net.state_dict()[name])
    with pytest.raises(ValueError, match="holds a run already"):
        learn_styles(own, tmp_path / "data", tmp_path / "own", runtime=CPU)


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no style to learn: --set style=PICTURE"):
        style_pictures(TINY, tmp_path)
    with pytest.raises(ValueError, match=r"no style picture monet\.jpg: expected a file"):
        style_pictures(replace(TINY, style="monet.jpg"), tmp_path)
    with pytest.raises(ValueError, match="have one name"):
        style_pictures(replace(TINY, styles=("waves", "a=waves"), style="a=waves"), tmp_path)
    with pytest.raises(ValueError, match="no photograph has 128 pixels a side"):
        task(replace(TINY, patch=128))
    with pytest.raises(ValueError, match="strengths"):
        replace(TINY, styles=("waves", "glass"), strengths=(1.0,))
    with pytest.raises(ValueError, match="patch"):
        replace(TINY, patch=100)


def test_drawn_pictures_are_the_same_every_time_and_none_is_another() -> None:
    pictures = {name: draw(32) for name, draw in (("waves", drawn.waves), ("glass", drawn.glass))}
    assert set(pictures) == set(drawn.DRAWN)
    for name, picture in pictures.items():
        assert picture.shape == (32, 32, 3)
        assert np.array_equal(picture, getattr(drawn, name)(32))
        assert picture.std() > 40  # light and dark
    assert not np.array_equal(pictures["waves"], pictures["glass"])


def test_nearest_and_second_nearest_points_are_those_of_a_sorted_list() -> None:
    random = np.random.default_rng(0)
    points, (x, y) = random.random((20, 2)), drawn.places(16)
    first, second, which = drawn.nearest(points, x, y)
    every = np.sort(np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1]), -1)
    np.testing.assert_allclose((first, second), np.moveaxis(every[..., :2], -1, 0))
    np.testing.assert_allclose(np.hypot(*(points[which] - np.stack([x, y], -1)).transpose(2, 0, 1)), first)
