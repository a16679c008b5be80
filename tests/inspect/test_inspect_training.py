"""The inspector's recipe on textures bent by smooth fields: it learns, goes on where it stopped, and is exported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from mien.models.inspector import ORIGINAL, RESHAPED, SWAPPED, Coarse, Inspector
from mien.nn.flow import sample
from mien.runtime import choose
from mien.tasks.inspect.looking import Looker
from mien.tasks.inspect.measuring import asked, temperature
from mien.tasks.inspect.pack import Batch, Part, write
from mien.tasks.inspect.training import (
    FIELD,
    MOVED,
    RECONSTRUCTED,
    SPREAD,
    InspectTask,
    export,
    losses,
    reconstruction,
    tensors,
    windows,
)
from mien.train import Event, Every, fit

SIDE = 64


def small() -> Inspector:
    torch.manual_seed(0)
    return Inspector((16, 16, 16, 16))


def made_up(rng: np.random.Generator, count: int) -> Batch:
    """Fine stripes; in reshaped ones (1) a swelling in the middle, swapped ones (2) are blurred."""
    label = rng.integers(0, 3, count)
    place = torch.linspace(-1, 1, SIDE)
    phase, wave = torch.from_numpy(rng.uniform(0, 6, (2, count, 3, 1, 1))).float()
    x = 0.5 + 0.3 * torch.sin((place * place[:, None] * 40 + place * 60) * (1 + 0.05 * wave) + phase)
    bump = torch.exp(-4 * (place.square() + place.square()[:, None]))
    field = 8 * bump * torch.stack([-place.expand(SIDE, SIDE), -place[:, None].expand(SIDE, SIDE)])
    field = field * torch.from_numpy(label == 1).float().view(-1, 1, 1, 1)
    x = sample(x, field, "bicubic")
    swapped = torch.from_numpy(label == 2).view(-1, 1, 1, 1)
    x = torch.where(swapped, F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1), x)
    return {"x": (x.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).contiguous().numpy(), "label": label,
            "field": F.avg_pool2d(field, 4).numpy()}  # fmt: skip


def test_the_losses_by_hand() -> None:
    """Only faces that were not swapped teach the field."""
    field, one = torch.zeros(3, 2, 8, 8), torch.zeros(3, 1, 8, 8)
    label, truth = torch.tensor([0, 1, 2]), torch.zeros(3, 2, 16, 16)
    truth[1, 0], truth[2] = 3.0, 100.0
    x = torch.rand(3, 3, 64, 64)
    told = losses(Coarse(torch.zeros(3, 3), field, one, one), label, truth, x)
    error = (((9 + 0.01) ** 0.5) - 0.1) / 2
    assert float(told["verdict"]) == pytest.approx(np.log(3), rel=1e-5)
    unexplained = 9 / (9 + 0.25) / 2  # of the face left alone nothing is left to explain
    assert float(told["field"]) == pytest.approx(unexplained, rel=1e-5)
    assert float(told["moved"]) == pytest.approx(np.log(2), rel=1e-5)
    rest = MOVED * np.log(2) + RECONSTRUCTED  # no pair here: nothing of it can be explained
    assert float(told["loss"]) == pytest.approx(np.log(3) + FIELD * unexplained + SPREAD * error + rest, rel=1e-5)
    field.requires_grad_()
    none = losses(Coarse(torch.zeros(3, 3), field, one, one), torch.tensor([2, 2, 2]), truth, x)
    none["loss"].backward()
    assert not field.grad.any()


def test_what_a_field_leaves_of_a_pairs_difference() -> None:
    """Nothing where it is the true one, all where it is zero, and a swapped face's pair has no part in it."""
    place = torch.linspace(0, 6, 16)
    waves = (torch.sin(place) + torch.cos(place)[:, None]) / 4 + 0.5
    before = F.interpolate(waves.expand(1, 3, 16, 16), scale_factor=8, mode="bicubic")
    field = torch.full((1, 2, 128, 128), 8.0)
    x = torch.cat([sample(before, field), before, before.flip(3), before])
    told = torch.zeros(4, 2, 16, 16)
    label = torch.tensor([RESHAPED, ORIGINAL, SWAPPED, ORIGINAL])
    zero = reconstruction(told, x, label).item()
    told[0] = 8.0
    told.requires_grad_()
    left = reconstruction(told, x, label)
    left.backward()
    assert 0.9 < zero < 1
    assert left.item() < 0.05
    assert told.grad is not None
    assert not told.grad[1:].any()
    assert reconstruction(told[2:], x[2:], label[2:]).item() == 1.0


