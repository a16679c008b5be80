"""Pictures asked for by label, films of walks, folders of any number, and trainings of them from real folders."""

import json
import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from mien.cli import main
from mien.data.loose import read_images
from mien.data.moving import write_film
from mien.data.pictures import read_picture, write_picture
from mien.data.video import probe
from mien.models.generator import Plan, build, load, save
from mien.nn.latent import between
from mien.provenance.report import verify
from mien.runtime import choose
from mien.tasks.generate import drawing
from mien.tasks.generate.recipes import cgan_dcgan, dcgan
from mien.train.gan_session import learn_gan

CPU = choose("cpu", "fp32")
PLAN = Plan("projection", 8, {"latent": 4, "width": 8, "blocks": 1}, 3, ("cat", "dog", "7"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Weights that draw lively pictures."""
    torch.manual_seed(0)
    net = build(PLAN)
    for p in net.parameters():
        torch.nn.init.normal_(p, 0, 0.3)
    save(tmp_path / "m.safetensors", net, PLAN)
    return tmp_path / "m.safetensors"


def cells(path: Path, count: int, side: int = 8) -> list[np.ndarray]:
    """The pictures of a sheet of zoom 1."""
    whole, across = read_picture(path), max(round(math.sqrt(count)), 1)
    places = [(2 + i // across * (side + 2), 2 + i % across * (side + 2)) for i in range(count)]
    return [whole[y:y + side, x:x + side] for y, x in places]


def frames(path: Path) -> int:
    with Image.open(path) as film:
        return getattr(film, "n_frames", 1)


def test_labels_are_drawn_in_turn(model: Path, tmp_path: Path) -> None:
    """By name or by place; of one label all are alike in nothing but it; a picture hangs on seed, place and label alone."""
    drawn = {}
    for label in ("dog", "1", "dog,cat", "7", ""):
        out = tmp_path / "s.png"
        assert main(["generate", str(model), "--out", str(out), "--count", "6", "--zoom", "1", "--label", label, "--no-sign"]) == 0
        drawn[label] = cells(out, 6)
    assert all((a == b).all() for a, b in zip(drawn["dog"], drawn["1"], strict=True))
    assert [bool((a == b).all()) for a, b in zip(drawn["dog"], drawn["dog,cat"], strict=True)] == [True, False] * 3
    assert [bool((a == b).all()) for a, b in zip(drawn["7"], drawn[""], strict=True)] == [False, False, True] * 2
    assert not (drawn["dog"][0] == drawn["dog"][1]).all()


def test_how_many_are_drawn_changes_none_of_them(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "AT_ONCE", 4)
    for count in (6, 11):
        line = ["generate", str(model), "--out", str(tmp_path / str(count)), "--count", str(count), "--zoom", "1", "--no-sign"]
        assert main(line) == 0
    few, many = (sorted((tmp_path / name).iterdir()) for name in ("6", "11"))
    assert [path.name for path in many] == [f"{i:07}.png" for i in range(11)]
    for one, other in zip(few, many, strict=False):
        assert np.abs(read_picture(one).astype(int) - read_picture(other)).max() <= 1


def test_a_folder_of_many_is_a_folder_of_folders(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """No more than a group is held at once."""
    monkeypatch.setattr("mien.tasks.generate.folders.FEW", 5)
    out = tmp_path / "many"
    assert main(["generate", str(model), "--out", str(out), "--count", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["signed"]) == (7, True)
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))[-1] == "0000/0000006.png"
    assert "trainedAlgorithmicMedia" in str(verify(out / "0000" / "0000006.png"))
    assert main(["generate", str(model), "--out", str(out), "--count", "7"]) == 2
    assert "new or an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_a_walk_is_a_film(model: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"w{suffix}"
    line = ["generate", str(model), "--out", str(out), "--walk", "--count", "3", "--between", "4", "--label", "cat,dog", "--json"]
    assert main(line + ([] if suffix == ".mp4" else ["--no-sign"])) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 12
    if suffix == ".mp4":
        assert (probe(out).frames, probe(out).width) == (12, 16)
        assert "trainedAlgorithmicMedia" in str(verify(out))
    else:
        assert frames(out) == 12


def test_the_way_between_is_a_circle() -> None:
    """Ends are met; half way between two at a right angle lies at 45 degrees, as far out; a straight line would be at 0.7."""
    one, other = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    way = between(one, other, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(way, torch.tensor([[3, 0], [3 / 2**0.5, 3 / 2**0.5], [0, 3.0]]), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(between(one, 2 * one, torch.tensor([0.5])), torch.tensor([[4.5, 0.0]]))
    torch.testing.assert_close(between(one, 3 * other, torch.tensor([0.5])).norm(), torch.tensor(6.0))


def test_films_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected one of \.gif \.webp"):
        write_film(tmp_path / "a.avi", [np.zeros((8, 8, 3), np.uint8)])
    with pytest.raises(ValueError, match="2 of 2 sizes"):
        write_film(tmp_path / "a.gif", [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)])


def test_bad_input(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixelcnn = Plan("pixelcnn", 8, {"half": 3, "blocks": 1})
    save(tmp_path / "p.safetensors", build(pixelcnn), pixelcnn)
    png, film = ["--out", str(tmp_path / "o.png")], ["--walk", "--out", str(tmp_path / "o.mp4")]
    for line, word in (
        ([str(model), *png, "--label", "bird"], "found label bird, expected one of cat, dog, 7"),
        ([str(model), *png, "--label", "3"], "found label 3, expected"),
        ([str(model), *png, "--label", "-1"], "found label -1"),
        ([str(model), *png, "--count", "20000"], "10,000 on a sheet: more go into a folder"),
        ([str(model), "--out", str(tmp_path / "o"), "--count", "0"], "count 0, expected 1 or more"),
        ([str(tmp_path / "p.safetensors"), *png, "--label", "1"], "without being told what"),
        ([str(tmp_path / "p.safetensors"), *film], "no latent numbers"),
        ([str(model), *film, "--count", "1"], "count 1, expected 2 or more"),
        ([str(model), *film, "--between", "0"], "found 0 frames"),
        ([str(model), "--walk", *png], "as a film"),
        ([str(model), "--walk", "--out", str(tmp_path / "o.gif")], "cannot be signed"),
    ):
        assert main(["generate", *line]) == 2, line
        assert word in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.stem == "o"]


def folder_of(path: Path, count: int, side: int = 16) -> Path:
    """Pictures of two colours, light above."""
    for i in range(count):
        image = np.full((side, side, 3), (200, 40, 40) if i % 2 else (40, 40, 200), np.uint8)
        image[:side // 2] += 40
        write_picture(path / f"{i:02}.png", image)
    return path


def test_from_a_folder_of_pictures_to_a_film_of_sheets(tmp_path: Path) -> None:
    """No labels are needed; everything is in the run folder, and the model draws in colour."""
    recipe = replace(dcgan(), data="", size=16, options={"latent": 4, "width": 4}, judge={"width": 4}, batch=4, epochs=3, sheets=1,
                     augment=("translation",), average=0.0, lr=0.05)  # fmt: skip
    made = learn_gan(recipe, folder_of(tmp_path / "p", 9), tmp_path / "run", runtime=CPU)
    assert set(made.files) <= {path.name for path in made.out.iterdir()}
    assert (made.steps, made.pictures, made.labels) == (6, 9, 0)
    assert made.spread is not None
    assert len([*(made.out / "sheets").iterdir()]) == 6
    assert frames(made.out / "sheets.webp") > 1  # WebP shows pictures that are alike as one
    card = (made.out / "card.toml").read_text()
    assert 'kind = "generator"' in card
    assert "6 rounds, 3 epochs" in card
    net, plan = load(made.out / "model.safetensors")
    assert (plan.channels, plan.side, plan.labels) == (3, 16, ())
    assert not net.training


def test_from_class_folders_to_a_picture_of_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("cat", "dog"):
        folder_of(tmp_path / "p" / name, 4, 8)
    recipe = replace(cgan_dcgan(), data="", options={"latent": 2, "width": 8}, judge={"width": 4}, batch=4, epochs=1)
    made = learn_gan(recipe, tmp_path / "p", tmp_path / "run", runtime=CPU)
    assert made.labels == 2
    assert main(["generate", str(made.out), "--label", "dog", "--count", "2", "--out", str(tmp_path / "s.png"), "--no-sign"]) == 0
    assert main(["generate", str(made.out), "--label", "2", "--count", "2", "--out", str(tmp_path / "s.png"), "--no-sign"]) == 2
    assert "expected one of cat, dog" in capsys.readouterr().err


def test_data_that_cannot_be(tmp_path: Path) -> None:
    """One picture, mixed sizes, Parquet without labels."""
    recipe = replace(dcgan(), data="", size=None)
    with pytest.raises(ValueError, match="found one picture"):
        learn_gan(recipe, folder_of(tmp_path / "one", 1), tmp_path / "run", runtime=CPU)
    folder_of(tmp_path / "two", 2)
    write_picture(tmp_path / "two" / "x.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"different sizes.*give a size"):
        learn_gan(recipe, tmp_path / "two", tmp_path / "run", runtime=CPU)
    rows = []
    for path in sorted((tmp_path / "two").glob("0*.png")):
        buffer = BytesIO()
        Image.fromarray(read_picture(path)).save(buffer, "PNG")
        rows.append({"bytes": buffer.getvalue(), "path": None})
    parquet.write_table(pa.table({"img": rows}), tmp_path / "train.parquet")
    found = read_images(tmp_path / "train.parquet", 8)
    assert found.shape == (2, 8, 8, 3)
    with pytest.raises(ValueError, match="does not exist"):
        read_images(tmp_path / "nowhere")
    assert not (tmp_path / "run" / "model.safetensors").exists()
