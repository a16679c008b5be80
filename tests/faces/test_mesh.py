"""The mesh's crops, the 68 points and the head's pose."""

import numpy as np
import pytest
from portraits import eileen, grace, needs_networks

from mien.data.warp import transform
from mien.faces import mesh
from mien.faces.align import MIRROR
from mien.faces.find import find_measured


def head(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """A mesh of which only the points that `axes` looks at are set, turned by hand from a face that reads (0, 0, 0)."""
    points = np.zeros((468, 3))
    points[mesh.PAIRS[0], 0], points[mesh.PAIRS[1], 0] = -50, 50
    points[mesh.FOREHEAD, 1], points[mesh.CHIN, 1] = -80, 80
    a, b, c = np.radians([yaw, pitch - mesh.LEVEL, roll])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return points @ (about_y @ about_x @ about_z).T


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 40), (-50, 15, -20), (20, -30, 170)])
def test_pose_recovers_the_angles(angles: tuple[float, float, float]) -> None:
    assert mesh.pose(head(*angles)) == pytest.approx(angles, abs=1e-6)


def test_the_signs_are_the_viewers() -> None:
    nose = np.array([0, 0, -1.0])
    for angles, axis, sign in (((30, 0), 0, 1), ((0, 30), 1, -1)):
        rows, _ = mesh.axes(head(*angles))
        assert np.sign((nose @ rows)[axis]) == sign  # to the right of the picture; up


def test_a_box_crop_is_centred_and_upright() -> None:
    points = np.array([[10, 20], [30, 40], [0, 0], [0, 0], [0, 0], [0, 0]], float)
    crop = mesh.around_box(np.array([0, 0, 40, 40.0]), points)
    assert transform(crop, np.array([20, 20.0])) == pytest.approx([mesh.SIZE / 2] * 2)
    eyes = transform(crop, points[:2])
    assert eyes[0, 1] == pytest.approx(eyes[1, 1])
    assert np.linalg.norm(eyes[1] - eyes[0]) == pytest.approx(np.hypot(20, 20) * mesh.SIZE / 60)


@needs_networks
def test_the_picture_mirrored_is_the_face_mirrored() -> None:
    for image in (grace(), eileen()):
        face, other = find_measured(image)[0], find_measured(image[:, ::-1].copy())[0]
        back = other.face.landmarks[MIRROR] * [-1, 1] + [image.shape[1], 0]
        assert np.linalg.norm(back - face.face.landmarks, axis=1).mean() < 0.03 * face.face.size
        yaw, pitch, roll = mesh.pose(face.mesh)
        assert mesh.pose(other.mesh) == pytest.approx((-yaw, pitch, -roll), abs=6)


@needs_networks
def test_depth_is_in_picture_pixels() -> None:
    small = find_measured(grace())[0].mesh
    large = find_measured(np.kron(grace(), np.ones((2, 2, 1), np.uint8)))[0].mesh
    assert small.shape == (468, 3)
    assert small.dtype == np.float32
    assert np.ptp(large, axis=0) == pytest.approx(2 * np.ptp(small, axis=0), rel=0.05)
    assert small[4, 2] < small[mesh.PAIRS[:, 3], 2].min()  # the tip of the nose is nearer than the cheeks


@needs_networks
def test_landmarks_are_near_the_labelled_ones(data_dir) -> None:
    labels = np.load(data_dir / "faces" / "frames347" / "landmarks68.npz")
    from mien.data.pictures import read_picture

    errors = []
    for name in labels.files[::100]:
        truth = labels[name]
        faces = find_measured(read_picture(data_dir / "faces" / "frames347" / f"{name}.jpg"), thorough=False)
        error = min(np.linalg.norm(f.face.landmarks - truth, axis=1).mean() for f in faces)
        errors.append(error / np.linalg.norm(truth[36] - truth[45]))
    assert np.mean(errors) < 0.08
