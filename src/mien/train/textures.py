"""Textures drawn at random, to learn styles from that nobody owns: stripes, cells, clouds and dabs of a brush, in a few colours."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Draw = Callable[[np.random.Generator, int, np.ndarray], np.ndarray]
"""Random numbers, side, colours (n, 3) float 0..255 -> (side, side, 3) float."""


def texture(random: np.random.Generator, side: int) -> np.ndarray:
    """(side, side, 3) uint8: one kind of texture, at times a second one laid over it in part."""
    colours = palette(random)
    kinds = random.permutation(len(KINDS))
    made = KINDS[kinds[0]](random, side, colours)
    if random.random() < 0.4:
        cover = noise(random, side, 2 ** random.uniform(-5, -3), 1)[..., None]
        made = np.where(cover > random.uniform(0.4, 0.6), KINDS[kinds[1]](random, side, colours), made)
    if random.random() < 0.5:
        made = made + random.normal(0, random.uniform(2, 20), made.shape[:2])[..., None]
    return made.clip(0, 255).astype(np.uint8)


def palette(random: np.random.Generator) -> np.ndarray:
    """(n, 3) 0..255, three to seven colours: hues near one, at times its opposite, light and dark."""
    hue, width, vivid = random.random(), random.choice([0.05, 0.15, 0.5]), random.random()
    hues = hue + random.normal(0, width, random.integers(3, 8)) + 0.5 * (random.random() < 0.5) * random.integers(0, 2)
    return 255 * np.array([colorsys.hsv_to_rgb(h % 1, random.random() * vivid, random.uniform(0.05, 1)) for h in hues])


def noise(random: np.random.Generator, side: int, frequency: float, octaves: int) -> np.ndarray:
    """(side, side) 0..1: smooth random numbers, each octave twice as fine and half as strong."""
    total = np.zeros((side, side))
    for octave in range(octaves):
        cells = max(int(side * frequency * 2**octave) + 1, 2)
        grid = Image.fromarray(random.random((cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC)) / 2**octave
    return (total - total.min()) / max(np.ptp(total), 1e-6)


def stripes(random: np.random.Generator, side: int, colours: np.ndarray) -> np.ndarray:
    """Bands of colours, straight or bent, sharp or soft."""
    y, x = np.mgrid[:side, :side]
    turn = random.uniform(0, np.pi)
    along = x * np.cos(turn) + y * np.sin(turn) + random.choice([0, 1]) * random.uniform(5, 40) * noise(random, side, 1 / 40, 2)
    return mapped(along / random.uniform(4, 30), colours, bool(random.integers(2)))


def cells(random: np.random.Generator, side: int, colours: np.ndarray) -> np.ndarray:
    """Regions nearest to random points, dark or light lines between them."""
    count = int(random.integers(8, 120))
    points, chosen = random.uniform(0, side, (count, 2)), colours[random.integers(len(colours), size=count)]
    y, x = np.mgrid[:side, :side]
    kind = random.choice([1, 2])  # sums of steps: boxes; straight lines: polygons
    across, down = (np.abs(axis[..., None] - points[:, n]) ** kind for n, axis in enumerate((x, y)))
    apart = across + down
    nearest = np.partition(apart, 1, -1)[..., :2] ** (1 / kind)
    line = (nearest[..., 1] - nearest[..., 0] < random.uniform(0, 4))[..., None]
    return np.where(line, random.choice([0.0, 255.0]), chosen[apart.argmin(-1)])


def clouds(random: np.random.Generator, side: int, colours: np.ndarray) -> np.ndarray:
    """Octaves of noise, through a row of colours."""
    return mapped(noise(random, side, 2 ** random.uniform(-6, -2.5), 5) * random.uniform(2, 8), colours, random.random() < 0.3)


def dabs(random: np.random.Generator, side: int, colours: np.ndarray) -> np.ndarray:
    """Short strokes along a field of directions."""
    picture = Image.new("RGB", (side, side), tuple(int(v) for v in colours[0]))
    pen, field = ImageDraw.Draw(picture), noise(random, side, 2 ** random.uniform(-6.5, -4.5), 2) * random.uniform(1, 12)
    shade, long, wide = noise(random, side, 1 / 40, 3), random.uniform(3, 25), int(random.integers(2, 8))
    for _ in range(int(6 * side * side / (long * wide))):
        x, y = random.integers(0, side, 2)
        place = int((shade[y, x] * len(colours) + random.normal(0, 0.7)) % len(colours))
        tone = (colours[place] + random.normal(0, 12, 3)).clip(0, 255)
        dx, dy = long * np.cos(field[y, x]), long * np.sin(field[y, x])
        pen.line([(x - dx / 2, y - dy / 2), (x + dx / 2, y + dy / 2)], tuple(int(v) for v in tone), wide)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 1)))).astype(float)


KINDS: tuple[Draw, ...] = (stripes, cells, clouds, dabs)


def mapped(values: np.ndarray, colours: np.ndarray, sharp: bool) -> np.ndarray:
    """(H, W) -> (H, W, 3): colours in turn, one a unit, sharp or one into the next."""
    low = np.floor(values).astype(int)
    share = 0.0 if sharp else (values - low)[..., None]
    return colours[low % len(colours)] * (1 - share) + colours[(low + 1) % len(colours)] * share
