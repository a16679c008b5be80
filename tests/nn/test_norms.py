"""Statistics taken anew equal those of all the batches together."""

import torch
from torch import nn

from mien.nn.norms import restatistic


def test_statistics_are_those_of_the_data() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, 1, bias=False), nn.BatchNorm2d(3, momentum=0.4), nn.Dropout(0.9)).eval()
    images = torch.randn(40, 2, 5, 5) * 3 + 1
    weights = net[0].weight.clone()
    restatistic(net, images.split(20))
    inside = net[0](images).transpose(0, 1).flatten(1)
    torch.testing.assert_close(net[1].running_mean, inside.mean(1).detach(), atol=1e-5, rtol=1e-5)
    by_batch = torch.stack([net[0](part).transpose(0, 1).flatten(1).var(1) for part in images.split(20)]).mean(0)
    torch.testing.assert_close(net[1].running_var, by_batch.detach(), atol=1e-4, rtol=1e-4)
    assert torch.equal(net[0].weight, weights)
    assert (net[1].momentum, net[1].training, net[2].training) == (0.4, False, False)


def test_nothing_to_do_without_norms() -> None:
    def never() -> list[torch.Tensor]:
        raise AssertionError("computed for nothing")
        yield

    restatistic(nn.Linear(2, 2), never())
