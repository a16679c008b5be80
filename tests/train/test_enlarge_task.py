"""Training an enlarger: what a step shows, that it learns, and what a run leaves behind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.data.pictures import write_picture
from mien.data.resize import resize
from mien.models.enlarger import load
from mien.runtime import choose
from mien.train import fit
from mien.train.enlarge import EnlargeTask, pair
from mien.train.enlarge_session import learn_enlarger
from mien.train.recipe import EnlargeRecipe
from mien.types import LearnedEnlarger

TINY = EnlargeRecipe("mien-upscale", "", {"width": 8, "depth": 2}, batch=4, patch=12, optimiser="muon", lr=0.05, bias_lr=0.2,
                     momentum=0.9, schedule="cosine", epochs=30, dev=1)  # fmt: skip


def drawing(seed: int, side: int = 64) -> np.ndarray:
    """(side, side, 1) uint8: slanted stripes with sharp edges, which bicubic blurs."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    angle, period = random.uniform(0, np.pi), random.uniform(7, 14)
    return np.where((x * np.cos(angle) + y * np.sin(angle)) % period < period / 2, 40, 210).astype(np.uint8)[..., None]


def test_pairs_are_matlabs() -> None:
    large = drawing(0)[:50, :47]
    made = pair(large, 3)
    assert made.large.shape == (48, 45, 1)
    wanted = resize(torch.from_numpy(large[:48, :45, 0] / 255.0), 1 / 3)
    np.testing.assert_allclose(made.small[..., 0], wanted.numpy(), atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_patches_of_a_pair_show_the_same_place(scale: int) -> None:
    task = EnlargeTask(TINY, [drawing(seed) for seed in range(3)])
    small, large = task.patches(scale, np.random.default_rng(0))
    assert small.shape == (4, 1, 12, 12)
    assert large.shape == (4, 1, 12 * scale, 12 * scale)
    inside = resize(large.double(), 1 / scale)[..., 3:-3, 3:-3].float()
    torch.testing.assert_close(inside, small[..., 3:-3, 3:-3], atol=1e-4, rtol=0)


def test_even_patches_are_of_one_large_size() -> None:
    task = EnlargeTask(replace(TINY, even=True), [drawing(0)])
    assert {scale: side * scale for scale, side in task.sides.items()} == {2: 24, 3: 24, 4: 24}


def test_a_small_network_beats_bicubic_on_what_it_has_not_seen(tmp_path: Path) -> None:
    task = EnlargeTask(replace(TINY, scales=(2,)), [drawing(seed) for seed in range(8)], [drawing(9)])
    before = task.evaluate()["score"]
    fit(task, tmp_path, steps=150, runtime=choose("cpu", "fp32"))
    assert task.evaluate()["score"] > before + 1


def test_sgd_with_the_papers_clipping_moves_no_weight_farther_than_theta() -> None:
    task = EnlargeTask(replace(TINY, network="vdsr", options={"depth": 3, "width": 4}, optimiser="sgd", lr=0.1, momentum=0.0,
                               relative_clip=1e-3, even=True, schedule="constant"), [drawing(0)])  # fmt: skip
    before = [p.detach().clone() for p in task.net.parameters()]

    class Plain:
        device = torch.device("cpu")

        def autocast(self) -> torch.autocast:
            return torch.autocast("cpu", enabled=False)

        def backward(self, loss: torch.Tensor) -> None:
            (loss * 1e4).backward()

    task.step(Plain(), 0)  # pyright: ignore[reportArgumentType]
    moved = max(float((p.detach() - old).abs().max()) for p, old in zip(task.net.parameters(), before, strict=True))
    assert moved == pytest.approx(1e-3, rel=1e-3)


def test_a_run_from_a_folder_and_what_it_refuses(tmp_path: Path) -> None:
    source = tmp_path / "pictures"
    for seed in range(4):
        write_picture(source / f"{seed}.png", np.repeat(drawing(seed), 3, 2))
    found = learn_enlarger(replace(TINY, epochs=2), source, tmp_path / "run", runtime=choose("cpu", "fp32"))
    assert isinstance(found, LearnedEnlarger)
    assert found.pictures == {"train": 3, "dev": 1}
    assert set(found.psnr) == {"x2", "x3", "x4"}
    assert load(tmp_path / "run" / "model.safetensors")[1].scales == (2, 3, 4)
    assert "enlarger" in (tmp_path / "run" / "card.toml").read_text()
    with pytest.raises(ValueError, match="holds a run already"):
        learn_enlarger(TINY, source, tmp_path / "run", runtime=choose("cpu", "fp32"))
    going_on = replace(TINY, epochs=1, start=str(tmp_path / "run"))
    again = learn_enlarger(going_on, source, tmp_path / "on", runtime=choose("cpu", "fp32"))
    assert again.parameters == found.parameters  # folded once, it stays folded
    with pytest.raises(ValueError, match="no model file"):
        learn_enlarger(replace(TINY, start="none"), source, tmp_path / "other")
    with pytest.raises(ValueError, match="what it starts from is mien-upscale"):
        learn_enlarger(replace(TINY, network="vdsr", options={}, start=str(tmp_path / "run")), source, tmp_path / "other")
    with pytest.raises(ValueError, match="none is left to learn from"):
        learn_enlarger(replace(TINY, dev=4), source, tmp_path / "other")
    with pytest.raises(ValueError, match="no folder"):
        learn_enlarger(replace(TINY, parts=("t91",)), source, tmp_path / "other")
    with pytest.raises(ValueError, match="large enough"):
        EnlargeTask(replace(TINY, patch=40), [drawing(0)])


def test_worn_patches_are_worn_and_large_ones_are_not() -> None:
    task = EnlargeTask(replace(TINY, worn=True), [drawing(seed) for seed in range(3)])
    plain = EnlargeTask(TINY, [drawing(seed) for seed in range(3)])
    small, large = task.patches(2, np.random.default_rng(0))
    assert set(np.unique(large.numpy() * 255).round().astype(int)) <= {40, 210}
    off = (small - resize(large.double(), 0.5).float())[..., 2:-2, 2:-2].abs().mean((1, 2, 3))
    assert 0.002 < float(off.max()) < 0.2
    assert task.patches(2, np.random.default_rng(0))[0].equal(small)  # a function of the generator
    assert not plain.patches(2, np.random.default_rng(0))[0].equal(small)
