"""Networks that play against each other: published sizes, shapes, gradients; small ones learn, and are themselves after saving."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models import cgan, dcgan, gan, projection
from mien.models.generator import Plan, build, draw, latent, load, pictures, save
from mien.models.judges import JUDGES, build_judge
from mien.nn.batches import seeded

PLANS = {
    "gan": (Plan("gan", 8, {"latent": 4, "width": 24}), {"width": 12, "drop": 0.0}),
    "cgan": (Plan("cgan", 8, {"latent": 4, "width": 24}, labels=("a", "b", "c")), {"width": 12, "label": 4, "drop": 0.0}),
    "dcgan": (Plan("dcgan", 16, {"latent": 4, "width": 8}, 3), {"width": 8}),
    "dcgan of labels": (Plan("dcgan", 14, {"latent": 4, "width": 8}, 1, ("a", "b")), {"width": 8, "norm": "spectral"}),
    "projection": (Plan("projection", 12, {"latent": 4, "width": 16, "blocks": 2, "narrow": True}, 3, ("a", "b")),
                   {"width": 8, "plain": 1, "widen": True}),
    "projection without labels": (Plan("projection", 8, {"latent": 4, "width": 8, "blocks": 1}), {"width": 8, "plain": 1}),
}  # fmt: skip


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def pair(name: str) -> tuple[nn.Module, nn.Module, Tensor, Tensor | None, Plan]:
    plan, judge = PLANS[name]
    torch.manual_seed(0)
    labels = torch.arange(6) % len(plan.labels) if plan.labels else None
    return build(plan), build_judge(plan, judge), torch.randn(6, latent(build(plan))), labels, plan


def test_published_parameter_counts() -> None:
    """DCGAN's by PyTorch's tutorial and the authors' program; the 32-pixel one by hand: without the 512 and 1024 channel layers."""
    with torch.device("meta"):
        assert parameters(dcgan.Generator()) == 3_576_704
        assert parameters(dcgan.Judge()) == 2_765_568
        assert parameters(dcgan.Generator(32)) == 100 * 256 * 16 + 512 + 256 * 128 * 16 + 256 + 128 * 64 * 16 + 128 + 64 * 3 * 16
        assert parameters(gan.Generator()) == 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
        assert parameters(cgan.Generator()) == 100 * 200 + 200 + 10 * 1000 + 1200 * 1200 + 1200 + 1200 * 784 + 784
        block = 2 * (256 * 256 * 9 + 256) + 256 * 256 + 256
        assert parameters(projection.Generator()) == 128 * 4096 + 4096 + 3 * (block + 4 * 256) + 512 + 256 * 3 * 9 + 3
        assert parameters(projection.Generator(classes=10)) == parameters(projection.Generator()) + 6 * (20 * 256 - 512)


@pytest.mark.parametrize("name", JUDGES)
def test_shapes(name: str) -> None:
    """In the sizes of the papers, on the meta device."""
    side, channels = (28, 1) if name in ("gan", "cgan") else (32, 3)
    plan = Plan(name, side, {}, channels, ("a", "b", "c") if name in ("cgan", "projection") else ())
    with torch.device("meta"):
        net, judge = build(plan).eval(), build_judge(plan, {}).eval()
        labels = torch.zeros(2, dtype=torch.long) if plan.labels else None
        drawn = net(torch.empty(2, latent(net)), labels)
        assert drawn.shape == (2, channels, side, side)
        assert judge(drawn, labels).shape == (2, 1)


