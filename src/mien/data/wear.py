"""What happens to a picture on its way: compressed, resized, blurred, made noisy, recoloured, photographed off a screen.

A chain is drawn from a NumPy generator and is then the same for every picture it is put on, so an original and its fake can be worn
alike and compression is no clue to which is which. All steps keep the size of a picture and the places in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

Step = Callable[[np.ndarray], np.ndarray]
"""(H, W, 3) uint8 -> (H, W, 3) uint8."""

FULL, HALF = 0, 2
"""JPEG chroma: at full resolution (4:4:4), at half of it both ways (4:2:0)."""
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def jpeg(image: np.ndarray, quality: int, chroma: int = HALF) -> np.ndarray:
    """Compressed and opened again; `quality` 1..100."""
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=chroma)
    return np.asarray(Image.open(file))


def rescaled(image: np.ndarray, scale: float, there: Image.Resampling = Image.Resampling.BICUBIC,
             back: Image.Resampling = Image.Resampling.BICUBIC) -> np.ndarray:
    """Resized by `scale` (antialiased) and back to its size."""
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((max(round(width * scale), 1), max(round(height * scale), 1)), there)
    return np.asarray(small.resize((width, height), back))


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    """By a Gaussian of standard deviation `radius` pixels."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def sharpened(image: np.ndarray, radius: float, percent: int) -> np.ndarray:
    """By an unsharp mask."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.UnsharpMask(radius, percent, 0)))


def noisy(image: np.ndarray, spread: float, grey: bool, seed: int) -> np.ndarray:
    """Gaussian noise of standard deviation `spread` levels, each channel its own or, `grey`, one for all three."""
    shape = (*image.shape[:2], 1 if grey else 3)
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    noise *= np.float32(spread)
    noise = noise + image
    return np.rint(noise, out=noise).clip(0, 255, out=noise).astype(np.uint8)


def recoloured(image: np.ndarray, contrast: float, brightness: float, gamma: float, tint: tuple[float, float, float]) -> np.ndarray:
    """((x * tint)^gamma - 1/2) * contrast + 1/2 + brightness, in 0..1."""
    x = np.linspace(0, 1, 256)[:, None] * np.array(tint)
    table = (x.clip(0, 1) ** gamma - 0.5) * contrast + 0.5 + brightness
    table = (table.clip(0, 1) * 255).round().astype(np.uint8)
    return np.asarray(Image.fromarray(image).point(table.T.ravel().tolist()))


def screenshot(image: np.ndarray, scale: float, percent: int, quality: int | None) -> np.ndarray:
    """Shown at another size, sharpened by the viewer, kept as PNG (None) or JPEG, and brought back to its size."""
    height, width = image.shape[:2]
    shown = Image.fromarray(image).resize((max(round(width * scale), 1), max(round(height * scale), 1)), Image.Resampling.BILINEAR)
    seen = np.asarray(shown.filter(ImageFilter.UnsharpMask(1.0, percent, 0)))
    seen = seen if quality is None else jpeg(seen, quality)
    return np.asarray(Image.fromarray(seen).resize((width, height), Image.Resampling.BICUBIC))


def _jpeg(random: np.random.Generator) -> Step:
    return partial(jpeg, quality=int(random.integers(50, 101)), chroma=HALF if random.random() < 0.7 else FULL)


def _rescaled(random: np.random.Generator) -> Step:
    there, back = random.integers(len(FILTERS), size=2)
    scale = random.uniform(0.4, 1) if random.random() < 0.75 else random.uniform(1, 1.5)
    return partial(rescaled, scale=float(scale), there=FILTERS[there], back=FILTERS[back])


def _blurred(random: np.random.Generator) -> Step:
    return partial(blurred, radius=float(random.uniform(0.3, 1.3)))


def _sharpened(random: np.random.Generator) -> Step:
    return partial(sharpened, radius=float(random.uniform(0.5, 2)), percent=int(random.integers(20, 120)))


def _noisy(random: np.random.Generator) -> Step:
    return partial(noisy, spread=float(random.uniform(0.5, 6)), grey=bool(random.random() < 0.5), seed=int(random.integers(2**32)))


def _recoloured(random: np.random.Generator) -> Step:
    tint = tuple(random.uniform(0.94, 1.04, 3).tolist())
    return partial(recoloured, contrast=float(random.uniform(0.85, 1.15)), brightness=float(random.uniform(-0.06, 0.06)),
                   gamma=float(random.uniform(0.85, 1.18)), tint=tint)  # type: ignore[arg-type]


def _screenshot(random: np.random.Generator) -> Step:
    quality = int(random.integers(60, 98)) if random.random() < 0.5 else None
    return partial(screenshot, scale=float(random.uniform(0.6, 1.35)), percent=int(random.integers(0, 90)), quality=quality)


KINDS: tuple[tuple[float, Callable[[np.random.Generator], Step]], ...] = (
    (0.35, _jpeg), (0.30, _rescaled), (0.15, _blurred), (0.12, _sharpened), (0.15, _noisy), (0.30, _recoloured), (0.10, _screenshot),
)
"""How often each step is in a chain, and what draws its strength."""
UNTOUCHED, SAVED = 0.12, 0.7
"""Share of chains with no step at all, and of the others that end as a JPEG."""


def chain(random: np.random.Generator) -> list[Step]:
    """Steps in random order, most often ending as a JPEG; some chains are empty."""
    if random.random() < UNTOUCHED:
        return []
    steps = [draw(random) for share, draw in KINDS if random.random() < share]
    order = random.permutation(len(steps))
    return [steps[i] for i in order] + ([_jpeg(random)] if random.random() < SAVED else [])


def worn(image: np.ndarray, steps: Sequence[Step]) -> np.ndarray:
    """(H, W, 3) uint8 after every step of a chain."""
    for step in steps:
        image = step(image)
    return image


def saved_at(steps: Sequence[Step]) -> int | None:
    """The quality of the JPEG that a chain ends as, None where it ends as none: what a file tells of what it went through."""
    last = steps[-1] if steps else None
    return last.keywords["quality"] if isinstance(last, partial) and last.func is jpeg else None
