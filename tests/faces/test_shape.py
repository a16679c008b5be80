"""What of a face's points is the person's own."""

import numpy as np
import pytest
import torch

from mien.faces.shape import FARTHEST, INNER, FaceShape, face_shape, moved
from mien.tasks.swap.quick.shapes import covariances, learnt
from mien.weights import card, locate


def people(count: int = 60, each: int = 8, own: float = 0.01, chance: float = 0.02) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, whose, and the persons' own part: people differ in one direction, their pictures in another and a little in all."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 77, 2))
    theirs = own * rng.normal(size=(count, 1, 1)) * plane[0]
    person = np.repeat(np.arange(count), each)
    pictures = chance * rng.normal(size=(len(person), 1, 1)) * plane[1] + 1e-3 * rng.normal(size=(len(person), 77, 2))
    return 0.5 + theirs[person] + pictures, person, theirs


def test_the_two_covariances_of_a_case_worked_by_hand() -> None:
    """Two people at -1 and 1, their pictures half a unit to either side: within 2 * 0.25, between 1 less a half of that."""
    points = np.array([[-1.5], [-0.5], [0.5], [1.5]])
    mean, between, within = covariances(points, np.array([0, 0, 1, 1]))
    assert np.allclose(mean, 0)
    assert np.allclose(within, 0.5)
    assert np.allclose(between, 0.75)


def test_what_changes_from_picture_to_picture_is_left_out() -> None:
    points, person, theirs = people()
    shape = learnt(points, person)
    told = shape(torch.from_numpy(points).float()).numpy()
    average = theirs.mean(0)
    rest = told - (theirs - average)[person]
    assert np.sqrt((rest**2).mean()) < 0.25 * theirs.std()


def test_who_differs_from_himself_as_from_others_is_not_told() -> None:
    points, person, _ = people(own=0.0)
    told = float(learnt(points, person)(torch.from_numpy(points).float()).square().mean().sqrt())
    assert told < 0.02 * points.std()


def test_nothing_can_be_learnt_of_one_person_or_single_pictures() -> None:
    for person in (np.zeros(4, int), np.arange(4)):
        with pytest.raises(ValueError, match="expected two people and two pictures of one"):
            covariances(np.zeros((4, 2)), person)


def test_proportions_move_the_inner_points_and_not_far() -> None:
    points, theirs, wanted = torch.full((2, 77, 2), 0.5), torch.zeros(2, 77, 2), torch.zeros(2, 77, 2)
    wanted[0] = 0.01
    wanted[1] = 1.0
    there = moved(points, theirs, wanted)
    outline = [i for i in range(77) if not INNER.start <= i < INNER.stop]
    assert torch.equal(there[:, outline], points[:, outline])
    assert torch.allclose(there[0, INNER], torch.tensor(0.51))
    assert torch.allclose((there - points)[1].norm(dim=1).max(), torch.tensor(FARTHEST))


def test_what_is_bundled_is_what_the_card_says() -> None:
    shape, told = face_shape(), card("mien-face-shape")
    assert isinstance(shape, FaceShape)
    assert locate("mien-face-shape").stat().st_size == told.size
    assert sum(x.numel() for x in vars(shape).values()) == told.parameters
    assert shape(shape.mean.view(1, 77, 2)).abs().max() < 1e-6
