"""Pairs of made faces: a fake and what it was, in the same frame."""

import numpy as np
import torch
from PIL import Image

from mien.faces.align import window
from mien.nn.flow import sample
from mien.tasks.inspect.making import Maker, Recipe
from mien.tasks.inspect.originals import Originals
from mien.tasks.inspect.pairs import ORIGINAL, RESHAPED, Pairs

SIDE, COUNT = 224, 3


def pairs() -> Pairs:
    """Of three smooth pictures that are taken for faces."""
    random = np.random.default_rng(0)
    coarse = [Image.fromarray(random.integers(40, 216, (28, 28, 3), dtype=np.uint8)) for _ in range(COUNT)]
    pixels = np.concatenate([np.asarray(one.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).ravel() for one in coarse])
    inside, vectors = np.tile([0, 0, SIDE, SIDE], (COUNT, 1)), np.eye(COUNT, 128, dtype=np.float32)
    points = (window(134) + np.array([45, 48])).astype(np.float32)
    originals = Originals(pixels, np.arange(COUNT) * SIDE * SIDE * 3, np.full(COUNT, SIDE), np.full(COUNT, 200),
                          inside, np.tile(points, (COUNT, 1, 1)), vectors,
                          np.array([f"generated/{i}" for i in range(COUNT)]), np.array([f"{i}.jpg" for i in range(COUNT)]),
                          np.full(COUNT, "train"))  # fmt: skip
    return Pairs(*(Maker(originals, None, "train", one, 160) for one in (Recipe(), Recipe(worn=False), Recipe(qualities=(75, 80)))))


def test_a_fake_is_its_original_bent_by_its_field() -> None:
    source = pairs()
    source.worn = source.saved = source.fresh
    made = source.made(np.random.default_rng(1), 12)
    assert [one.label for one in made] == [RESHAPED, ORIGINAL] * 6
    better = 0
    for fake, before in zip(made[::2], made[1::2], strict=True):
        assert fake.person == before.person
        assert not before.field.any()
        assert fake.how
        x, field = torch.from_numpy(before.x.copy()).permute(2, 0, 1)[None].double(), torch.from_numpy(fake.field)[None].double()
        field = torch.nn.functional.interpolate(field, size=160, mode="bilinear", align_corners=False)
        told = sample(x, field, "bicubic")[0].permute(1, 2, 0).numpy()
        better += np.abs(told - fake.x).mean() < 0.5 * np.abs(before.x.astype(float) - fake.x).mean()
    assert better >= 5


def test_what_is_made_is_a_function_of_the_generator() -> None:
    source = pairs()
    one, same, other = (source.made(np.random.default_rng(seed), 4) for seed in (3, 3, 4))
    assert [len(face.x) for face in one] == [160] * 4
    assert all(np.array_equal(a.x, b.x) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0].x, other[0].x)
