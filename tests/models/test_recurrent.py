"""The cells written out are torch's own, number by number."""

import pytest
import torch
from torch import nn

from mien.models.recurrent import CELLS, Recurrent, Rows, recurrent

TORCH = {"plain": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("kind", CELLS)
def test_equal_to_torch_on_the_same_weights(kind: str) -> None:
    torch.manual_seed(0)
    ours, theirs = Recurrent(CELLS[kind](5, 7)), TORCH[kind](5, 7, batch_first=True)
    names = {"weight_ih_l0": "from_input.weight", "bias_ih_l0": "from_input.bias",
             "weight_hh_l0": "from_hidden.weight", "bias_hh_l0": "from_hidden.bias"}  # fmt: skip
    ours.cell.load_state_dict({names[name]: value for name, value in theirs.state_dict().items()})
    x = torch.randn(3, 11, 5, requires_grad=True)
    mine, expected = ours(x), theirs(x)[0]
    torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(out.square().sum(), x)[0] for out in (mine, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_the_plain_cell_by_hand() -> None:
    """One unit, weights 2 and 0.5, biases 0.1 and -0.3: h1 = tanh(2 x1 - 0.2), h2 = tanh(2 x2 + 0.5 h1 - 0.2)."""
    net = Recurrent(CELLS["plain"](1, 1))
    with torch.no_grad():
        for p, value in zip(net.parameters(), (2.0, 0.1, 0.5, -0.3), strict=True):
            p.fill_(value)
    out = net(torch.tensor([[[1.0], [-1.0]]]))[0, :, 0].tolist()
    h1 = torch.tanh(torch.tensor(1.8))
    assert out == pytest.approx([float(h1), float(torch.tanh(-2.2 + 0.5 * h1))])


def test_the_past_matters_and_the_future_does_not() -> None:
    net, x = Recurrent(CELLS["gru"](4, 6)), torch.randn(1, 9, 4)
    before = net(x)
    x[0, 5] += 1
    assert torch.equal(net(x)[0, :5], before[0, :5])
    assert not torch.isclose(net(x)[0, 8], before[0, 8]).all()


def test_a_picture_is_read_row_by_row() -> None:
    x = torch.arange(24.0).view(1, 2, 3, 4)
    assert Rows()(x)[0, 1].tolist() == [4, 5, 6, 7, 16, 17, 18, 19]


def test_an_unknown_cell_is_said() -> None:
    with pytest.raises(ValueError, match="no recurrent cell 'elman'; known: plain, gru, lstm"):
        recurrent("elman")
