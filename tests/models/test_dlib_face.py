"""dlib's face network: shape, size, gradients; folding against unfolded arithmetic; vectors against dlib's own."""

import pytest
import torch
import torch.nn.functional as F

from mien.models.dlib_face import Block, dlib_face, fold, quick
from mien.nn.packed import packable
from mien.weights import find, load


def test_parameters_and_shape() -> None:
    with torch.device("meta"):
        network = dlib_face()
        assert network(torch.zeros(2, 3, 150, 150)).shape == (2, 128)
    # 29 convolutions with biases and 128 x 256: the file's 5,614,595 numbers less 29 affine layers and the mean colour
    assert sum(p.numel() for p in network.parameters()) == 5_607_488
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 29


def test_one_alone_equals_one_in_a_batch_and_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    network, x = dlib_face(), torch.rand(3, 3, 150, 150)
    together = network(x)
    assert torch.allclose(network(x[1:2]), together[1:2], atol=1e-5)
    together.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.skipif(not packable(), reason="this PyTorch lacks the operators")
@pytest.mark.parametrize("count", [1, 3])
def test_the_quick_form_gives_the_same_numbers_and_leaves_its_input_alone(count: int) -> None:
    torch.manual_seed(1)
    network, x = dlib_face().eval(), torch.rand(count, 3, 150, 150)
    before = x.clone()
    with torch.inference_mode():
        expected, found = network(x), quick(network)(x.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))
    assert torch.equal(x, before)


def test_overfits_one_batch() -> None:
    torch.manual_seed(0)
    network, target = dlib_face(), F.normalize(torch.randn(4, 128))
    x = F.interpolate(torch.rand(4, 3, 2, 2), (150, 150), mode="bilinear")
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(40):
        loss = F.mse_loss(network(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_a_shortcut_over_a_change_of_size_fills_with_zeros() -> None:
    """8 rows: the convolution leaves 3, the pool 4; what only the shortcut reaches is the pool of the input alone."""
    block = Block(2, 4, down=True)
    x = torch.rand(1, 2, 8, 8)
    y = block(x)
    assert y.shape == (1, 4, 4, 4)
    assert torch.allclose(y[:, :2, 3, :], F.avg_pool2d(x, 2)[:, :, 3, :])
    assert torch.equal(y[:, 2:, 3, :], torch.zeros(1, 2, 4))


def test_folding_equals_the_layers_one_after_the_other() -> None:
    torch.manual_seed(0)
    network, tensors = dlib_face(), {"input.0.mean": torch.tensor([122.782, 117.001, 104.298])}
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    for i, layer in enumerate(convolutions):
        tensors[f"conv.{i}.weight"] = layer.weight.data.clone()
        tensors[f"conv.{i}.bias"] = torch.randn(layer.out_channels)
        tensors[f"affine.{i}.scale"] = torch.rand(layer.out_channels) + 0.5
        tensors[f"affine.{i}.shift"] = torch.randn(layer.out_channels)
    tensors["fc.0.weight"] = torch.randn(128, 256)
    network.load_state_dict(fold(tensors))
    x = torch.rand(2, 3, 150, 150)
    given = (255 * x - tensors["input.0.mean"][:, None, None]) / 256
    plain = F.conv2d(given, tensors["conv.0.weight"], tensors["conv.0.bias"], 2)
    plain = plain * tensors["affine.0.scale"][:, None, None] + tensors["affine.0.shift"][:, None, None]
    assert torch.allclose(convolutions[0](x), plain, atol=1e-5)
    z = torch.rand(2, 256, 2, 2)
    plain = F.conv2d(z, tensors["conv.28.weight"], tensors["conv.28.bias"], padding=1)
    plain = plain * tensors["affine.28.scale"][:, None, None] + tensors["affine.28.shift"][:, None, None]
    assert torch.allclose(convolutions[28](z), plain, atol=1e-5)


@pytest.fixture(scope="module")
def trained() -> torch.nn.Module:
    if find("dlib-face") is None:
        pytest.skip("dlib's weights are not on this machine (mien models --fetch)")
    network = dlib_face()
    network.load_state_dict(fold(load("dlib-face")))
    return network.eval()


def test_same_vectors_as_dlib(trained: torch.nn.Module) -> None:
    dlib = pytest.importorskip("dlib")
    torch.manual_seed(0)
    smooth = F.interpolate(torch.rand(10, 3, 12, 12), (150, 150), mode="bicubic").clamp(0, 1)
    pictures = (smooth * 255).round().to(torch.uint8)
    theirs = dlib.face_recognition_model_v1(str(find("dlib-face"))).compute_face_descriptor(
        [picture.permute(1, 2, 0).numpy().copy() for picture in pictures], 0
    )
    with torch.inference_mode():
        ours = trained(pictures / 255)
    assert torch.allclose(ours, torch.tensor([list(vector) for vector in theirs]), atol=1e-5)


def test_bfloat16_hardly_moves_distances(trained: torch.nn.Module) -> None:
    torch.manual_seed(0)
    x = F.interpolate(torch.rand(10, 3, 12, 12), (150, 150), mode="bicubic").clamp(0, 1)
    with torch.inference_mode():
        exact = trained(x)
        rough = dlib_face().to(torch.bfloat16)
        rough.load_state_dict(trained.state_dict())
        assert (torch.cdist(rough(x.bfloat16()).float(), exact).diagonal()).max() < 0.05
        moved = torch.pdist(rough(x.bfloat16()).float()) - torch.pdist(exact)
    assert moved.abs().max() < 0.01
