"""AdaIN: the mathematics by hand, sizes, mixtures, what is saved."""

import pytest
import torch

from mien.models.adain import AdaIN, filled
from mien.models.stylizer import Plan, load, read_plan, save
from mien.models.stylizers import Stylizer, opened
from mien.models.vgg_features import VGGFeatures
from mien.nn.style import adain, statistics


def encoder() -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(widths=(4, 4, 6, 4, 4)).eval().requires_grad_(False)


def net() -> AdaIN:
    torch.manual_seed(1)
    return AdaIN(encoder(), (8, 8, 8, 8)).eval()


def test_the_bundled_size_fits_in_a_megabyte_in_half_precision():
    with torch.device("meta"):
        made = AdaIN(VGGFeatures())
    numbers = sum(p.numel() for p in made.parameters())
    # 259 channels of maps and colours; four 3x3 convolutions with ReLU, and the last one
    assert numbers == sum(9 * a * b + b for a, b in ((259, 128), (128, 96), (96, 64), (64, 32), (32, 3))) == 483_875
    assert made(torch.empty(2, 3, 37, 50, device="meta"), [made.style(torch.empty(1, 3, 16, 16, device="meta"))],
                torch.empty(1, device="meta")).shape == (2, 3, 37, 50)  # fmt: skip


def test_the_target_is_equation_8_and_strength_equation_14():
    model, x, style = net(), torch.rand(1, 3, 24, 32), torch.rand(1, 3, 16, 16)
    maps, look = model.encode(x), model.encode(style)
    one = torch.ones(1)
    torch.testing.assert_close(model.target(maps, [statistics(look)], one), adain(maps, look), rtol=1e-4, atol=1e-4)
    half = model.target(maps, [statistics(look)], one, 0.5)
    torch.testing.assert_close(half, (maps + adain(maps, look)) / 2, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.target(maps, [statistics(look)], one, 0.0), maps, rtol=1e-4, atol=1e-4)


def test_mixing_moments_is_mixing_maps():
    model, x, styles = net(), torch.rand(1, 3, 16, 16), torch.rand(2, 1, 3, 16, 16)
    maps, looks = model.encode(x), [model.encode(one) for one in styles]
    mixed = model.target(maps, [statistics(look) for look in looks], torch.tensor([0.3, 0.7]))
    expected = sum(share * adain(maps, look) for share, look in zip((0.3, 0.7), looks, strict=True))  # equation 15
    torch.testing.assert_close(mixed, expected, rtol=1e-4, atol=1e-4)


def test_an_untrained_decoder_gives_the_picture_in_the_styles_colours():
    model = net()
    model.decoder[-1].weight.data.zero_()  # pyright: ignore[reportCallIssue]
    red = torch.tensor([0.9, 0.2, 0.1])
    y = model(torch.rand(1, 3, 40, 40), [model.style(red.view(1, 3, 1, 1).expand(1, 3, 8, 8))], torch.ones(1))
    torch.testing.assert_close(y.mean((0, 2, 3)), red, atol=0.01, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 7), (33, 64)])
def test_any_size(size: tuple[int, int]):
    model = net()
    assert min(filled(torch.rand(1, 3, *size)).shape[-2:]) >= 8
    assert model(torch.rand(2, 3, *size), [model.style(torch.rand(1, 3, *size))], torch.ones(1)).shape == (2, 3, *size)


def test_one_alone_is_the_same_in_a_batch_and_every_parameter_learns():
    model, x = net(), torch.rand(2, 3, 16, 20)
    styles = [model.style(torch.rand(1, 3, 16, 16))]
    y = model(x, styles, torch.ones(1))
    torch.testing.assert_close(y[1:], model(x[1:], styles, torch.ones(1)), rtol=1e-4, atol=1e-5)
    y.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_saved_without_the_encoder_and_opened_again(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mien.models.vgg_features.load", encoder)
    model = net()
    save(tmp_path / "a.safetensors", model, Plan("adain", {"widths": [8, 8, 8, 8]}))
    assert not [name for name in load(tmp_path / "a.safetensors")[0].state_dict() if "convs" in name]
    x, picture = torch.rand(1, 3, 20, 20), torch.rand(1, 3, 16, 16)
    again = opened(str(tmp_path / "a.safetensors"))
    assert again.any
    assert again.styles == ()
    y = again.pictured([picture], ["a"])(x)
    torch.testing.assert_close(y, Stylizer("b", model, ["a"], [model.style(picture)])(x))


def test_what_is_no_stylizer_is_refused_in_one_line(tmp_path):
    (tmp_path / "b.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match=r"is not a whole \.safetensors file"):
        read_plan(tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match=r"no style 'nobody': choose .*\.safetensors file or the run folder"):
        opened("nobody")
    save(tmp_path / "c.safetensors", net(), Plan("nothing"))
    with pytest.raises(ValueError, match="no network for styles is called 'nothing'; known: adain, style-net"):
        opened(tmp_path / "c.safetensors")
