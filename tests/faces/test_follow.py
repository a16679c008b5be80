"""Following faces that move, leave, return, cross, enter and are cut away, in films made of two portraits."""

from itertools import pairwise

import numpy as np
from portraits import eileen, grace, needs_networks, place

from mien.data.video import read_video
from mien.faces.follow import Follower

pytestmark = needs_networks
LEFT, RIGHT = grace()[40:200, 50:210], eileen()[0:160, 40:200]


def numbers(follower: Follower, image: np.ndarray) -> list[int]:
    return sorted(number for number, _ in follower.step(image))


def test_one_face_keeps_its_number_and_is_where_it_moves() -> None:
    follower = Follower()
    xs = []
    for i in range(8):
        ((number, face),) = follower.step(place(LEFT, 40 + 12 * i, 60 + 4 * i))
        assert number == 0
        xs.append(face.face.landmarks[:, 0].mean())
    assert np.allclose(np.diff(xs), 12, atol=2.5)


def test_lost_and_found_again_is_a_new_track() -> None:
    follower = Follower()
    assert numbers(follower, place(LEFT, 200, 80)) == [0]
    assert numbers(follower, place(LEFT[:1, :1], 0, 0)) == []
    assert numbers(follower, place(LEFT, 220, 80)) == [1]


def test_a_face_that_enters_is_found_within_three_frames() -> None:
    follower = Follower(detect_every=3)
    numbers(follower, place(LEFT, 40, 80))
    both = place(LEFT, 40, 80).copy()
    both[80:240, 400:560] = RIGHT
    assert [numbers(follower, both) for _ in range(3)][-1] == [0, 1]


def test_a_cut_ends_every_track() -> None:
    follower = Follower(detect_every=100)
    assert numbers(follower, place(LEFT, 200, 80, fill=20)) == [0]
    assert numbers(follower, place(RIGHT, 200, 80, fill=200)) == [1]


def test_another_size_of_picture_is_a_cut() -> None:
    follower = Follower()
    numbers(follower, place(LEFT, 40, 80))
    assert numbers(follower, place(LEFT, 40, 80, size=(800, 600))) == [1]


def test_two_faces_that_cross_stay_two() -> None:
    follower, final = Follower(), []
    for i in range(17):
        image = place(RIGHT, 420 - 24 * i, 100).copy()
        x = 40 + 24 * i
        image[60:220, x : x + 160] = LEFT
        final = follower.step(image)
        assert len({number for number, _ in final}) == len(final) <= 2
    assert len(final) == 2
    front = next(number for number, face in final if face.face.landmarks[:, 0].mean() > 320)
    assert front == 0  # the face in front was never hidden: it keeps its number


def test_a_clip_is_one_track_that_does_not_jump(data_dir) -> None:
    follower, centres = Follower(), []
    for frame in read_video(data_dir / "video" / "wda_katiehill_000.mp4", stop=1.0):
        ((number, face), *_) = follower.step(frame.image)
        assert number == 0
        centres.append(face.face.landmarks.mean(0))
    assert max(np.linalg.norm(b - a) for a, b in pairwise(centres)) < 20
