"""Faster R-CNN: parameters as published, shapes, gradients, one picture alone and in a batch."""

import pytest
import torch
from torch import nn

from mien.models import fast_rcnn, faster_rcnn
from mien.models.fast_rcnn import Cut, Kept, OneMap, told
from mien.models.faster_rcnn import Anchors, FasterRCNN, Proposer
from mien.models.mien_detect import mien_detect
from mien.nn import boxes as bx


def count(net: nn.Module, norms: bool = True) -> int:
    skipped = {id(p) for part in net.modules() if isinstance(part, nn.BatchNorm2d) for p in part.parameters()} if not norms else set()
    return sum(p.numel() for p in net.parameters() if id(p) not in skipped)


def test_the_pyramid_has_the_usual_parameters() -> None:
    """41,755,286 with 91 classes, as other programs count it: batch norm is frozen there, so it is not counted."""
    with torch.device("meta"):
        assert count(faster_rcnn.resnet50_fpn(90), norms=False) == 41_755_286


def test_the_published_network_has_the_parameters_of_its_layers() -> None:
    convolutions = 14_714_688  # of VGG16
    proposals = (512 * 512 * 9 + 512) + (512 * 18 + 18) + (512 * 36 + 36)
    dense = (512 * 49 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 21 + 21) + (4096 * 84 + 84)
    with torch.device("meta"):
        assert count(faster_rcnn.vgg16(20)) == convolutions + proposals + dense == 137_078_239
        assert count(fast_rcnn.vgg16(20)) == convolutions + dense == 134_690_729


def test_two_scores_an_anchor_are_one_logit() -> None:
    """As the softmax of background and object."""
    net = Proposer(4, 3, scores=2)
    scores, deltas = net(x := torch.rand(2, 4, 5, 6))
    assert scores.shape == (2, 90)
    assert deltas.shape == (2, 90, 4)
    both = net.score(net.conv(x).relu())  # backgrounds of all anchors, then objects, as in the authors' code
    chance = torch.stack([both[:, :3], both[:, 3:]]).softmax(0)[1]
    torch.testing.assert_close(scores.sigmoid().view(2, 5, 6, 3), chance.permute(0, 2, 3, 1))


def test_our_own_is_small() -> None:
    with torch.device("meta"):
        assert count(mien_detect(3)) == 1_360_322


@pytest.mark.parametrize(("build", "maps"), [
    (lambda: faster_rcnn.vgg16(20), [(512, 14, 20)]),
    (lambda: faster_rcnn.resnet50_fpn(90), [(256, 56, 80), (256, 28, 40), (256, 14, 20), (256, 7, 10), (256, 4, 5)]),
    (lambda: mien_detect(3), [(64, 28, 40), (64, 14, 20), (64, 7, 10)]),
])  # fmt: skip
def test_maps(build: object, maps: list[tuple[int, ...]]) -> None:
    with torch.device("meta"):
        net = build()  # type: ignore[operator]
        found = net.eval().body(torch.empty(2, 3, 224, 320))
        assert [one.shape[1:] for one in found] == maps
        places = len(net.anchors.sizes[0]) * len(net.anchors.ratios)
        for level in found:
            scores, deltas = net.proposer(level)
            assert scores.shape == (2, level.shape[2] * level.shape[3] * places)
            assert deltas.shape == (*scores.shape, 4)


def lively(classes: int = 2) -> FasterRCNN:
    """The small network with deltas and scores that are not all alike."""
    torch.manual_seed(0)
    net = mien_detect(classes).eval()
    for layer in (net.proposer.score, net.proposer.delta, net.classify, net.refine):
        nn.init.normal_(layer.weight, std=0.1)
    return net


KEPT = Kept(before=30, after=8, least=0.1)


def test_an_image_alone_equals_the_image_in_a_batch() -> None:
    net, x = lively(), torch.rand(3, 3, 64, 96)
    together = net(x, KEPT)
    for number, one in enumerate(together):
        alone = net(x[number:number + 1], KEPT)[0]
        assert len(one.boxes)
        for here, there in zip(one, alone, strict=True):
            torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-3)


def test_found_boxes_lie_in_the_picture_and_the_best_is_first() -> None:
    for one in lively()(torch.rand(2, 3, 64, 96), KEPT):
        assert (one.boxes >= 0).all()
        assert (one.boxes[:, 2] <= 96).all()
        assert (one.boxes[:, 3] <= 64).all()
        assert torch.equal(one.scores, one.scores.sort(descending=True).values)
        assert set(one.labels.tolist()) <= {0, 1}


def test_every_parameter_gets_a_gradient() -> None:
    net = lively()
    maps = net.body(torch.rand(1, 3, 64, 64))
    proposed = net.propose(maps)
    logits, deltas = net.regions(maps, [torch.tensor([[0.0, 0, 20, 20], [0, 0, 40, 40], [0, 0, 64, 64]])])
    loss = logits.sum() + deltas.sum() + sum(one.square().sum() for part in (proposed.scores, proposed.deltas) for one in part)
    loss.backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None]


def test_every_class_of_a_region_may_be_told() -> None:
    regions = torch.tensor([[0.0, 0, 10, 10]])
    chances = torch.tensor([[0.2, 0.5, 0.3]])
    found = told(regions, chances.log(), torch.zeros(1, 3, 4), 100, 100, Kept(least=0.25))
    assert found.labels.tolist() == [0, 1]
    torch.testing.assert_close(found.scores, torch.tensor([0.5, 0.3]))
    torch.testing.assert_close(found.boxes, regions.expand(2, 4))


def test_proposals_of_the_published_network() -> None:
    """Nine anchors a place, cut by RoI pooling."""
    torch.manual_seed(0)
    net = FasterRCNN(OneMap(nn.Conv2d(3, 8, 3, 16, 1)), nn.Sequential(nn.Flatten(), nn.Linear(8 * 49, 16)),
                     Anchors((16,), ((32, 64, 128),)), Cut((16,), samples=0), 8, 16, 2).eval()  # fmt: skip
    x = torch.rand(1, 3, 64, 64)
    proposed = net.propose(net.body(x))
    assert proposed.scores[0].shape == (1, 4 * 4 * 9)
    boxes = net.best(proposed, 64, 64, Kept(after=5))[0]
    assert len(boxes) <= 5
    assert (bx.iou(boxes, boxes) - torch.eye(len(boxes)) <= 0.7 + 1e-6).all()
    logits, deltas = net.regions(net.body(x), [boxes])
    assert logits.shape == (len(boxes), 3)
    assert deltas.shape == (len(boxes), 3, 4)
