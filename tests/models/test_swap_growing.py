"""Decoders that are grown: what they draw at first, that they learn, and what a model file says of its size."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.models.swap import FINE, GROWN, Growth, SwapNet, grow
from mien.models.swap_model import FILE, Person, SwapModel, add_person, load_model, save_model


def small() -> SwapNet:
    torch.manual_seed(0)
    net = SwapNet("ab", "tiny")
    for decoder in net.decoders.values():
        nn.init.normal_(decoder.get_parameter("out.0.weight"), std=0.05)
    return net


def faces(side: int) -> Tensor:
    coarse = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    return nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")


def model(net: SwapNet) -> SwapModel:
    return SwapModel(net, "tiny", {p: Person(p, 3, [0.0] * 128, []) for p in net.decoders}, {})


@pytest.mark.parametrize("size", GROWN["compact"])
def test_sizes(size: int) -> None:
    """The encoder reads 128 pixels whatever is drawn; the stage has a sub-pixel convolution, one more, FiLM, the last."""
    with torch.device("meta"):
        net = SwapNet(["a"], "compact", size)
        assert net(torch.empty(2, 3, size, size), "a").shape == (2, 3, size, size)
        assert (net.size, net.reads) == (size, 128)
        growth = net.decoders["a"].growth
    assert isinstance(growth, Growth)
    by_hand = 9 * 48 * 4 * FINE + 4 * FINE + 9 * FINE * FINE + FINE + 128 * 2 * FINE + 2 * FINE + 9 * FINE * 12 + 12
    assert sum(p.numel() for p in growth.parameters()) == by_hand


@torch.no_grad()
@pytest.mark.parametrize("size", GROWN["tiny"])
def test_at_first_it_draws_what_it_drew_enlarged(size: int) -> None:
    net, x = small(), faces(32)
    larger = grow(net, size)
    assert larger.size == size
    before = net(x, "a")
    wanted = nn.functional.interpolate(before.logit(), size=(size, size), mode="bicubic").sigmoid()
    torch.testing.assert_close(larger(x, "a"), wanted, atol=1e-5, rtol=1e-4)
    assert before.std() > 0.02
    assert torch.equal(larger.code(x), net.code(x))


@torch.no_grad()
def test_larger_faces_are_shrunk_for_the_encoder() -> None:
    larger = grow(small(), 64)
    shrunk = nn.functional.interpolate(faces(64), size=(32, 32), mode="bilinear", antialias=True)
    torch.testing.assert_close(larger(faces(64), "b"), larger(shrunk, "b"))


def test_all_of_it_learns_finer_detail() -> None:
    net, size = grow(small(), 64), 64
    target = (faces(size) + 0.2 * (torch.arange(size) % 2)).clamp(0, 1)  # stripes that 32 pixels cannot show
    adam, errors = torch.optim.Adam(net.parameters(), 5e-3), []
    for _ in range(80):
        loss = (net(target, "a") - target).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        errors.append(float(loss.detach()))
    growth = net.decoders["a"].growth
    assert isinstance(growth, Growth)
    assert all(p.grad is not None and bool(p.grad.any()) for p in growth.parameters() if p.ndim == 4)
    assert errors[-1] < 0.05 < errors[0]


def test_grown_again_it_keeps_what_it_learnt() -> None:
    once = grow(small(), 48)
    nn.init.normal_(once.decoders["b"].get_parameter("growth.out.weight"))
    twice = grow(once, 64)
    assert all(torch.equal(value, twice.state_dict()[name]) for name, value in once.state_dict().items())


def test_sizes_it_cannot_have_are_refused() -> None:
    with pytest.raises(ValueError, match="tiny cannot draw 40 pixels a side: choose 32, 48, 64"):
        grow(small(), 40)
    with pytest.raises(ValueError, match="original cannot draw 128 pixels a side: choose 64"):
        SwapNet([], "original", 128)
    with pytest.raises(ValueError, match="draws 64 pixels a side already, it cannot be made to draw 32"):
        grow(grow(small(), 64), 32)


def test_a_file_says_its_size(tmp_path: Path) -> None:
    net = grow(small(), 48)
    save_model(model(net), tmp_path / FILE)
    found = load_model(tmp_path)
    assert found.net.size == 48
    assert torch.equal(found.net(faces(48), "a"), net.eval()(faces(48), "a"))


def test_a_file_from_before_networks_could_grow_is_of_the_networks_own_size(tmp_path: Path) -> None:
    save_model(model(small()), tmp_path / FILE)
    with safe_open(tmp_path / FILE, "pt") as opened:
        about = json.loads(opened.metadata()["mien"])
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    assert about.pop("size") == 32
    save_file(state, tmp_path / FILE, metadata={"mien": json.dumps(about)})
    found = load_model(tmp_path).net
    assert (found.size, found.decoders["a"].growth) == (32, None)
    assert torch.equal(found(faces(32), "b"), small().eval()(faces(32), "b"))


def test_a_new_person_draws_as_large_as_the_others() -> None:
    net = grow(small(), 48)
    nn.init.normal_(net.decoders["a"].get_parameter("growth.out.weight"))
    add_person(net, "c", np.zeros(128), None)
    assert net(faces(48), "c").shape == (2, 3, 48, 48)
    assert torch.equal(net.decoders["c"].get_parameter("growth.out.weight"), net.decoders["a"].get_parameter("growth.out.weight"))
