"""From a data set to a model that draws: recipes, run folder, sheets, completion, measures, bad input."""

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.data.pictures import read_picture, write_picture
from mien.models.generator import Plan, build, draw, load, save
from mien.models.pixelcnn import GatedPixelCNN
from mien.nn.batches import seeded
from mien.provenance.report import verify
from mien.runtime import choose
from mien.tasks.generate.drawing import upper_half
from mien.tasks.generate.recipes import pixelcnn, pixelcnn_gated, vae, vae_small
from mien.train import fit
from mien.train.generate import GenerateTask, coloured, continued, sheet
from mien.train.generate_session import learn_generator

CPU = choose("cpu", "fp32")
SMALL = {"vae": {"latent": 2, "width": 16}, "pixelcnn": {"half": 3, "blocks": 1, "last": 4},
         "gated-pixelcnn": {"width": 4, "layers": 2}}  # fmt: skip
RECIPES = {"vae": vae, "pixelcnn": pixelcnn, "gated-pixelcnn": pixelcnn_gated}


def bars(count: int, side: int = 8) -> np.ndarray:
    """(count, side, side, 1) uint8: upper or lower half white."""
    images = np.zeros((count, side, side, 1), np.uint8)
    for i in range(count):
        images[i, :side // 2] = 255 * (i % 2)
        images[i, side // 2:] = 255 * (1 - i % 2)
    return images


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The four files of MNIST, with bars in them."""
    folder = tmp_path / "bars"
    folder.mkdir()
    for name, count in (("train", 40), ("t10k", 12)):
        images = bars(count)[..., 0]
        head = (2051).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in images.shape)
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
        labels = (np.arange(count) % 2).astype(np.uint8)
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress((2049).to_bytes(4, "big") + count.to_bytes(4, "big") + labels.tobytes())
        )
    return folder


@pytest.mark.parametrize("network", SMALL)
def test_from_data_to_a_sheet(data: Path, tmp_path: Path, network: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It learns that there are two pictures, which is log 2 nats; untrained it is 64 log 2."""
    recipe = replace(RECIPES[network](), data="", options=SMALL[network], epochs=150, batch=20, dev=10, lr=0.05)
    made = learn_generator(recipe, data, tmp_path / "run", runtime=CPU)
    assert made.nats["nats"] < 12
    assert set(made.files) <= {path.name for path in made.out.iterdir()}
    assert 'kind = "generator"' in (made.out / "card.toml").read_text()
    assert main(["generate", str(made.out), "--out", str(tmp_path / "s.png"), "--count", "6", "--zoom", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["network"]) == (6, network)
    assert read_picture(tmp_path / "s.png").shape[2] == 3
    assert "trainedAlgorithmicMedia" in str(verify(tmp_path / "s.png"))
    assert main(["generate", "evaluate", str(made.out), str(data), "--samples", "20", "--no-distances", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert math.log(2) - 0.1 < told["likely"]["nats"] < 12
    assert told["scores"] == []
    assert told["images"] == 12


def test_resumed_is_not_interrupted(tmp_path: Path) -> None:
    """Bit by bit."""
    recipe = replace(vae(), options=SMALL["vae"], batch=5, epochs=2, dev=0, schedule="constant", warmup=0.0)
    whole, halves = (GenerateTask(recipe, bars(20), bars(0)) for _ in range(2))
    fit(whole, tmp_path / "a", steps=8, runtime=CPU)
    fit(halves, tmp_path / "b", steps=3, runtime=CPU)
    again = GenerateTask(recipe, bars(20), bars(0))
    fit(again, tmp_path / "b", steps=8, runtime=CPU)
    assert all(torch.equal(a, b) for a, b in zip(whole.net.state_dict().values(), again.net.state_dict().values(), strict=True))


def test_a_gated_pixelcnn_grows_and_answers_as_before() -> None:
    plan = Plan("gated-pixelcnn", 8, {"width": 8, "layers": 2, "sizes": [5, 3], "patch": 2})
    torch.manual_seed(0)
    net, x = build(plan), (torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    larger = replace(plan, options={**plan.options, "layers": 4})
    grown = continued(net, plan, larger)
    assert isinstance(grown, GatedPixelCNN)
    assert len(grown.layers) == 4
    assert torch.equal(grown(x), net(x))
    grown(x).sum().backward()
    answers = [p.grad for name, p in grown.named_parameters() if name.startswith("layers.2.out")]
    assert all(grad is not None and grad.abs().sum() > 0 for grad in answers)  # and it can learn
    for wanted, message in ((replace(plan, options={**plan.options, "layers": 1}), "a network only grows"),
                            (replace(larger, options={**larger.options, "width": 16}), "what it starts from is")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            continued(net, plan, wanted)


def test_a_training_goes_on_from_what_was_learnt(data: Path, tmp_path: Path) -> None:
    """At a rate of nothing it stays what it was; another network, or another size, is refused."""
    recipe = replace(vae(), data="", options=SMALL["vae"], epochs=2, batch=20, dev=10, average=0.0)
    first = learn_generator(recipe, data, tmp_path / "first", runtime=CPU)
    still = replace(recipe, start=str(first.out), lr=1e-30, bias_lr=1e-30, seed=7)
    second = learn_generator(still, data, tmp_path / "second", runtime=CPU)
    before, after = (load(made.out / "model.safetensors")[0].state_dict() for made in (first, second))
    assert all(torch.allclose(before[name], after[name]) for name in before)
    with pytest.raises(ValueError, match="what it starts from"):
        learn_generator(replace(still, options={"latent": 3, "width": 16}), data, tmp_path / "third", runtime=CPU)
    with pytest.raises(ValueError, match="start=nobody"):
        learn_generator(replace(still, start="nobody"), data, tmp_path / "fourth", runtime=CPU)


@pytest.mark.parametrize("network", SMALL)
def test_the_same_seed_draws_the_same(tmp_path: Path, network: str) -> None:
    """Also from the file."""
    plan = Plan(network, 8, SMALL[network])
    torch.manual_seed(0)
    net = build(plan)
    save(tmp_path / "m.safetensors", net, plan)
    kept, found = load(tmp_path / "m.safetensors")
    assert found == plan
    drawn = draw(net, 8, 3, seeded(5))
    assert torch.equal(drawn, draw(kept, 8, 3, seeded(5)))
    assert not torch.equal(drawn, draw(net, 8, 3, seeded(6)))


def test_a_pixelcnn_completes_what_is_given(tmp_path: Path) -> None:
    write_picture(tmp_path / "half.png", np.repeat(bars(2)[1], 3, 2))
    known = upper_half(tmp_path / "half.png", 8)
    assert bool((known[:4] == 1).all())
    assert bool(known[4:].isnan().all())
    plan = Plan("gated-pixelcnn", 8, SMALL["gated-pixelcnn"])
    drawn = draw(build(plan), 8, 2, seeded(1), known.expand(2, -1, -1))
    assert bool((drawn[:, :, :4] == 1).all())
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="draws whole pictures"):
        draw(build(Plan("vae", 8, SMALL["vae"])), 8, 2, seeded(1), known.expand(2, -1, -1))


def test_grey_is_a_chance() -> None:
    grey = torch.tensor([0, 128, 255], dtype=torch.uint8).view(1, 1, 3, 1).expand(1000, 1, 3, 1)
    means = coloured(grey, seeded(0)).mean(0).flatten().tolist()
    assert means[0] == 0
    assert means[1] == pytest.approx(0.5, abs=0.06)
    assert means[2] == 1


def test_a_sheet() -> None:
    """Three pictures of 2 x 2, two in a row, with a gap of one."""
    made = sheet(np.full((3, 2, 2), 255, np.uint8), 2, 1)
    assert made.shape == (7, 7)
    assert made[1:3, 1:3].tolist() == [[255, 255], [255, 255]]
    assert made[4, 4] == 96


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan("vae", 8, SMALL["vae"])
    file = tmp_path / "m.safetensors"
    save(file, build(plan), plan)
    write_picture(tmp_path / "wide.png", np.zeros((4, 8, 3), np.uint8))
    out = ["--out", str(tmp_path / "o.png")]
    for line, word in ((["nobody", *out], "no model 'nobody'"), ([str(file), *out, "--count", "0"], "count 0"),
                       ([str(file), "--out", str(tmp_path / "o.txt")], "cannot write"),
                       ([str(file), *out, "--complete", str(tmp_path / "wide.png")], "square")):  # fmt: skip
        assert main(["generate", *line]) == 2
        assert word in capsys.readouterr().err
        assert not (tmp_path / "o.png").exists()
    with pytest.raises(ValueError, match="no generator is called"):
        build(Plan("nobody", 8))
    assert vae_small().options["kind"] == "convolutional"
