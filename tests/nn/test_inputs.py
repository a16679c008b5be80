"""The input layer against numpy, and what whitening promises."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mien.nn.inputs import KINDS, InputLayer

SHAPE = (3, 4, 5)


def pictures(count: int = 500) -> Tensor:
    """(N, 3, 4, 5) uint8 whose numbers hang together, brighter in the second channel."""
    random = np.random.default_rng(0)
    base = random.normal(size=(count, 8)) @ random.normal(size=(8, 60)) * 12 + random.normal(size=(count, 60)) * 6
    base = base.reshape(count, *SHAPE) + np.array([100, 140, 110])[:, None, None]
    return torch.from_numpy(base.clip(0, 255).astype(np.uint8))


def fitted(kind: str, eps: float = 1e-5) -> InputLayer:
    layer = InputLayer(SHAPE, kind, eps)
    layer.fit(pictures())
    return layer


def test_none_only_scales_bytes() -> None:
    assert torch.equal(fitted("none")(pictures()), pictures().float() / 255)
    x = torch.rand(2, *SHAPE)
    assert torch.equal(fitted("none")(x), x)


@pytest.mark.parametrize("kind", ["mean", "standard"])
def test_channels_against_numpy(kind: str) -> None:
    x = pictures().numpy() / 255
    expected = x - x.mean((0, 2, 3), keepdims=True)
    if kind == "standard":
        expected /= x.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(fitted(kind)(pictures()).numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitening_against_numpy(kind: str) -> None:
    """By the singular values of the data itself, not by the eigenvectors of its covariance."""
    x = pictures().numpy().reshape(500, 60) / 255
    centred = x - x.mean(0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    white = centred @ rows.T / np.sqrt(values**2 / 500 + 1e-5)
    ours = fitted(kind)(pictures()).flatten(1).numpy()
    if kind == "zca":
        np.testing.assert_allclose(ours, white @ rows, atol=2e-3)
    else:  # the sign of an axis is free
        np.testing.assert_allclose(np.abs(ours), np.abs(white), atol=2e-3)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_the_covariance_after_whitening_is_the_identity(kind: str) -> None:
    out = fitted(kind, eps=1e-12)(pictures()).flatten(1).double()
    torch.testing.assert_close(out.mean(0), torch.zeros(60, dtype=torch.float64), atol=1e-3, rtol=0)
    torch.testing.assert_close(out.T.cov(correction=0), torch.eye(60, dtype=torch.float64), atol=2e-3, rtol=0)


def test_zca_is_the_whitening_that_changes_a_picture_least() -> None:
    """Among all rotations of white data ZCA's matrix is the symmetric positive one, so its trace is the largest."""
    zca, pca = fitted("zca").matrix, fitted("pca").matrix
    torch.testing.assert_close(zca, zca.T, atol=1e-5, rtol=0)
    assert zca.trace() > pca.trace()
    torch.testing.assert_close(zca.T @ zca, pca.T @ pca, atol=1e-2, rtol=1e-4)


def test_the_strongest_axis_comes_first() -> None:
    x = pictures().flatten(1).double() / 255
    axes = fitted("pca").matrix.double()
    variance = ((x - x.mean(0)) @ torch.nn.functional.normalize(axes, dim=1).T).var(0)
    assert (variance.diff() < 1e-9).all()


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_and_fractions_are_the_same_and_so_is_one_picture_alone(kind: str) -> None:
    layer = fitted(kind)
    out = layer(pictures())
    torch.testing.assert_close(layer(pictures().float() / 255), out)
    torch.testing.assert_close(layer(pictures()[3:4]), out[3:4], atol=1e-5, rtol=1e-5)
    assert out.shape == (500, *SHAPE)
    assert out.dtype == torch.float32
    assert layer.double()(pictures()).dtype == (torch.float32 if kind == "none" else torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_fitted_is_kept_with_the_weights(kind: str, tmp_path: Path) -> None:
    save_file(fitted(kind).state_dict(), tmp_path / "inputs.safetensors")
    layer = InputLayer(SHAPE, kind)
    layer.load_state_dict(load_file(tmp_path / "inputs.safetensors"))
    assert torch.equal(layer(pictures()), fitted(kind)(pictures()))
    assert (not torch.equal(layer(pictures()), InputLayer(SHAPE, kind)(pictures()))) is (kind != "none")
    assert not list(layer.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_without_any_variance_stays_finite(kind: str) -> None:
    flat = pictures()
    flat[:, 1] = 200
    layer = InputLayer(SHAPE, kind)
    layer.fit(flat)
    out = layer(flat)
    assert out.isfinite().all()
    if kind != "pca":
        assert out[:, 1].abs().max() < (0.79 if kind == "none" else 1e-2)


def test_volumes_and_signals_too() -> None:
    signal = InputLayer((2, 30))
    x = torch.rand(40, 2, 30) * torch.tensor([[1.0], [3.0]])
    signal.fit(x)
    torch.testing.assert_close(signal(x).std((0, 2), correction=0), torch.ones(2))


@pytest.mark.parametrize(("call", "said"), [
    (lambda: InputLayer(SHAPE, "white"), "no input layer 'white'; known: none, mean, standard, pca, zca"),
    (lambda: InputLayer((3, 64, 64), "zca"), "up to 4096 numbers a picture, not 12288"),
    (lambda: InputLayer(SHAPE).fit(torch.zeros(5, 1, 4, 5)), r"shape \(3, 4, 5\), not \(5, 1, 4, 5\)"),
    (lambda: InputLayer(SHAPE).fit(torch.zeros(0, *SHAPE)), r"not \(0, 3, 4, 5\)"),
])  # fmt: skip
def test_what_cannot_be_is_said(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
