"""Training of detectors: losses by hand, what the network is shown, resuming, the generations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric
from toy import COLOURS, toy_pictures

from mien.models.faster_rcnn import Proposed
from mien.models.localiser import Localiser
from mien.models.mien_detect import mien_detect, mien_fast, mien_rcnn
from mien.runtime import choose
from mien.train.detect import BoxTask, DetectTask, proposal_losses, region_losses, region_targets, shown, varied
from mien.train.detect_fast import FastTask, divided, with_proposals
from mien.train.detect_one import OneTask, largest
from mien.train.detect_rcnn import RCNNTask
from mien.train.detect_recipe import DetectRecipe
from mien.train.detect_steps import FourStepsTask
from mien.train.loop import fit
from mien.types import Detections

RECIPE = DetectRecipe("mien-detect", ".", optimiser="adamw", lr=2e-3, clip=5.0, batch=2, side=64, longest=64, anchors=32, regions=16,
                      proposals=30, zoom=0.0, light=0.0)  # fmt: skip


def ready(task: BoxTask) -> Fabric:
    fabric = Fabric(accelerator="cpu", precision="32-true")
    task.setup(fabric, choose("cpu", "fp32"))
    return fabric


def test_right_proposals_cost_nothing() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [40, 40, 50, 50], [0, 0, 10, 18]])
    scores, deltas = torch.tensor([[20.0, -20.0, 0.0]]), torch.zeros(1, 3, 4)
    truth = torch.tensor([[0.0, 0, 10, 10]])
    score, box = proposal_losses(Proposed([scores], [deltas], [anchors]), [truth], 8, torch.Generator())
    assert float(score) < 1e-6  # the third is neither: its IoU is 0.56
    assert float(box) < 1e-2
    score, _ = proposal_losses(Proposed([-scores], [deltas], [anchors[:2].repeat(2, 1)[:3]]), [truth], 8, torch.Generator())
    assert float(score) > 10


def test_a_picture_without_objects_has_only_background() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [40, 40, 50, 50]])
    score, box = proposal_losses(Proposed([torch.full((1, 2), -20.0)], [torch.ones(1, 2, 4)], [anchors]), [torch.empty(0, 4)], 8,
                                 torch.Generator())  # fmt: skip
    assert float(score) < 1e-6
    assert float(box) == 0
    boxes, classes, shifts = region_targets([anchors], [torch.empty(0, 4)], [torch.empty(0, dtype=torch.long)], 8, torch.Generator())
    assert len(boxes[0]) == 2
    assert classes.tolist() == [0, 0]
    assert shifts.shape == (2, 4)


def test_anchors_beyond_the_edge_can_be_left_out() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [-8, 0, 2, 10], [2, 2, 12, 13]])  # true; background; neither
    scores, deltas = torch.tensor([[20.0, 20.0, 20.0]]), torch.zeros(1, 3, 4)
    truth = [torch.tensor([[0.0, 0, 10, 10]])]
    for within, least, most in (([(12, 12)], 0, 1e-6), (None, 1, 30)):
        score, _ = proposal_losses(Proposed([scores], [deltas], [anchors]), truth, 8, torch.Generator(), within)
        assert least <= float(score) < most
    none = proposal_losses(Proposed([scores], [deltas], [anchors]), truth, 8, torch.Generator(), [(5, 5)])
    assert [float(one) for one in none] == [0, 0]  # no anchor is inside


def test_regions_learn_their_class_and_box() -> None:
    truth, labels = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([1])
    regions = torch.tensor([[0.0, 0, 10, 12], [50, 50, 60, 60]])
    boxes, classes, shifts = region_targets([regions], [truth], [labels], 8, torch.Generator().manual_seed(0))
    found = dict(zip(map(tuple, boxes[0].tolist()), zip(classes.tolist(), shifts.tolist(), strict=True), strict=True))
    assert found[0.0, 0.0, 10.0, 10.0] == (2, [0, 0, 0, 0])  # the true box is a region, too
    assert found[0.0, 0.0, 10.0, 12.0][0] == 2
    assert found[0.0, 0.0, 10.0, 12.0][1][1] == pytest.approx(-1 / 12 / 0.1)
    assert found[50.0, 50.0, 60.0, 60.0][0] == 0


def test_boxes_of_other_classes_and_of_the_background_do_not_count() -> None:
    deltas = torch.full((2, 3, 4), 7.0)
    deltas[0, 2] = 0.5
    name, box = region_losses(torch.tensor([[0.0, 0, 30], [30, 0, 0]]), deltas, torch.tensor([2, 0]), torch.zeros(2, 4))
    assert float(name) < 1e-6
    assert float(box) == pytest.approx(4 * 0.5 * 0.25 / 2)


@settings(max_examples=12)
@given(st.integers(0, 2**31), st.booleans())
def test_boxes_stay_around_what_they_show(seed: int, upright: bool) -> None:
    image, truth = toy_pictures(1, seed)[0]
    recipe = replace(RECIPE, zoom=0.5, upright=upright)
    moved, boxes = varied((image, truth), recipe, np.random.default_rng(seed))
    assert moved.shape == image.shape
    for box, label in zip(boxes.boxes, boxes.labels, strict=True):
        x1, y1, x2, y2 = (box + np.array([2, 2, -2, -2])).round().astype(int)
        assert np.abs(moved[y1:y2, x1:x2].astype(int) - COLOURS[label]).max() < 40


def test_difficult_boxes_are_not_learnt() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    small, truth = shown(image, Detections.of([[0, 0, 100, 50], [100, 0, 200, 100]], [0, 1], difficult=[True, False]), 50, 80)
    assert small.shape == (40, 80, 3)
    assert truth.boxes.tolist() == [[40, 0, 80, 40]]


def test_it_learns_and_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    task = DetectTask(RECIPE, mien_detect(2), toy_pictures(2))
    fabric = ready(task)
    losses = [float(task.step(fabric, index)["loss"]) for index in range(14)]
    assert np.mean(losses[-3:]) < 0.75 * np.mean(losses[:3])
    assert not [name for name, p in task.net.named_parameters() if p.grad is None]


def test_a_resumed_run_is_the_same_as_one_in_one_go(tmp_path: Path) -> None:
    ends = []
    for name, stops in (("once", (4,)), ("twice", (2, 4))):
        for steps in stops:
            torch.manual_seed(0)
            task = DetectTask(replace(RECIPE, light=0.1), mien_detect(2), toy_pictures(4))
            fit(task, tmp_path / name, steps=steps, runtime=choose("cpu", "fp32"), tensorboard=False)
        ends.append(task.net.classify.weight.detach().clone())
    torch.testing.assert_close(*ends)


def test_the_four_steps_leave_what_is_shared_as_it_is() -> None:
    torch.manual_seed(0)
    task = FourStepsTask(RECIPE, mien_detect(2), toy_pictures(2))
    fabric, body, proposer = ready(task), [], []
    for index, share in enumerate((0.0, 0.4, 0.75, 0.76, 0.9)):
        task.share = share
        told = task.step(fabric, index)
        assert set(told) == {"loss", *({"proposal score", "proposal box"} if share in (0.0, 0.75, 0.76) else {"class", "box"})}
        body.append(task.net.body.smooth[0].weight.detach().clone())
        proposer.append(task.net.proposer.conv.weight.detach().clone())
    assert not torch.equal(body[0], body[1])  # the second step learns them
    assert torch.equal(body[1], body[4])
    assert not torch.equal(proposer[2], proposer[3])  # the third learns proposals
    assert torch.equal(proposer[3], proposer[4])
    assert task.state()["done"] == 3


def test_what_is_frozen_stays_so_in_all_four_steps() -> None:
    net = mien_detect(2)
    net.body.stem.requires_grad_(False)
    task = FourStepsTask(RECIPE, net, toy_pictures(2))
    ready(task)
    for done in range(4):
        task.load_state({"detours": 0, "done": done})
        assert not any(p.requires_grad for p in net.body.stem.parameters())
        assert net.body.stages[0][0][0].weight.requires_grad == (done < 2)


BOXES = [np.array([[0, 0, 64, 64], [10, 10, 40, 40], [20, 4, 60, 30]], np.float32)] * 2


def test_proposals_are_moved_with_the_picture() -> None:
    image, truth = toy_pictures(1)[0]
    both = with_proposals((image, truth), truth.boxes + 1)
    [(_, true)], [boxes] = divided([varied(both, replace(RECIPE, zoom=0.2), np.random.default_rng(1))])
    assert len(true) == len(boxes) == 2
    assert np.abs(boxes - true.boxes).max() < 1.5


@pytest.mark.parametrize(("kind", "build", "losses"), [
    (FastTask, mien_fast, {"class", "box", "loss"}), (RCNNTask, mien_rcnn, {"class", "loss"}),
])  # fmt: skip
def test_earlier_generations_learn_from_proposals(kind: type[FastTask], build: object, losses: set[str]) -> None:
    torch.manual_seed(0)
    task = kind(RECIPE, build(2), toy_pictures(2), (), BOXES)  # type: ignore[operator]
    fabric = ready(task)
    told = [task.step(fabric, index) for index in range(8)]
    assert set(told[0]) == losses
    assert float(told[-1]["loss"]) < float(told[0]["loss"])


def test_the_machines_of_r_cnn_tell_what_they_were_shown() -> None:
    torch.manual_seed(0)
    pictures = toy_pictures(4)
    rest = [[0, 0, 64, 64], [28, 0, 36, 64]]
    far = [np.concatenate([truth.boxes + 2, rest]).astype(np.float32).clip(0, 64) for _, truth in pictures]
    task = RCNNTask(RECIPE, mien_rcnn(2), pictures, (), far)
    ready(task)
    task.finish()
    net = task.net.eval()
    for (image, truth), boxes in zip(pictures, far, strict=True):
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        found = net(x, [torch.from_numpy(boxes)])[0]
        best = [int(found.labels[(found.boxes - torch.from_numpy(box)).abs().sum(1).argmin()]) for box in truth.boxes]
        assert best == [0, 1]


def test_the_one_object_of_a_picture_is_the_largest() -> None:
    torch.manual_seed(0)
    assert largest(Detections.of([[0, 0, 5, 5], [0, 0, 9, 9]], [0, 1])).labels.tolist() == [1]
    assert len(largest(Detections.none())) == 0
    task = OneTask(RECIPE, Localiser(2), [*toy_pictures(2), (np.zeros((64, 64, 3), np.uint8), Detections.none())], toy_pictures(1))
    fabric = ready(task)
    losses = [float(task.step(fabric, index)["loss"]) for index in range(12)]
    assert losses[-1] < losses[0]
    assert len(task.train) == 2
    assert len(task.found(task.dev)[0]) == 1
    assert 0 <= task.evaluate()["score"] <= 1
    with pytest.raises(ValueError, match="nothing to learn"):
        OneTask(RECIPE, Localiser(2), [(np.zeros((64, 64, 3), np.uint8), Detections.none())])
