"""`mien explain layers`: what excites a unit is what the network itself says, and every patch is exactly what the unit sees."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from mien.cli import main
from mien.models import classifier, vgg_features
from mien.models.vgg_features import VGGFeatures
from mien.nn.explain.dreaming import dream
from mien.nn.explain.field import box, fields, patch
from mien.nn.explain.layers import layers as found_layers
from mien.nn.explain.layers import outputs
from mien.nn.explain.maximise import Ascent
from mien.nn.explain.patches import Answers, answers, peaks
from mien.tasks.explain import sight
from mien.tasks.explain.run import layers
from mien.tasks.explain.sight import chosen, open_sight, resized


def tiny() -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(widths=(4, 6, 8, 8, 8), depths=(1, 2, 1, 1, 1)).eval().requires_grad_(False)


@pytest.fixture
def vgg(monkeypatch: pytest.MonkeyPatch) -> VGGFeatures:
    """What `vgg16-features` opens: a small network with random weights, in which all layers of the page are."""
    net = tiny()
    monkeypatch.setattr(vgg_features, "load", lambda card: net)
    monkeypatch.setattr(sight, "LADDER", "conv1_1,conv2_2,conv3_1")
    return net


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Seven pictures of several sizes, one that is none, and a text."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(7):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6 + i, 3), np.uint8))
        coarse.resize((40 + 10 * i, 44), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    (folder / "7.png").write_bytes(b"none")
    (folder / "notes.txt").write_text("none")
    return folder


def pictures(count: int = 6, sides: tuple[int, ...] = (32, 40)) -> list[Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, 32, sides[i // 2 % len(sides)]), generator=rng, dtype=torch.uint8) for i in range(count)]


def test_answers_are_what_the_network_says_to_each_picture_alone() -> None:
    net, shown = tiny(), pictures()
    names, counted = ("conv1_1", "conv2_2"), []
    told = answers(lambda x: net(x, ["pool5"]), [net.convs[name] for name in names], shown, counted.append)
    assert sum(counted) == len(shown)
    for name, own in zip(names, told, strict=True):
        for i, picture in enumerate(shown):
            maps = net(picture[None].float() / 255, [name])[name][0]
            torch.testing.assert_close(own.values[i], maps.flatten(1).amax(1))
            assert own.shapes[i] == tuple(maps.shape[1:])
            for unit in range(len(maps)):
                best = own.best(unit, len(shown))
                peak = next(one for one in best if one.picture == i)
                assert float(maps[unit][peak.at]) == pytest.approx(peak.activation, rel=1e-5)
                assert [one.activation for one in best] == sorted((one.activation for one in best), reverse=True)


def test_peaks_of_a_stack_are_those_of_its_pictures() -> None:
    net, shown = tiny(), pictures(5, (32,))
    run = lambda x: net(x, ["pool5"])
    alone = answers(run, [net.convs["conv2_1"]], shown)[0]
    assert peaks(run, net.convs["conv2_1"], torch.stack(shown), [4, 1], 3) == [alone.best(4, 3), alone.best(1, 3)]


def test_units_that_tell_pictures_apart_come_first_each_for_another_picture() -> None:
    values = torch.zeros(20, 4)
    values[:, 0] = torch.linspace(0, 1, 20)  # answers to everything a little
    values[3, 1] = 1.0  # to one picture alone
    values[3, 2] = 0.9
    values[8, 3], values[9, 3] = 1.0, 0.9
    own = Answers(values, torch.zeros(20, 4, dtype=torch.long), ((),) * 20)
    first = own.telling(9)
    assert first[0] == 3
    assert set(first[:3]) in ({3, 1, 0}, {3, 2, 0})  # of the two for picture 3 one has to wait
    assert sorted(first) == [0, 1, 2, 3]
    assert own.telling(2) == first[:2]


@pytest.mark.parametrize("at", [(0, 0), (3, 4), (7, 7), (0, 7)])
def test_nothing_outside_a_patch_matters_and_what_is_over_the_edge_is_grey(at: tuple[int, int]) -> None:
    net, name = tiny(), "convs.conv3_1"
    row = fields(net, (3, 32, 32), [name], lambda x: net(x, ["pool5"]))[name]
    top, left, bottom, right = box(row, at)
    x = torch.rand(1, 3, 32, 32)
    other = torch.rand(1, 3, 32, 32)
    inside = (slice(None), slice(None), slice(max(top, 0), bottom), slice(max(left, 0), right))
    other[inside] = x[inside]
    said = [net(one, ["conv3_1"])["conv3_1"][0, :, at[0], at[1]] for one in (x, other)]
    torch.testing.assert_close(*said)
    piece = patch(row, x[0], at)
    assert piece.shape == (3, row.field[0], row.field[1])
    assert bool((piece[:, :max(-top, 0)] == 0.5).all())
    assert torch.equal(piece[:, max(-top, 0):, max(-left, 0):][:, :4, :4], x[0, :, max(top, 0):, max(left, 0):][:, :4, :4])


def test_what_is_dreamt_excites_the_unit_more_than_noise_does() -> None:
    net = tiny()
    run = lambda x: net(x, ["conv4_1"])
    kinds = {one.name: one for one in found_layers(net, run, torch.zeros(1, 3, 64, 64))}
    for name in ("convs.conv3_1", "convs.conv4_1"):
        row, module = fields(net, (3, 64, 64), [name], run)[name], net.get_submodule(name)
        made = dream(run, module, kinds[name], row, (3, 64, 64), [2, 5], Ascent(steps=12, rate=0.2, contrast=2), 64)
        noise = torch.rand(20, 3, *made[0].shape[1:])
        for unit, one in zip((2, 5), made, strict=True):
            said = [outputs(run, [module], x)[0][:, unit].flatten(1).mean(1) for x in (one[None], noise)]
            assert float(said[0]) > float(said[1].max())


def test_the_page_holds_every_picture_and_json_says_what_excites_whom(vgg: VGGFeatures, photos: Path, tmp_path: Path,
                                                                     capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", "layers", "vgg16-features", "--pictures", str(photos), "--out", str(tmp_path / "page"), "--units", "2"]
    assert main([*words, "--size", "48", "--steps", "2", "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert "left out" in said.err
    assert told["looked_at"] == 7
    assert [one["name"] for one in told["layers"]] == ["convs.conv1_1", "convs.conv2_2", "convs.conv3_1"]
    assert [one["receptive_field"] for one in told["layers"]] == [3, 12, 22]
    page = Path(told["page"]).read_text("utf-8")
    assert {"overview.png", "filters.png"} <= {Path(path).name for path in told["pictures"]}
    for path in told["pictures"]:
        assert base64.b64encode(Path(path).read_bytes()).decode() in page
    assert page.count("<img") == len(told["pictures"]) == 2 + 3 * 2
    assert "http" not in page.replace("http-equiv", "")
    first = told["layers"][1]["seen"][0]
    best = first["patches"][0]
    shown = resized(np.asarray(Image.open(photos / best["picture"]).convert("RGB")), 48)
    maps = vgg(shown[None].float() / 255, ["conv2_2"])["conv2_2"][0, first["unit"]]
    assert float(maps.max()) == pytest.approx(best["activation"], rel=1e-4)
    assert best["box"][2] - best["box"][0] == 12


def test_the_filters_of_weights_for_bgr_are_shown_as_rgb(vgg: VGGFeatures, photos: Path, tmp_path: Path) -> None:
    vgg.convs["conv1_1"].weight.zero_()  # pyright: ignore[reportCallIssue]
    vgg.convs["conv1_1"].weight[:, 2] = 1.0  # pyright: ignore[reportIndexIssue] red, where the order is blue, green, red
    layers("vgg16-features", pictures=photos, out=tmp_path / "page", layers="conv1_1", units=1, size=32, most=2, steps=0)
    filters = np.asarray(Image.open(tmp_path / "page" / "filters.png"))
    assert filters[2, 2, :3].tolist() == [255, 128, 128]


def test_a_classifier_looks_at_its_own_kind_of_data(tmp_path: Path) -> None:
    plan = classifier.Plan("lenet5", (1, 28, 28), tuple("0123456789"), "none")
    torch.manual_seed(0)
    classifier.save(tmp_path / "lenet.safetensors", classifier.build(plan), plan)
    for i in range(4):
        (tmp_path / "set" / str(i)).mkdir(parents=True)
        Image.fromarray(np.full((30, 30), 60 * i, np.uint8)).save(tmp_path / "set" / str(i) / "a.png")
    told = layers(str(tmp_path / "lenet.safetensors"), pictures=tmp_path / "set", out=tmp_path / "page", units=2, steps=1)
    assert [one.receptive_field for one in told.layers] == [5, 14]
    assert told.looked_at == 4
    assert "units" in str(told)


def test_layers_are_named_by_the_last_part_of_their_name_too(vgg: VGGFeatures) -> None:
    found = open_sight("vgg16-features").found()
    assert [one.name for one in chosen(found, "conv2_1, convs.conv1_1")] == ["convs.conv2_1", "convs.conv1_1"]
    assert [one.name for one in chosen(found, None)][-1] == "convs.conv5_1"


def test_photos_are_brought_to_one_shorter_side_and_very_long_ones_are_cut() -> None:
    assert resized(np.zeros((30, 60, 3), np.uint8), 48).shape == (3, 48, 96)
    assert resized(np.zeros((300, 20, 3), np.uint8), 32).shape == (3, 64, 32)
    middle = np.zeros((10, 100, 3), np.uint8)
    middle[:, 45:55] = 255
    assert int(resized(middle, 32)[0, 16, 32]) == 255


@pytest.mark.parametrize(("change", "said"), [
    ({"model": "vgg16-featurs"}, "no trained network is called 'vgg16-featurs'; the nearest: vgg16-features"),
    ({"layers": "conv9_9"}, "no layer is called 'conv9_9'; the nearest"),
    ({"layers": " , "}, "expected names of layers, such as convs.conv1_1"),
    ({"units": "0"}, "expected --units of at least 1, found 0"),
    ({"size": "8"}, "expected --size of at least 32, found 8"),
    ({"steps": "-1"}, "expected --steps of at least 0, found -1"),
    ({"pictures": "nowhere"}, "nowhere does not exist"),
    ({"pictures": "empty"}, "holds no picture"),
])  # fmt: skip
def test_bad_input_is_one_line(change: dict[str, str], said: str, vgg: VGGFeatures, photos: Path, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "7.png").write_bytes(b"none")
    given = {"model": "vgg16-features", "pictures": str(photos), "out": "page", "steps": "0", "size": "32"} | change
    words = [word for name, value in given.items() if name != "model" for word in (f"--{name}", value)]
    assert main(["explain", "layers", given["model"], *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in lines[-1]
    assert not any("Traceback" in line for line in lines)


def test_vgg19_without_weights_says_where_they_are_to_be_had(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["explain", "layers", "vgg19-features", "--pictures", str(photos), "--out", str(tmp_path / "page")]) == 1
    assert "mien models take vgg19-features FILE" in capsys.readouterr().err
