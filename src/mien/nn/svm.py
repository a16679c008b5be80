"""Linear support vector machines: the primal problem with squared hinge losses (LIBLINEAR: Fan et al. 2008, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor


def fit_svm(x: Tensor, y: Tensor, c: float = 1.0, bias: float = 10.0, steps: int = 200) -> tuple[Tensor, Tensor]:
    """(N, F), (N,) of -1 and 1 -> weights (F,) and offset () that minimise |w|^2 / 2 + c * sum of max(0, 1 - y (w x + b))^2.

    `bias`: what stands beside the features for the offset, as R-CNN's code has it: the larger, the less the offset is held back. The
    problem is convex and smooth, so L-BFGS finds its one minimum.
    """
    wide = torch.cat([x, x.new_full((len(x), 1), bias)], 1)
    w = torch.zeros(wide.shape[1], dtype=x.dtype, device=x.device, requires_grad=True)
    solver = torch.optim.LBFGS([w], max_iter=steps, history_size=20, line_search_fn="strong_wolfe", tolerance_grad=1e-7)

    def cost() -> Tensor:
        solver.zero_grad()
        value = objective(w, wide, y, c)
        value.backward()
        return value

    with torch.enable_grad():
        solver.step(cost)  # pyright: ignore[reportArgumentType]
    w = w.detach()
    return w[:-1], w[-1] * bias


def objective(w: Tensor, x: Tensor, y: Tensor, c: float) -> Tensor:
    """() what is minimised."""
    return w.square().sum() / 2 + c * (1 - y * (x @ w)).clamp(min=0).square().sum()


def ridge(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    """(N, F), (N, K) -> (F, K) w with least |y - x w|^2 + penalty |w|^2 (R-CNN, appendix C, equation 5)."""
    if len(x) < x.shape[1]:  # the same w from the smaller system: as wide as there are examples
        return x.T @ torch.linalg.solve(x @ x.T + penalty * torch.eye(len(x), dtype=x.dtype, device=x.device), y)
    own = x.T @ x + penalty * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return torch.linalg.solve(own, x.T @ y)
