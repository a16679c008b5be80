"""The network of several styles: its size, what it is equal to, that it learns, and what its file keeps."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.style_net import PACE, Doubling, StyleNet, StyleNorm, own_style
from mien.models.stylizer import Plan, load, save
from mien.nn.trace import trace

TINY = {"styles": 3, "widths": [4, 6, 8], "blocks": 1}


def tiny(seed: int = 0) -> StyleNet:
    """Shaken, so that styles differ."""
    torch.manual_seed(seed)
    net = StyleNet(**TINY)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, StyleNorm):
                part.gamma.add_(torch.randn_like(part.gamma), alpha=0.1)
                part.beta.add_(torch.randn_like(part.beta), alpha=0.1)
    return net


def test_its_size_and_what_a_pixel_costs() -> None:
    with torch.device("meta"):
        net = StyleNet()
    convolutions = 9 * (12 * 24 + 24 * 32 + 32 * 80 + 6 * 80 * 80 + 80 * 32 + 32 * 24 + 24 * 3) + 3
    norms = 2 * 4 * (24 + 32 + 80 + 6 * 80 + 32 + 24)
    assert sum(p.numel() for p in net.parameters()) == convolutions + norms == 414_123
    found = trace(net, (3, 64, 96))
    assert found.layers[-1].shape == (3, 64, 96)
    # by hand: multiplications of each convolution over the pixels (of the picture) one of its places stands for; a doubling
    # convolution computes four places from nine taps each
    by_hand = 9 * (12 * 24 / 4 + 24 * 32 / 16 + 32 * 80 / 64 + 6 * 80 * 80 / 64 + 80 * 32 / 16 + 32 * 24 / 4 + 24 * 3)
    assert 0 < found.macs - 64 * 96 * by_hand < 2e6  # once a picture: styles are mixed, taps are folded


@pytest.mark.parametrize("bias", [True, False])
def test_doubling_is_a_convolution_of_the_picture_doubled(bias: bool) -> None:
    torch.manual_seed(0)
    conv, x = Doubling(5, 3, bias=bias), torch.randn(2, 5, 6, 7)
    large = F.pad(F.interpolate(x, scale_factor=2.0, mode="nearest"), (1, 1, 1, 1), mode="reflect")
    torch.testing.assert_close(conv(x), F.conv2d(large, conv.weight, conv.bias), atol=1e-5, rtol=1e-5)


def test_normalisation_is_that_of_torch_with_a_styles_own_scale_and_shift() -> None:
    torch.manual_seed(0)
    norm, x = StyleNorm(5, 2), torch.randn(3, 5, 8, 9) * 7 + 100
    nn.init.normal_(norm.gamma)
    nn.init.normal_(norm.beta)
    weights = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]])
    for one, which in zip(x, weights, strict=True):
        wanted = F.instance_norm(one[None], weight=PACE * which @ norm.gamma, bias=PACE * which @ norm.beta)
        torch.testing.assert_close(norm(one[None], which[None]), wanted, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (40, 24), (17, 33), (31, 64)])
def test_any_size_keeps_its_size(height: int, width: int) -> None:
    assert tiny()(torch.rand(2, 3, height, width), torch.eye(3)[:2]).shape == (2, 3, height, width)


def test_one_picture_alone_is_as_in_a_batch() -> None:
    net, x = tiny().eval(), torch.rand(3, 3, 32, 24)
    together = net(x, torch.eye(3))
    for number in range(3):
        torch.testing.assert_close(net(x[number:number + 1], torch.eye(3)[number:number + 1]), together[number:number + 1],
                                   atol=1e-5, rtol=1e-5)  # fmt: skip


def test_every_parameter_gets_a_gradient() -> None:
    net = tiny()
    net(torch.rand(3, 3, 32, 32), torch.eye(3)).square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters())


def test_a_style_moves_nothing_of_another() -> None:
    net, x = tiny(), torch.rand(1, 3, 32, 32)
    net(x, torch.eye(3)[1:2]).sum().backward()
    norms = [part for part in net.modules() if isinstance(part, StyleNorm)]
    for grad in (part.gamma.grad for part in norms):
        assert isinstance(grad, Tensor)
        assert bool((grad[[0, 2]] == 0).all())
        assert bool((grad[1] != 0).any())


def test_it_overfits_one_batch_of_two_styles() -> None:
    torch.manual_seed(0)
    net = StyleNet(2, (8, 12, 16), 1)
    x = F.interpolate(torch.rand(1, 3, 4, 4), (32, 32), mode="bicubic").clamp(0, 1).expand(2, -1, -1, -1)
    wanted = torch.cat([x[:1].flip(1), 1 - x[:1]])  # colours exchanged; a negative
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    loss = torch.tensor(torch.inf)
    for _ in range(100):
        loss = F.mse_loss(net(x, torch.eye(2)), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 4e-3


def test_a_file_keeps_it(tmp_path: Path) -> None:
    net, x = tiny().eval(), torch.rand(1, 3, 24, 24)
    save(tmp_path / "a.safetensors", net, Plan("style-net", net.options, ("a", "b", "c")))
    again, plan = load(tmp_path / "a.safetensors")
    assert plan == Plan("style-net", TINY, ("a", "b", "c"))
    torch.testing.assert_close(again(x, torch.eye(3)[2:]), net(x, torch.eye(3)[2:]))


def test_a_new_style_begins_as_a_mixture() -> None:
    net, x = tiny().eval(), torch.rand(1, 3, 24, 24)
    mixture = torch.tensor([0.5, 0.2, 0.3])
    made = own_style(net, mixture, 2).eval()
    for which in torch.eye(2):
        torch.testing.assert_close(made(x, which[None]), net(x, mixture[None]), atol=1e-5, rtol=1e-5)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="2 weights of styles: this network has 3"):
        tiny()(torch.rand(1, 3, 32, 32), torch.eye(2)[:1])
    with pytest.raises(ValueError, match="20 x 12 pixels are too few: expected 16 or more"):
        tiny()(torch.rand(1, 3, 12, 20), torch.eye(3)[:1])