@pytest.mark.parametrize("name", PLANS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    net, judge, z, labels, _ = pair(name)
    judge(net(z, labels), labels).square().sum().backward()
    for one in (net, judge):
        assert all(p.grad is not None and bool(p.grad.any()) for p in one.parameters())


@pytest.mark.parametrize("name", PLANS)
def test_both_learn_one_batch(name: str) -> None:
    """The generator draws six given pictures, the judge tells them from six others."""
    net, judge, z, labels, plan = pair(name)
    wanted = torch.tanh(2 * F.interpolate(torch.randn(6, plan.channels, 4, 4), plan.side))
    adam = torch.optim.Adam([*net.parameters(), *judge.parameters()], 4e-3)
    first = last = torch.empty(0)
    for step in range(60):
        seen = judge(torch.cat([wanted, wanted.roll(1, 3) * 0.5]), None if labels is None else torch.cat([labels, labels]))
        judging = F.soft_margin_loss(seen[:, 0], torch.tensor([1.0] * 6 + [-1.0] * 6))
        losses = torch.stack([F.mse_loss(net(z, labels), wanted), judging])
        adam.zero_grad()
        losses.sum().backward()
        adam.step()
        first, last = losses.detach() if step == 0 else first, losses.detach()
    assert last[0] < 0.5 * first[0]
    assert last[1] < 0.8 * first[1]


@pytest.mark.parametrize("name", PLANS)
def test_one_alone_is_one_of_many_and_saved_is_the_same(name: str, tmp_path: Path) -> None:
    net, judge, z, labels, plan = pair(name)
    for one in (net, judge):
        one.eval()
    drawn = net(z, labels)
    torch.testing.assert_close(net(z[1:2], None if labels is None else labels[1:2]), drawn[1:2], rtol=1e-4, atol=1e-5)
    seen = judge(drawn, labels)
    torch.testing.assert_close(judge(drawn[1:2], None if labels is None else labels[1:2]), seen[1:2], rtol=1e-4, atol=1e-5)
    save(tmp_path / "m.safetensors", net, plan)
    kept, found = load(tmp_path / "m.safetensors")
    assert found == plan
    assert torch.equal(draw(kept, plan.side, 6, seeded(1)), draw(net, plan.side, 6, seeded(1)))


def test_labels_matter_and_mix() -> None:
    """Of a network of labels: another label, another picture; all of one label's share is that label; half and half is neither."""
    for name in ("cgan", "dcgan of labels", "projection"):
        net, _, z, _, plan = pair(name)
        for p in net.parameters():
            nn.init.normal_(p, 0, 0.3)
        one, other = torch.zeros(6, dtype=torch.long), torch.ones(6, dtype=torch.long)
        a, b = (pictures(net.eval(), z, labels) for labels in (one, other))
        shares = F.one_hot(one, len(plan.labels)).float()
        assert not torch.allclose(a, b, atol=1e-3)
        torch.testing.assert_close(pictures(net, z, shares), a)
        mixed = pictures(net, z, (shares + F.one_hot(other, len(plan.labels))) / 2)
        assert not torch.allclose(mixed, a, atol=1e-3)


def test_the_shortcuts_are_the_papers() -> None:
    """Mixing before doubling and halving before mixing give what the papers' order gives."""
    torch.manual_seed(0)
    x, mix = torch.randn(2, 3, 4, 4), nn.Conv2d(3, 5, 1)
    torch.testing.assert_close(F.interpolate(mix(x), scale_factor=2.0), mix(F.interpolate(x, scale_factor=2.0)))
    torch.testing.assert_close(mix(F.avg_pool2d(x, 2)), F.avg_pool2d(mix(x), 2))


def test_a_spectral_judge_is_no_steeper_than_one() -> None:
    """Each layer's largest singular value, as a matrix of its weights, is 1."""
    _, judge, _, _, _ = pair("projection")
    judge.train()
    for _ in range(30):
        judge(torch.randn(2, 3, 12, 12), torch.zeros(2, dtype=torch.long))
    for module in judge.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            assert float(torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2)) == pytest.approx(1, abs=0.05)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="not of 36"):
        build(Plan("dcgan", 36, {}, 3))
    with pytest.raises(ValueError, match="multiples of 8 pixels, not 28"):
        build(Plan("projection", 28))
    with pytest.raises(ValueError, match="no network that plays against a judge"):
        build_judge(Plan("vae", 28), {})
    with pytest.raises(ValueError, match="judge of gan cannot be built"):
        build_judge(Plan("gan", 28), {"depth": 3})
    with pytest.raises(ValueError, match="no latent numbers"):
        latent(build(Plan("pixelcnn", 8, {"half": 3, "blocks": 1})))
