"""Three ways from moved points to a dense field, since whoever learns the trace of one tool misses the next.

Each takes positions (N, 2), the points where they were, `source`, and where they are to go, `target` (both (P, 2), the 77 of
`sliders.moved` first, then anchors that stay), and returns displacements (N, 2): what is at a position afterwards was at position +
displacement.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mien.data.warp import scale_of
from mien.faces.align import alignment
from mien.faces.reshape import fields
from mien.faces.reshape.brush import Stroke, origins, push
from mien.faces.reshape.sliders import Sliders, moved

Warper = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def squares(at: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 2), (P, 2) -> the (N, P) squares of their distances."""
    across, down = at[:, :1] - points[:, 0], at[:, 1:] - points[:, 1]
    across *= across
    down *= down
    across += down
    return across


def moving_least_squares(at: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """At each position the similarity that best moves the points, near ones weighing 1 / d^4 (Schaefer et al. 2006, section 2.2).

    In complex numbers it is f(v) = q* + a (v - p*), a = sum w conj(p - p*) (q - q*) / sum w |p - p*|^2; summed here are the shifts
    q - p instead of q, which leaves f(v) - v.
    """
    middle, unit = target.mean(0), np.ptp(target[:77, 0])
    v, p, shift = ((x / unit).astype(np.float64) for x in (at - middle, target - middle, source - target))
    weight = squares(v, p)
    weight += 3e-5  # a point's own pixel
    np.reciprocal(weight, out=weight)
    weight *= weight  # 1 / d^2, their alpha of 1, leaves a pit or a peak about each point
    px, py, sx, sy = p[:, 0], p[:, 1], shift[:, 0], shift[:, 1]
    sums = weight @ np.stack([np.ones_like(px), px, py, sx, sy, px * px + py * py, px * sx + py * sy, px * sy - py * sx], 1)
    px, py, sx, sy, square, real, imaginary = (sums[:, 1:] / sums[:, :1]).T
    square -= px * px + py * py
    real, imaginary = (real - px * sx - py * sy) / square, (imaginary - px * sy + py * sx) / square  # a - 1
    across, down = v[:, 0] - px, v[:, 1] - py
    return np.stack([sx + real * across - imaginary * down, sy + real * down + imaginary * across], 1) * unit


def thin_plate(at: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The surface through all points that bends least: kernel r^2 log r^2 and an affine part (Bookstein 1989)."""
    middle, unit = target.mean(0), np.ptp(target[:77, 0])
    points, count = (target - middle) / unit, len(target)

    def basis(a: np.ndarray) -> np.ndarray:
        square = squares(a, points.astype(a.dtype))
        return np.hstack([square * np.log(square + a.dtype.type(1e-9)), np.ones_like(a[:, :1]), a])

    system = np.zeros((count + 3, count + 3))
    system[:count] = basis(points)
    system[count:, :count] = system[:count, count:].T
    system[range(count), range(count)] += 1e-6  # points that coincide (a closed eye's lids) stay solvable
    weights = np.linalg.solve(system, np.vstack([source - target, np.zeros((3, 2))]))
    return basis(((at - middle) / unit).astype(np.float32)) @ weights.astype(np.float32)


BRUSHES: tuple[tuple[float, tuple[tuple[int, ...], ...]], ...] = (
    (0.26, ((70, 71), (72,), (73, 74), (68, 69), (75, 76))),
    (0.24, ((0, 1), (15, 16), (2, 3), (13, 14), (4, 5), (11, 12), (6, 7), (9, 10), (8,))),
    (0.09, ((17, 18, 19), (24, 25, 26), (20, 21), (22, 23), (28, 29), (31, 32), (30, 33), (34, 35))),
    (0.075, ((48, 60), (54, 64))),
    (0.06, ((49, 50), (51,), (52, 53), (58, 59), (57,), (55, 56), (61, 62, 63), (65, 66, 67))),
    (0.055, ((36,), (39,), (42,), (45,), (37, 38), (43, 44), (40, 41), (46, 47))),
)
"""Radius in windows of the face, and the points that one push of the brush takes along; the wide ones come first."""
ROUNDS = 2
"""How often all brushes are used: the first pushes disturb their neighbours, the next put these right."""


def liquify_strokes(source: np.ndarray, target: np.ndarray) -> list[Stroke]:
    """The pushes that bring the 77 points about where they are to go."""
    unit, goal = 1 / scale_of(alignment(source[:68], 1)), target[:77].T
    now, strokes = source[:77].T.astype(np.float64), []
    for _ in range(ROUNDS):
        for radius, groups in BRUSHES:
            for group in groups:
                points = list(group)
                by = goal[:, points].mean(1) - now[:, points].mean(1)
                if np.hypot(*by) > 4e-4 * unit:  # a tenth of a pixel in a crop of 400
                    stroke = push(now[:, points].mean(1), by, radius * unit)
                    strokes.append(stroke)
                    now = stroke.after(now, 2)
    return strokes


def liquify(at: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Pushes with a round brush, one a group of points: beyond the brushes everything stays exactly where it was."""
    return origins(at, liquify_strokes(source, target)) - at


WARPERS: dict[str, Warper] = {"mls": moving_least_squares, "tps": thin_plate, "liquify": liquify}


def anchors(points: np.ndarray, height: int, width: int, still: bool) -> np.ndarray:
    """Points that stay: along the border, and where the background is to be `still` an oval around the head (77, 2) as well."""
    share = np.linspace(0, 1, 6)[:-1]
    zero, one = np.zeros(5), np.ones(5)
    border = np.concatenate([np.stack(side, 1) for side in ((share, zero), (one, share), (1 - share, one), (zero, 1 - share))])
    border *= [width, height]
    if not still:
        return border
    low, high = points.min(0), points.max(0)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)[:, None]
    oval = (low + high) / 2 + 0.5 * (high - low) * np.concatenate([np.cos(turn), np.sin(turn)], 1) * 1.5
    return np.concatenate([border, oval.clip(0, [width, height])])


def reshaped_field(landmarks: np.ndarray, amounts: Sliders, height: int, width: int, warper: str = "mls",
                   still: bool = True) -> np.ndarray:
    """(68, 2) in a crop of height x width pixels -> the backward field (2, H, W) float32 of what the sliders ask for.

    `warper`: mls, tps or liquify; not `still`, the background gives way a little (but the border never moves). Raises ValueError
    for another warper.
    """
    if warper not in WARPERS:
        raise ValueError(f"no warper is called {warper!r}: choose {', '.join(WARPERS)}")
    source, target = moved(landmarks, amounts)
    if np.array_equal(source, target) or amounts == Sliders():
        return np.zeros((2, height, width), np.float32)
    stay = anchors(source, height, width, still)
    shifts = WARPERS[warper](fields.nodes(height, width), np.concatenate([source, stay]), np.concatenate([target, stay]))
    return fields.dense(shifts, height, width)
