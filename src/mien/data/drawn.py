"""Style pictures that nobody painted: drawn by these functions, the same on every machine, free for any use.

Each returns (side, side, 3) uint8 RGB, drawn twice as large and averaged down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIDE = 512
INK = (0.06, 0.08, 0.16)
SEA = ((0.09, 0.18, 0.42), (0.12, 0.30, 0.58), (0.20, 0.48, 0.70), (0.45, 0.70, 0.78), (0.93, 0.89, 0.74), (0.95, 0.70, 0.25))
"""Indigo, two blues, pale blue, paper, gold."""
ARMS = 3
SEA_SHARES = (0.18, 0.22, 0.18, 0.14, 0.16, 0.12)
PANES = ((0.78, 0.10, 0.14), (0.93, 0.45, 0.10), (0.97, 0.80, 0.22), (0.10, 0.48, 0.30), (0.10, 0.34, 0.68), (0.28, 0.16, 0.50),
         (0.40, 0.75, 0.80), (0.95, 0.90, 0.78))  # fmt: skip
"""Ruby, orange, yellow, green, blue, violet, aquamarine, pale."""
PANE_SHARES = (0.15, 0.11, 0.12, 0.13, 0.2, 0.1, 0.11, 0.08)


def clouds(random: np.random.Generator, side: int, cells: int) -> np.ndarray:
    """(side, side) smooth noise around 0, of deviation 1, with about `cells` bumps a side."""
    across = np.fft.rfftfreq(side, 1 / side)
    down = np.fft.fftfreq(side, 1 / side)[:, None]
    pass_ = np.exp(-(across**2 + down**2) / cells**2)
    noise = np.fft.irfft2(np.fft.rfft2(random.standard_normal((side, side))) * pass_, (side, side))
    return noise / noise.std()


def nearest(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances to the nearest and the second nearest of (N, 2) points, and which the nearest is, at places (side, side)."""
    first, second, which = np.full(x.shape, np.inf), np.full(x.shape, np.inf), np.zeros(x.shape, int)
    for number, (px, py) in enumerate(points):
        distance = np.hypot(x - px, y - py)
        closer = distance < first
        second = np.where(closer, first, np.minimum(second, distance))
        which = np.where(closer, number, which)
        first = np.minimum(first, distance)
    return first, second, which


def scattered(random: np.random.Generator, count: int, least: float) -> np.ndarray:
    """(N, 2) points in -0.1..1.1, none nearer to another than `least`; `count` places are tried."""
    points: list[np.ndarray] = []
    for place in random.uniform(-0.1, 1.1, (count, 2)):
        if all(np.hypot(*(place - other)) >= least for other in points):
            points.append(place)
    return np.array(points)


def places(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres, x and y in 0..1, (side, side) each."""
    at = (np.arange(side) + 0.5) / side
    return np.broadcast_to(at, (side, side)), np.broadcast_to(at[:, None], (side, side))


def waves(side: int = SIDE, seed: int = 3) -> np.ndarray:
    """A woodcut of curling water: rings of blue, paper and gold around some thirty eyes, cut by lines of ink that swell and fade."""
    random, big = np.random.default_rng(seed), 2 * side
    x, y = places(big)
    x, y = x + 0.018 * clouds(random, big, 5), y + 0.018 * clouds(random, big, 5)
    eyes = scattered(random, 400, 0.15)
    first, second, which = nearest(eyes, x, y)
    angle = np.arctan2(y - eyes[which, 1], x - eyes[which, 0])
    turns = random.choice([-ARMS, ARMS], len(eyes))[which]
    phase = first * 38 + turns * angle / (2 * np.pi)  # so many rings further with every turn: as many spirals in one another
    ring, within = np.floor(phase), phase % 1
    lot = random.random((len(eyes), ARMS))[which, ring.astype(int) % ARMS]
    colour = np.array(SEA)[np.searchsorted(np.cumsum(SEA_SHARES)[:-1], lot)]
    colour = colour * (0.94 + 0.08 * clouds(random, big, 60)[..., None] + 0.25 * (0.5 - np.abs(within - 0.5))[..., None])
    width = 0.2 + 0.07 * clouds(random, big, 14)
    ink = np.abs(within - 0.5) > 0.5 - width / 2
    ink |= (second - first) < 0.006 + 0.003 * clouds(random, big, 10)
    return reduced(np.where(ink[..., None], INK, colour))


def glass(side: int = SIDE, seed: int = 5) -> np.ndarray:
    """A church window: panes of strong colours with light behind them, streaks in the glass, and dark leading between."""
    random, big = np.random.default_rng(seed), 2 * side
    x, y = places(big)
    x, y = x + 0.012 * clouds(random, big, 6), y + 0.012 * clouds(random, big, 6)
    panes = scattered(random, 2500, 0.062)
    first, second, which = nearest(panes, x, y)
    drawn = np.searchsorted(np.cumsum(PANE_SHARES)[:-1], random.random(len(panes)))
    colour = np.array(PANES)[drawn][which] * random.uniform(0.85, 1.1, len(panes))[which][..., None]
    light = np.clip(1.22 - 9 * first, 0.55, 1.22) + 0.05 * clouds(random, big, 25)
    light += 0.07 * np.sin(x * 260 + 8 * clouds(random, big, 8))
    colour = colour * light[..., None] + 0.10 * np.clip(light - 1, 0, 1)[..., None]
    lead = second - first < 0.013 + 0.002 * clouds(random, big, 12)
    shine = 0.05 * np.clip(clouds(random, big, 40), 0, 2)
    return reduced(np.where(lead[..., None], (np.array(INK) * 0.6 + shine[..., None]), colour))


def reduced(picture: np.ndarray) -> np.ndarray:
    """(2 s, 2 s, 3) in 0..1 -> (s, s, 3) uint8, means of four."""
    height, width = picture.shape[:2]
    small = np.clip(picture, 0, 1).reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
    return (small * 255).round().astype(np.uint8)


DRAWN: dict[str, Callable[[], np.ndarray]] = {"waves": waves, "glass": glass}
"""Name -> what draws it."""
