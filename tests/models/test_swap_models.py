"""Networks of the face swap: sizes, shapes, learning, and independence of a picture from its batch."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mien.models.swap import IDENTITY, SIZES, Decoder, SwapNet

NAMES = sorted(SIZES)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def built(name: str, people: str = "ab") -> SwapNet:
    torch.manual_seed(0)
    return SwapNet(people, name)


def faces(batch: int, size: int) -> Tensor:
    """Smooth random pictures (B, 3, S, S) in 0..1."""
    coarse = torch.rand(batch, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    return nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")


@pytest.mark.parametrize(("name", "encoder", "decoder"), [
    ("original", 69_662_976, 6_199_747),  # the published network, layer by layer
    ("compact", 2_604_704, 2_297_020),
])  # fmt: skip
def test_parameter_counts(name: str, encoder: int, decoder: int) -> None:
    with torch.device("meta"):
        net = SwapNet(["a", "b"], name)
    assert parameters(net.encoder) == encoder
    assert [parameters(d) for d in net.decoders.values()] == [decoder, decoder]


@pytest.mark.parametrize("name", NAMES)
def test_output_shape_equals_input_shape(name: str) -> None:
    with torch.device("meta"):
        net = SwapNet(["a", "b", "c"], name)
        assert list(net.decoders) == ["a", "b", "c"]
        picture = torch.empty(2, 3, SIZES[name], SIZES[name])
        assert net(picture, "c").shape == picture.shape
        code = net.encoder(picture)
    assert code.shape == ((2, 512, 8, 8) if name == "original" else (2, 8 if name == "tiny" else 128, 4, 4))


@pytest.mark.parametrize("name", NAMES)
def test_output_is_within_0_and_1(name: str) -> None:
    with torch.no_grad():
        out = built(name, "a")(faces(1, SIZES[name]), "a")
    assert 0 <= float(out.min()) < float(out.max()) <= 1


def test_overfits_one_batch() -> None:
    net, picture = built("tiny"), faces(4, SIZES["tiny"])
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    errors = []
    for _ in range(150):
        loss = (net(picture, "a") - picture).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < 0.25 * errors[0]
    assert errors[-1] < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    net, picture = built(name), faces(2, SIZES[name])
    for decoder in net.decoders.values():
        if isinstance(decoder, Decoder):  # a zero vector would keep the modulation's weights from learning
            nn.init.normal_(decoder.who)
    sum((net(picture, person) - 0.9).square().mean() for person in "ab").backward()
    still = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_a_decoder_learns_only_from_its_own_person() -> None:
    net = built("tiny")
    net(faces(2, net.size), "a").mean().backward()
    assert all(p.grad is None for p in net.decoders["b"].parameters())
    assert all(p.grad is not None for p in net.encoder.parameters())


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_picture_alone_equals_the_same_in_a_batch(name: str) -> None:
    net, pictures = built(name).eval(), faces(3, SIZES[name])
    torch.testing.assert_close(net(pictures[1:2], "a"), net(pictures, "a")[1:2], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["compact", "tiny"])
@torch.no_grad()
def test_saved_and_loaded_is_the_same(name: str, tmp_path: Path) -> None:
    net, picture = built(name), faces(1, SIZES[name])
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    torch.manual_seed(1)
    other = SwapNet("ab", name)
    assert not torch.equal(other(picture, "b"), net(picture, "b"))
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert torch.equal(other(picture, "b"), net(picture, "b"))


@torch.no_grad()
def test_original_is_saved_and_loaded_the_same(tmp_path: Path) -> None:
    net, picture = built("original", "a"), faces(1, SIZES["original"])
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    expected = net(picture, "a")
    for p in net.parameters():
        p.zero_()
    net.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert torch.equal(net(picture, "a"), expected)


@torch.no_grad()
def test_the_decoder_draws_whom_it_is_told() -> None:
    decoder = built("tiny").decoders["a"]
    code, who = torch.randn(2, 8, 4, 4), torch.randn(2, IDENTITY)
    own = decoder(code)
    assert torch.equal(own, decoder(code, torch.zeros(2, IDENTITY)))  # its own vector starts at zero
    told = decoder(code, who)
    assert not torch.allclose(told, own, atol=1e-4)
    torch.testing.assert_close(decoder(code, who.flip(0))[0], decoder(code[:1], who[1:])[0])
