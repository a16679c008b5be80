"""Batch augmentation against plain indexing, picture by picture."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mien.nn.batches import Changes, draw, gather, reflected


def by_numpy(image: np.ndarray, mirrored: bool, dy: int, dx: int) -> np.ndarray:
    """Pad by reflection, cut out, mirror: another way to the same."""
    pad = 3
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    height, width = image.shape[:2]
    if mirrored:
        padded, dx = padded[:, ::-1], -dx
    return padded[pad + dy : pad + dy + height, pad + dx : pad + dx + width]


@given(st.booleans(), st.integers(-3, 3), st.integers(-3, 3))
def test_one_gather_equals_pad_cut_mirror(mirrored: bool, dy: int, dx: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    changes = Changes(torch.tensor([mirrored]), torch.tensor([[dy, dx]]), torch.zeros(1, 2, dtype=torch.long))
    made = gather(torch.from_numpy(image)[None], torch.tensor([0]), changes)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(made, by_numpy(image, mirrored, dy, dx))


def test_reflection_by_hand() -> None:
    assert reflected(torch.arange(-2, 7), 5).tolist() == [2, 1, 0, 1, 2, 3, 4, 3, 2]


def test_hole_and_layout() -> None:
    images = torch.full((2, 8, 8, 3), 7, dtype=torch.uint8)
    changes = Changes(torch.zeros(1, dtype=torch.bool), torch.zeros(1, 2, dtype=torch.long), torch.tensor([[0, 4]]))
    made = gather(images, torch.tensor([1]), changes, cutout=4)
    assert made.is_contiguous(memory_format=torch.channels_last)
    hole = made[0, 0] == 128
    assert hole.sum() == 2 * 4
    assert hole[:2, 2:6].all()


def test_draws_are_reproducible_and_in_range() -> None:
    one, two = (draw(100, (8, 9), 2, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.offset, two.offset)
    assert set(one.offset.flatten().tolist()) == {-2, -1, 0, 1, 2}
    assert 30 < int(one.mirrored.sum()) < 70
    assert bool((one.hole < torch.tensor([8, 9])).all())
    assert torch.equal(one[torch.tensor([3])].offset[0], one.offset[3])
