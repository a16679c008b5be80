"""Align faces: a similarity transform puts eyes, nose and mouth where the average face has them."""

from __future__ import annotations

import numpy as np

from mien.data.warp import similarity, warp

MEAN = np.array([
    [0.1085, 0.3435], [0.1140, 0.4402], [0.1273, 0.5297], [0.1510, 0.6460], [0.1838, 0.7395], [0.2349, 0.8157],
    [0.3055, 0.8792], [0.3920, 0.9298], [0.5000, 0.9553], [0.6080, 0.9298], [0.6945, 0.8792], [0.7651, 0.8157],
    [0.8162, 0.7395], [0.8490, 0.6460], [0.8727, 0.5297], [0.8860, 0.4402], [0.8915, 0.3435], [0.1882, 0.2615],
    [0.2389, 0.2380], [0.2949, 0.2268], [0.3525, 0.2315], [0.4080, 0.2440], [0.5920, 0.2440], [0.6475, 0.2315],
    [0.7051, 0.2268], [0.7611, 0.2380], [0.8118, 0.2615], [0.5000, 0.3319], [0.5000, 0.4069], [0.5000, 0.4764],
    [0.5000, 0.5303], [0.4332, 0.5720], [0.4619, 0.5843], [0.5000, 0.5900], [0.5381, 0.5843], [0.5668, 0.5720],
    [0.2653, 0.3311], [0.3032, 0.3156], [0.3544, 0.3152], [0.4012, 0.3384], [0.3584, 0.3514], [0.3068, 0.3510],
    [0.5988, 0.3384], [0.6456, 0.3152], [0.6968, 0.3156], [0.7347, 0.3311], [0.6932, 0.3510], [0.6416, 0.3514],
    [0.3630, 0.7040], [0.4123, 0.6733], [0.4658, 0.6583], [0.5000, 0.6644], [0.5342, 0.6583], [0.5877, 0.6733],
    [0.6370, 0.7040], [0.5851, 0.7495], [0.5450, 0.7707], [0.5000, 0.7753], [0.4550, 0.7707], [0.4149, 0.7495],
    [0.3753, 0.7024], [0.4622, 0.6943], [0.5000, 0.6934], [0.5378, 0.6943], [0.6247, 0.7024], [0.5380, 0.7219],
    [0.5000, 0.7253], [0.4620, 0.7219],
])
"""(68, 2) the average face in the canonical window, 0..1, over 1,039 frames of 347 people after alignment, made symmetric."""

STABLE = np.r_[27:48, 48, 54]
"""Points that expression moves least: nose, eyes, corners of the mouth."""

COVER = 1.25
"""A stored crop covers this many canonical windows a side: room for the warps of training."""

MIRROR = np.r_[16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47, 46, 39:35:-1, 41, 40,
               54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1]
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
