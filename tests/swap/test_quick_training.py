"""What the swap from one photo learns from, and that it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor

from mien.faces.align import COVER, window
from mien.faces.bending import openings, region, window_points
from mien.faces.describe import chips
from mien.models.one_photo import MOSTLY, OnePhoto
from mien.runtime import choose
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.quick.chips import chips_of
from mien.tasks.swap.quick.pairs import Faces, Pairs, Portions, covered
from mien.tasks.swap.quick.training import QuickTask, Recipe, export
from mien.train import Every, fit
from mien.weights.eight_bits import unsqueeze

CPU = torch.device("cpu")


def drawn(people: int = 4, each: int = 3, side: int = 160) -> Faces:
    """Each person a pattern, each picture a brightness."""
    points = window_points(window(1), np.eye(3)[:2], 1)
    inside = (points - 0.5) / COVER + 0.5
    planes = [torch.from_numpy(plane.copy()) for plane in (region(inside, side), openings(inside, side))]
    crops = []
    for person in range(people):
        pattern = torch.rand(3, 10, 10, generator=Generator().manual_seed(person))
        pattern = (pattern + pattern.flip(2)) / 2  # the mirrored one is the same person, too
        pattern = torch.nn.functional.interpolate(pattern[None], size=(side, side), mode="bicubic")[0].clamp(0, 1)
        for picture in range(each):
            colour = (pattern * 120 + 40 + 20 * picture).byte()
            crops.append(torch.cat([colour, torch.full((1, side, side), 255, dtype=torch.uint8), torch.stack(planes)]))
    count = people * each
    moved = torch.from_numpy(points)[None] + 0.002 * torch.randn(count, 77, 2, generator=Generator().manual_seed(0))
    who = torch.eye(people, 128).repeat_interleave(each, 0)
    return Faces(torch.stack(crops), moved, who, np.repeat(np.arange(people), each), 1.0)


def test_a_batch_has_targets_where_they_are_known() -> None:
    faces = drawn()
    shown = Pairs([faces], Portions(covered=0, own=0.25, other=0.25)).batch(8, Generator().manual_seed(0), CPU)
    assert shown.known == 6
    assert shown.frame.shape == (8, 3, 128, 128)
    assert shown.mask.shape == (8, 1, 128, 128)
    assert torch.equal(shown.frame[4:], shown.target[4:])  # its own face, and frames of somebody else
    assert all((shown.frame[i] - shown.target[i]).abs().max() > 0.02 for i in range(4))
    changed = (shown.frame[:4] - shown.target[:4]).abs().mean(1, keepdim=True)
    assert changed[shown.mask[:4] < 1e-3].max() < 0.05


def test_the_same_seed_shows_the_same() -> None:
    pairs = Pairs([drawn()])
    first, second = (pairs.batch(6, Generator().manual_seed(3), CPU) for _ in range(2))
    assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in ("frame", "photo", "target", "who", "points"))


def test_whom_to_draw_is_the_photos_person() -> None:
    faces = drawn()
    pairs = Pairs([faces])
    chosen, _ = pairs.rows(40, Generator().manual_seed(0))
    for _, frame, same, strange in chosen:
        assert faces.person[frame] == faces.person[same] != faces.person[strange]
        assert frame != same


def test_somebody_with_one_picture_is_shown_a_mirrored_one() -> None:
    chosen, mirrored = Pairs([drawn(6, 1)]).rows(30, Generator().manual_seed(0))
    assert all(frame == same for _, frame, same, _ in chosen)
    assert (mirrored[:, 0] != mirrored[:, 1]).all()


def test_what_covers_a_face_is_a_piece_of_the_picture() -> None:
    frames = torch.rand(8, 3, 128, 128, generator=Generator().manual_seed(0))
    made, blob = covered(frames, 1.0, Generator().manual_seed(1))
    assert 0.01 < float(blob.mean()) < 0.4
    assert torch.equal(made[(blob == 0).expand_as(made)], frames[(blob == 0).expand_as(made)])
    assert torch.equal(covered(frames, 0.0, Generator().manual_seed(1))[0], frames)


def test_chips_are_those_of_the_face_networks() -> None:
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    points = window(128).astype(np.float32)
    x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    assert torch.allclose(chips_of(x, torch.from_numpy(points / 128)[None], 96), chips(image, points[None], 96), atol=1e-4)




def test_it_learns_and_what_is_exported_is_its_average(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = OnePhoto((8, 8, 16, 16))
    net.out[0].get_parameter("bias").data[12:] = -MOSTLY  # half photo, half frame: what to take is to be learnt
    recipe = Recipe(batch=4, plain_rate=0.003, identity=0.0, average=0.8, warmup=5, held=16)
    task = QuickTask(Pairs([drawn()], Portions(covered=0)), recipe, CPU, net=net)
    first = float(task.evaluate()["error"])
    fitted = fit(task, tmp_path / "run", steps=40, runtime=choose("cpu", "fp32"))
    assert fitted.steps == 40
    assert float(task.evaluate()["error"]) < 0.5 * first
    export(tmp_path / "run", tmp_path / "weights.safetensors")
    from safetensors.torch import load_file

    kept = unsqueeze(load_file(tmp_path / "weights.safetensors"))
    average = task.result.state_dict()
    assert kept.keys() == average.keys()
    assert all(torch.allclose(kept[name], average[name], atol=0.02) for name in kept)


def test_every_loss_has_a_gradient() -> None:
    task = QuickTask(Pairs([drawn()]), Recipe(batch=4, light=1.0), CPU, net=OnePhoto((8, 8, 16, 16)))
    told = task.step(Fabric(accelerator="cpu", devices=1), 0)
    assert all(np.isfinite(float(value)) for value in told.values())
    assert {"loss", "error", "like"} <= told.keys()


def test_a_judge_learns_beside_it_and_goes_on_where_it_was(tmp_path: Path) -> None:
    def task() -> QuickTask:
        torch.manual_seed(0)
        terms = Adversary(adversarial=0.5, features=1.0, identity=0.0, penalty_every=2, widths=(8, 8, 16))
        return QuickTask(Pairs([drawn()]), Recipe(batch=4, identity=0.0), CPU, OnePhoto((8, 8, 16, 16)), terms)

    once, killed, again = task(), task(), task()
    step = killed.step

    def until(fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        if index == 2:
            raise RuntimeError("killed")
        return step(fabric, index)

    killed.step = until
    how = {"steps": 4, "runtime": choose("cpu", "fp32"), "save": Every(steps=1)}
    fit(once, tmp_path / "once", **how)
    with pytest.raises(RuntimeError, match="killed"):
        fit(killed, tmp_path / "twice", **how)
    fit(again, tmp_path / "twice", **how)
    for name in once.modules():
        learnt, resumed, new = (x.modules()[name].state_dict() for x in (once, again, task()))
        assert all(torch.equal(value, resumed[key]) for key, value in learnt.items())
        assert any(not torch.equal(value, new[key]) for key, value in learnt.items())
    assert set(once.modules()) == {"net", "judge"}
