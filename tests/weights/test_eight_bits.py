"""Weights in eight bits: what it costs, and what stays as it is."""

import pytest
import torch
from torch import nn

from mien.models import planned
from mien.weights.eight_bits import BLOCK, LEAST, STEP, squeeze, unsqueeze


def test_every_number_is_within_half_a_step_of_its_block() -> None:
    value = torch.randn(65, 70, generator=torch.Generator().manual_seed(1)) * torch.logspace(-4, 2, 65)[:, None]
    found = unsqueeze(squeeze({"w": value}))["w"]
    flat = nn.functional.pad(value.flatten(), (0, -value.numel() % BLOCK)).view(-1, BLOCK)
    off = nn.functional.pad((found - value).flatten(), (0, -value.numel() % BLOCK)).view(-1, BLOCK)
    assert (off.abs().amax(1) <= flat.abs().amax(1) / 127 * 0.76).all()  # bfloat16 may round a step down


def test_a_block_by_hand() -> None:
    value = torch.zeros(LEAST // 64, 64)
    value[0, :4] = torch.tensor([127.0, -63.4, 0.6, 0.4])
    kept = squeeze({"w": value})
    assert kept["w"].dtype == torch.int8
    assert kept["w"][0, :4].tolist() == [127, -63, 1, 0]
    assert kept["w" + STEP][:2].tolist() == [1, 0]
    assert torch.equal(unsqueeze(kept)["w"][1:], value[1:])


def test_small_tensors_vectors_and_counts_stay() -> None:
    state = {"first": torch.randn(8, 3, 3, 3), "bias": torch.randn(2 * LEAST), "steps": torch.ones(2, LEAST, dtype=torch.int64)}
    kept = squeeze(state)
    assert kept.keys() == state.keys()
    assert all(torch.equal(kept[name], state[name]) for name in state)


def test_bell_shaped_weights_lose_a_180th() -> None:
    value = torch.randn(64, 1000, generator=torch.Generator().manual_seed(2))
    off = unsqueeze(squeeze({"w": value}))["w"] - value
    assert float(off.std()) == pytest.approx(1 / 180, rel=0.1)


def test_a_planned_network_is_written_in_eight_bits_and_read_as_float(tmp_path) -> None:
    net = nn.Linear(64, LEAST // 64)
    planned.write(tmp_path / "whole.safetensors", net, "test", {"a": 1})
    planned.write(tmp_path / "less.safetensors", net, "test", {"a": 1}, torch.int8)
    state, plan = planned.read(tmp_path / "less.safetensors", "test", "a test")
    assert plan == {"a": 1}
    assert state["weight"].dtype == torch.float32
    assert torch.allclose(state["weight"], net.weight, atol=float(net.weight.detach().abs().max()) / 250)
    assert torch.equal(state["bias"], net.bias)
    assert (tmp_path / "less.safetensors").stat().st_size < (tmp_path / "whole.safetensors").stat().st_size / 3