def test_a_mirrored_face_has_a_mirrored_field() -> None:
    batch = made_up(np.random.default_rng(0), 6)
    x, _, field = tensors(batch, torch.device("cpu"))
    mirrored, _, turned = tensors(batch, torch.device("cpu"), np.array([True] + [False] * 5))
    assert torch.equal(mirrored[0], x[0].flip(2))
    assert torch.equal(mirrored[1:], x[1:])
    assert torch.equal(turned[0, 0], -field[0, 0].flip(1))
    assert torch.equal(turned[0, 1], field[0, 1].flip(1))


def test_windows_show_the_same_pixels_and_fields() -> None:
    """A picture that numbers its pixels, moved at one place alone: only the windows around that place are reshaped."""
    place = np.arange(SIDE, dtype=np.uint8)
    x = np.stack([np.tile(place, (SIDE, 1)), np.tile(place[:, None], (1, SIDE)), np.zeros((SIDE, SIDE), np.uint8)], -1)
    field = np.zeros((2, SIDE // 4, SIDE // 4), np.float32)
    field[0, 4, 3] = 3.0
    count = 40
    whole: Batch = {"x": np.stack([x] * count), "label": np.array([1, 2] * (count // 2)), "field": np.stack([field] * count)}
    seen = windows(whole, np.random.default_rng(0), 32, 1)
    assert seen["x"].shape == (count, 32, 32, 3)
    left, top = seen["x"][:, 0, 0, 0].astype(int), seen["x"][:, 0, 0, 1].astype(int)
    assert set(left % 8) == {0}
    assert len(set(left)) > 3
    inside = (left <= 12) & (top <= 16)
    assert inside.any()
    assert not inside.all()
    assert np.array_equal(seen["label"], np.where(whole["label"] == 2, 2, inside))
    for one in np.flatnonzero(inside):
        assert seen["field"][one, 0, 4 - top[one] // 4, 3 - left[one] // 4] == 3
    assert windows(whole, np.random.default_rng(0), SIDE) is whole
    assert windows(whole, np.random.default_rng(0), 32, 3)["x"].shape == (3 * count, 32, 32, 3)


def test_it_learns_what_is_there_to_learn(tmp_path: Path) -> None:
    task = InspectTask(made_up, [made_up(np.random.default_rng(9), 48)], small(), 16)
    done = fit(task, tmp_path, steps=60, runtime=choose("cpu", "fp32"), evaluate=Every(), save=Every(), tensorboard=False)
    end = done.history[-1]
    assert end["accuracy"] > 0.9
    assert end["score"] > 0.95
    assert end["error"] < 0.85 * end["still"]


def test_a_training_goes_on_where_it_stopped_and_is_exported(tmp_path: Path) -> None:
    def train(folder: Path, on_event: Callable[[Event], None] | None = None) -> None:
        task = InspectTask(made_up, [made_up(np.random.default_rng(1), 4)], small(), 4)
        fit(task, folder, steps=3, runtime=choose("cpu", "fp32"), evaluate=Every(), save=Every(steps=1), tensorboard=False,
            on_event=on_event)  # fmt: skip

    def fall(event: Event) -> None:
        if event.kind == "step" and event.step == 2:
            raise RuntimeError("the power went")

    train(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="the power went"):
        train(tmp_path / "parts", fall)
    train(tmp_path / "parts")
    files = [tmp_path / f"{name}.safetensors" for name in ("whole", "parts")]
    for file in files:
        export(tmp_path / file.stem, file)
    one, other = map(load_file, files)
    assert one.keys() == small().state_dict().keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["stages.3.0.0.weight"].dtype == torch.bfloat16
    with pytest.raises(ValueError, match="train first"):
        export(tmp_path / "none", tmp_path / "none.safetensors")


def test_an_export_says_how_sure_to_be(tmp_path: Path) -> None:
    """The temperature is measured with the written weights, and what is opened again says the same as the average did."""
    write(tmp_path / "dev", made_up(np.random.default_rng(5), 24), ["somebody"] * 24)
    task = InspectTask(made_up, net=Inspector(), batch=8)
    fit(task, tmp_path / "run", steps=2, runtime=choose("cpu", "fp32"), evaluate=Every(), save=Every(), tensorboard=False)
    dev = Part(tmp_path, "dev")
    by = export(tmp_path / "run", tmp_path / "one.safetensors", dev)
    looker = Looker(tmp_path / "one.safetensors")
    assert looker.temperature == pytest.approx(by, abs=1e-4)
    assert by != 1
    batch = next(dev.batches(4))
    seen = looker.look(batch["x"])
    assert np.allclose(seen.probabilities.sum(1), 1)
    assert seen.field.shape == (4, 2, SIDE, SIDE)
    assert ((seen.reliability >= 0) & (seen.reliability <= 1)).all()
    x, *_ = tensors(batch, torch.device("cpu"))
    with torch.no_grad():
        expected = torch.softmax(task.result.eval()(x).logits / by, 1)
    np.testing.assert_allclose(seen.probabilities, expected, atol=0.02)
    assert temperature(asked(looker, dev.batches(), dev.person)) == pytest.approx(by, rel=1e-4)
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"no\.safetensors is no safetensors file"):
        Looker(tmp_path / "no.safetensors")


def test_a_pack_gives_back_what_was_written(tmp_path: Path) -> None:
    batches = [made_up(np.random.default_rng(seed), 5) for seed in (0, 1)]
    tools = (["mls", "", "tps", "", "mls"], ["", "mls", "", "tps", ""])
    for name, batch, how in zip(("train-64", "train-64b"), batches, tools, strict=True):
        write(tmp_path / name, batch, list("abcde"), how)
    part = Part(tmp_path, "train")
    assert len(part) == 10
    mixed = part.at(np.array([7, 0]))
    assert np.array_equal(mixed["x"], np.stack([batches[1]["x"][2], batches[0]["x"][0]]))
    assert mixed["label"].tolist() == [batches[1]["label"][2], batches[0]["label"][0]]
    np.testing.assert_allclose(mixed["field"][0], batches[1]["field"][2], atol=1e-2)
    assert [len(b["label"]) for b in part.batches(4)] == [4, 1, 4, 1]
    assert part.person.tolist() == list("abcde") * 2
    some = Part(tmp_path, "train", "tps").draw(np.random.default_rng(0), 50)["x"]
    assert {one.tobytes() for one in some} == {batches[k]["x"][i].tobytes() for k, i in ((0, 0), (0, 1), (1, 0), (1, 1))}
    larger = {"x": np.repeat(np.repeat(batches[0]["x"], 2, 1), 2, 2), "label": batches[0]["label"], "field": np.zeros((5, 2, 32, 32))}
    write(tmp_path / "train-128", larger, list("fghij"))
    mixed = Part(tmp_path, "train")
    assert sorted({b["x"].shape[1] for b in mixed.batches(4)}) == [SIDE, 2 * SIDE]
    assert {mixed.draw(np.random.default_rng(seed), 6)["x"].shape[1] for seed in range(20)} == {SIDE, 2 * SIDE}
    with pytest.raises(ValueError, match="make a pack first"):
        Part(tmp_path, "dev")
