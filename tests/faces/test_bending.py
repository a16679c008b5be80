"""Photos bent over faces."""

import numpy as np
import torch
from portraits import grace

from mien.faces.align import align, alignment, window
from mien.faces.bending import bent, mirrored_points, openings, region, softened, toned, tones, window_points
from mien.faces.find import find


def test_points_of_a_window() -> None:
    points = window_points(window(64), np.array([[2.0, 0, 0], [0, 2, 0]]), 128)
    assert points.shape == (77, 2)
    assert np.allclose(points[:68], window(1), atol=1e-6)
    assert points[68:, 1].min() < points[17:27, 1].min()  # the forehead lies above the brows


def test_mirrored_twice_is_as_before_and_the_mean_face_is_symmetric() -> None:
    points = torch.from_numpy(window_points(window(1), np.eye(3)[:2], 1))
    assert torch.allclose(mirrored_points(mirrored_points(points)), points)
    assert torch.allclose(mirrored_points(points), points, atol=2e-3)


def test_a_photo_bent_to_its_own_points_is_itself() -> None:
    image = grace()
    landmarks = find(image)[0].landmarks
    photo, _ = align(image, landmarks, 128)
    points = torch.from_numpy(window_points(landmarks, alignment(landmarks, 1), 1))[None]
    x = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255
    assert (bent(x, points, points, 128) - x).abs().mean() < 0.01


def test_tones_are_taken_over_inside_the_mask() -> None:
    rng = torch.Generator().manual_seed(0)
    face, other = torch.rand(1, 3, 16, 16, generator=rng) * 0.4 + 0.2, torch.rand(1, 3, 16, 16, generator=rng) * 0.4 + 0.3
    mask = torch.ones(1, 1, 16, 16)
    mask[..., :4] = 0
    have, want = tones(face, mask), tones(other, mask)
    made = tones(toned(face, have, want), mask)
    assert torch.allclose(made.mean, want.mean, atol=1e-3)
    assert torch.allclose(made.spread.mean(), want.spread.mean(), atol=1e-3)
    gain = want.spread.mean() / have.spread.mean()
    assert torch.allclose(made.spread / have.spread, gain.expand(1, 3, 1, 1), atol=0.02)  # no tint


def test_masks() -> None:
    points = window_points(window(1), np.eye(3)[:2], 1)
    face, holes = region(points, 64) > 0, openings(points, 64) > 0
    assert 0.3 < face.mean() < 0.7
    assert 0 < holes.mean() < 0.1
    assert not (holes & ~face).any()
    soft = softened(torch.from_numpy(face)[None, None].float(), 2.0)
    assert abs(float(soft.mean()) - face.mean()) < 0.01
    assert ((soft > 0.01) & (soft < 0.99)).any()
