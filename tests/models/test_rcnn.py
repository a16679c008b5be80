"""R-CNN's regions, and the localiser."""

import torch
from torch import nn

from mien.models.localiser import Localiser, corners, located_loss, shares
from mien.models.mien_detect import mien_rcnn
from mien.models.rcnn import CONTEXT, rcnn_alexnet, warped


def test_a_region_of_a_ramp_is_a_ramp() -> None:
    """Over the box there are side * (1 - 2 CONTEXT) pixels, and its margin on both sides."""
    ramp = (torch.arange(100.0) + 0.5).view(1, 1, 100).expand(3, 80, 100) / 100
    out = warped(ramp, torch.tensor([[20.0, 20, 60, 50]]), 32)
    wide = 40 / (1 - 2 * CONTEXT)
    wanted = (40 - wide / 2 + wide * (torch.arange(32.0) + 0.5) / 32) / 100
    torch.testing.assert_close(out[0, 0, 5], wanted, atol=1e-4, rtol=0)


def test_beyond_the_picture_a_region_is_grey() -> None:
    out = warped(torch.ones(3, 50, 50), torch.tensor([[0.0, 0, 50, 50]]), 32)
    assert out[0, 0, 0, 0] == 0.5
    assert out[0, 0, 16, 16] == 1


def test_published_parameters() -> None:
    """AlexNet's without its last layer, a layer of 21 classes to learn them by, 20 machines, 20 regressions of 9216 numbers."""
    with torch.device("meta"):
        count = sum(p.numel() for p in rcnn_alexnet(20).parameters())
    assert count == 60_965_224 - (4096 * 1000 + 1000) + (4096 * 21 + 21) + (4096 * 20 + 20) + (9216 * 80 + 80)


def test_it_finds_by_machines() -> None:
    torch.manual_seed(0)
    net = mien_rcnn(2).eval()
    nn.init.zeros_(net.refine.weight)
    nn.init.zeros_(net.refine.bias)
    nn.init.zeros_(net.svm.weight)
    net.svm.bias.data = torch.tensor([1.0, -9.0])
    boxes = torch.tensor([[0.0, 0, 20, 20], [1, 1, 21, 21], [30, 30, 60, 60]])
    found = net(torch.rand(1, 3, 64, 64), [boxes])[0]
    assert found.labels.tolist() == [0, 0]
    torch.testing.assert_close(found.boxes, boxes[[0, 2]])
    assert len(net(torch.rand(1, 3, 64, 64), [torch.empty(0, 4)])[0].boxes) == 0


def test_shares_and_corners_are_each_other() -> None:
    boxes = torch.tensor([[10.0, 20, 50, 100]])
    torch.testing.assert_close(shares(boxes, 200, 100), torch.tensor([[0.3, 0.3, 0.4, 0.4]]))
    torch.testing.assert_close(corners(shares(boxes, 200, 100), 200, 100), boxes)


def test_the_localiser_learns_a_batch() -> None:
    torch.manual_seed(0)
    net, x = Localiser(2), torch.zeros(4, 3, 64, 64)
    labels, boxes = torch.tensor([0, 1, 0, 1]), torch.tensor([[4.0, 4, 24, 24], [30, 10, 60, 40], [20, 36, 44, 60], [2, 40, 22, 60]])
    for image, label, (x1, y1, x2, y2) in zip(x, labels, boxes.int().tolist(), strict=True):
        image[label, y1:y2, x1:x2] = 1
    wanted, optimizer = shares(boxes, 64, 64), torch.optim.AdamW(net.parameters(), 2e-3)
    for _ in range(40):
        loss = located_loss(net(x), labels, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    told = net(x)
    assert told.logits.argmax(1).tolist() == labels.tolist()
    assert (corners(told.box, 64, 64) - boxes).abs().mean() < 5
    assert not [name for name, p in net.named_parameters() if p.grad is None]
