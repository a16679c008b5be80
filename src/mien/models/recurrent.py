"""Recurrent networks, their cells written out: plain (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014).

Shapes: B batch, T time, N numbers at each moment, H hidden units. A state is a tuple of (B, H), the hidden vector h first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]


class Cell(nn.Module):
    """One step in time: two dense layers, one on the input and one on the last hidden vector, of `gates` blocks of H outputs each."""

    gates = 1
    memories = 1

    def __init__(self, n_in: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.from_input = nn.Linear(n_in, self.gates * hidden)
        self.from_hidden = nn.Linear(hidden, self.gates * hidden)
        for p in self.parameters():
            nn.init.uniform_(p, -(hidden**-0.5), hidden**-0.5)

    def start(self, x: Tensor) -> State:
        """Zeros, for as many sequences as x (B, ...) has."""
        return tuple(x.new_zeros(len(x), self.hidden) for _ in range(self.memories))

    def forward(self, x: Tensor, state: State) -> State:
        """(B, N), the state before -> the state after."""
        raise NotImplementedError


class PlainCell(Cell):
    """h' = tanh(W x + b + U h + c)."""

    def forward(self, x: Tensor, state: State) -> State:
        """(B, N), (h,) -> (h',)."""
        return (torch.tanh(self.from_input(x) + self.from_hidden(state[0])),)


class GRUCell(Cell):
    """Reset r and update z in 0..1 say how much of the past the proposal n sees, and how much of it stays: h' = (1 - z) n + z h."""

    gates = 3

    def forward(self, x: Tensor, state: State) -> State:
        """(B, N), (h,) -> (h',)."""
        h = state[0]
        x_r, x_z, x_n = self.from_input(x).chunk(3, dim=1)
        h_r, h_z, h_n = self.from_hidden(h).chunk(3, dim=1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        return ((1 - z) * n + z * h,)


class LSTMCell(Cell):
    """A memory c that is only scaled and added to: c' = f c + i g, h' = o tanh(c'), gates i, f, o in 0..1 and a proposal g."""

    gates = 4
    memories = 2

    def forward(self, x: Tensor, state: State) -> State:
        """(B, N), (h, c) -> (h', c')."""
        h, c = state
        i, f, g, o = (self.from_input(x) + self.from_hidden(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


CELLS: dict[str, type[Cell]] = {"plain": PlainCell, "gru": GRUCell, "lstm": LSTMCell}


class Recurrent(nn.Module):
    """The same cell at every moment: h_t from x_t and h_(t-1)."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, N) -> all hidden vectors (B, T, H)."""
        state, out = self.cell.start(x), []
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
            out.append(state[0])
        return torch.stack(out, dim=1)


class Rows(nn.Module):
    """A picture as a sequence of its rows."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, H, C * W)."""
        return x.transpose(1, 2).flatten(2)


class Last(nn.Module):
    """What is known at the end of a sequence."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)."""
        return x[:, -1]


def recurrent(kind: str = "lstm", classes: int = 10, n_in: int = 28, hidden: int = 128) -> nn.Sequential:
    """(B, C, H, W) with C * W = n_in, read row by row -> (B, classes). Kinds: plain, gru, lstm; ValueError for another."""
    if kind not in CELLS:
        raise ValueError(f"there is no recurrent cell {kind!r}; known: {', '.join(CELLS)}")
    return nn.Sequential(Rows(), Recurrent(CELLS[kind](n_in, hidden)), Last(), nn.Linear(hidden, classes))
