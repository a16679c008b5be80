"""Align faces: a similarity transform puts eyes and nose where they stand on the average face."""

from __future__ import annotations

import numpy as np

from mien.data.warp import similarity, warp

MEAN = np.array([
    [0.1300, 0.2715], [0.1313, 0.4247], [0.1356, 0.5011], [0.1698, 0.6714], [0.2036, 0.7432], [0.2423, 0.7960],
    [0.3339, 0.8737], [0.4316, 0.9227], [0.5000, 0.9300], [0.5684, 0.9227], [0.6661, 0.8737], [0.7577, 0.7960],
    [0.7964, 0.7432], [0.8302, 0.6714], [0.8644, 0.5011], [0.8687, 0.4247], [0.8700, 0.2715], [0.1724, 0.2342],
    [0.2320, 0.2247], [0.2828, 0.2087], [0.3484, 0.2113], [0.4231, 0.2199], [0.5769, 0.2199], [0.6516, 0.2113],
    [0.7172, 0.2087], [0.7680, 0.2247], [0.8276, 0.2342], [0.5000, 0.3128], [0.5000, 0.3947], [0.5000, 0.4684],
    [0.5000, 0.5141], [0.4310, 0.5612], [0.4598, 0.5815], [0.5000, 0.5816], [0.5402, 0.5815], [0.5690, 0.5612],
    [0.2605, 0.3328], [0.2970, 0.3140], [0.3543, 0.3109], [0.4090, 0.3416], [0.3622, 0.3525], [0.3066, 0.3520],
    [0.5910, 0.3416], [0.6457, 0.3109], [0.7030, 0.3140], [0.7395, 0.3328], [0.6934, 0.3520], [0.6378, 0.3525],
    [0.3621, 0.6970], [0.4178, 0.6620], [0.4594, 0.6523], [0.5000, 0.6577], [0.5406, 0.6523], [0.5822, 0.6620],
    [0.6379, 0.6970], [0.5776, 0.7507], [0.5417, 0.7646], [0.5000, 0.7686], [0.4583, 0.7646], [0.4224, 0.7507],
    [0.3812, 0.6943], [0.4694, 0.6892], [0.5000, 0.6904], [0.5306, 0.6892], [0.6188, 0.6943], [0.5332, 0.7154],
    [0.5000, 0.7170], [0.4668, 0.7154],
])
"""(68, 2) the average face in the canonical window, 0..1: brows at 0.21, chin at 0.93. Mean of the mesh's points over 1,040
frames of 347 people after Procrustes alignment, made symmetric."""

STABLE = np.r_[27:48, 48, 54]
"""Points that expression moves least: nose, eyes, corners of the mouth."""

COVER = 1.25
"""A stored crop covers this many canonical windows a side: room for the warps of training."""

MIRROR = np.r_[16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47, 46, 39:35:-1, 41, 40, 54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1]
"""Where each point goes when the picture is mirrored: `mirrored[i]` was point `MIRROR[i]`."""


def window(size: int, cover: float = 1.0) -> np.ndarray:
    """(68, 2): the average face in a crop of `size` pixels that covers `cover` canonical windows."""
    return ((MEAN - 0.5) / cover + 0.5) * size


def alignment(landmarks: np.ndarray, size: int, cover: float = 1.0) -> np.ndarray:
    """(68, 2) in picture pixels -> the (2, 3) transform from the picture to the aligned crop."""
    return similarity(landmarks[STABLE].astype(float), window(size, cover)[STABLE])


def align(image: np.ndarray, landmarks: np.ndarray, size: int, cover: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) uint8, (68, 2) -> the crop (size, size, 3) uint8 and the (2, 3) transform that made it."""
    matrix = alignment(landmarks, size, cover)
    return warp(image, matrix, (size, size)), matrix
