"""What a VAE makes of given pictures: numbers, pictures again, a map."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from mien.cli import main
from mien.data.pictures import read_picture, write_picture
from mien.models.generator import Plan, build, save
from mien.models.vae import VAE
from mien.nn.latent import plane
from mien.provenance.report import verify
from mien.tasks.generate.codes import chosen, given, principal
from mien.tasks.generate.recipes import vae_plane


def model(path: Path, network: str = "vae", latent: int = 3) -> str:
    torch.manual_seed(0)
    plan = Plan(network, 8, {"latent": latent, "width": 16} if network == "vae" else {"half": 3, "blocks": 1, "last": 4})
    save(path, build(plan), plan)
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures of noise, and a white one."""
    random = np.random.default_rng(0)
    place = tmp_path / "pictures"
    place.mkdir()
    for i in range(5):
        write_picture(place / f"{i}.png", np.repeat(random.integers(0, 256, (8, 8, 1), np.uint8), 3, 2))
    write_picture(place / "white.png", np.full((8, 8, 3), 255, np.uint8))
    return place


def test_codes_as_a_table_and_as_arrays(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same numbers; of a picture alone those it has among others."""
    vae = model(tmp_path / "m.safetensors")
    for name in ("codes.csv", "codes.npz"):
        assert main(["generate", "encode", vae, str(folder), "--out", str(tmp_path / name), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["count"], told["latent"]) == (6, 3)
    arrays = np.load(tmp_path / "codes.npz")
    with (tmp_path / "codes.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["picture", *(f"{kind}_{i}" for kind in ("mean", "deviation") for i in (1, 2, 3))]
    assert np.allclose(np.array(rows, float)[:, 1:], np.concatenate([arrays["mean"], arrays["deviation"]], 1), rtol=1e-4)
    assert (arrays["deviation"] > 0).all()
    assert main(["generate", "encode", vae, str(folder / "white.png"), "--out", str(tmp_path / "one.npz")]) == 0
    assert np.allclose(np.load(tmp_path / "one.npz")["mean"][0], arrays["mean"][5], atol=1e-5)


def test_originals_stand_above_reconstructions(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "again.png"
    line = ["generate", "reconstruct", model(tmp_path / "m.safetensors"), str(folder), "--out", str(out), "--zoom", "1", "--json"]
    assert main(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["error"] < 1
    image = read_picture(out)
    assert image.shape == (2 * 10 + 2, 6 * 10 + 2, 3)
    assert (image[2:10, 2:10] == read_picture(folder / "0.png")).all()
    assert "compositeWithTrainedAlgorithmicMedia" in str(verify(out))


def test_a_plane(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vae, out = model(tmp_path / "m.safetensors"), tmp_path / "plane.png"
    for more, along in (([], "latent numbers 1 and 2"), (["--axes", "3,1"], "latent numbers 3 and 1"),
                        (["--pictures", str(folder)], "the two principal directions of the pictures")):  # fmt: skip
        assert main(["generate", "plane", vae, "--out", str(out), "--across", "4", "--zoom", "1", *more, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["along"] == along
        assert read_picture(out).shape == (42, 42, 3)
    assert "/trainedAlgorithmicMedia" in str(verify(out))


def test_tiles_are_of_equal_probability() -> None:
    """Through the normal distribution back to even steps; the first tile is above and to the left."""
    points = plane(4)
    assert torch.allclose(Normal(0.0, 1.0).cdf(points[:4, 0]), torch.tensor([0.125, 0.375, 0.625, 0.875]), atol=1e-6)
    assert points[0].tolist() == pytest.approx([-1.1503494, 1.1503494])
    assert points[-1].tolist() == pytest.approx([1.1503494, -1.1503494])
    assert vae_plane().options["latent"] == 2


def test_directions() -> None:
    """Along two axes; and along those in which the means of pictures differ most, by their deviations."""
    assert chosen(4, (4, 2), torch.tensor([[1.0, 2.0]])).tolist() == [[0, 2, 0, 1]]

    class Known(VAE):
        def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            """Means (1, 0, +-3), (1, +-1, 0)."""
            means = torch.tensor([[1.0, 0, 3], [1, 0, -3], [1, 1, 0], [1, -1, 0]])
            return means, torch.zeros_like(means)

    found = principal(Known(latent=3, side=4, width=4), torch.zeros(4, 1, 4, 4), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert found[:, 0].tolist() == pytest.approx([1, 1], abs=1e-5)
    assert abs(found[0, 2].item()) == pytest.approx(math.sqrt(18 / 3), abs=1e-5)
    assert abs(found[1, 1].item()) == pytest.approx(math.sqrt(2 / 3), abs=1e-5)


def test_bad_input(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vae, pixels = model(tmp_path / "m.safetensors"), model(tmp_path / "p.safetensors", "pixelcnn")
    write_picture(tmp_path / "wide.png", np.zeros((4, 8, 3), np.uint8))
    out, table = ["--out", str(tmp_path / "o.png")], ["--out", str(tmp_path / "o.csv")]
    for words, said in ((["encode", pixels, str(folder), *table], "no encoder"),
                        (["encode", vae, str(folder), *out], "expected .csv or .npz"),
                        (["encode", vae, str(folder), *table, "--count", "0"], "count 0"),
                        (["encode", vae, str(tmp_path / "wide.png"), *table], "square"),
                        (["reconstruct", vae, str(folder), *table], "cannot write"),
                        (["plane", vae, *out, "--axes", "1,4"], "axes 1, 4"), (["plane", vae, *out, "--axes", "2,2"], "different"),
                        (["plane", vae, *out, "--axes", "up"], "axes 0"),
                        (["plane", vae, *out, "--across", "1"], "found 1 tiles"), (["plane", vae, *out, "--zoom", "0"], "zoom 0"),
                        (["plane", vae, *out, "--pictures", str(folder / "0.png")], "3 or more")):  # fmt: skip
        assert main(["generate", *words]) == 2
        assert said in capsys.readouterr().err
    assert given(folder / "white.png", 8, None).shape == (1, 1, 8, 8)
