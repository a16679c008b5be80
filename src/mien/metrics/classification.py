"""How good a classifier is: counts, shares per class, and whether its probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PerClass:
    """(classes,) arrays; NaN where a figure has no meaning: precision of a class never predicted, recall of one never seen."""

    precision: np.ndarray
    """Of the pictures given this class, the share that have it."""
    recall: np.ndarray
    """Of the pictures that have this class, the share given it."""
    f1: np.ndarray
    """Harmonic mean of both; NaN only for a class neither seen nor predicted."""
    support: np.ndarray
    """Pictures that have this class."""


def accuracy(labels: np.ndarray, predictions: np.ndarray) -> float:
    """(N,), (N,) -> share of equal ones."""
    _same_length(labels, predictions)
    return float((labels == predictions).mean())


def top_k(labels: np.ndarray, probabilities: np.ndarray, k: int = 5) -> float:
    """(N,), (N, classes) -> share of labels among the `k` most probable classes; of equally probable ones the first counts,
    as with argmax.
    """
    _same_length(labels, probabilities)
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    rank = ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)
    return float((rank < k).mean())


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """(N,), (N,) -> (classes, classes) int64: row = true class, column = predicted class."""
    _same_length(labels, predictions)
    for found in (labels, predictions):
        if len(found) and not (found.min() >= 0 and found.max() < classes):
            raise ValueError(f"there are {classes} classes, but a label from {found.min()} to {found.max()}")
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def per_class(matrix: np.ndarray) -> PerClass:
    """Precision, recall and F1 of every class from a confusion matrix."""
    right, predicted, support = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return PerClass(_ratio(right, predicted), _ratio(right, support), _ratio(2 * right, predicted + support), support)


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017, equation 3): (N,), (N, classes) -> 0..1.

    Predictions are grouped by their probability into `bins` of equal width, open below and closed above; the mean difference of
    accuracy and probability in a group, weighted by the group's size.
    """
    _same_length(labels, probabilities)
    chosen = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(chosen)), chosen].astype(np.float64)
    group = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(group, (labels == chosen) - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _same_length(labels: np.ndarray, others: np.ndarray) -> None:
    if len(labels) != len(others) or not len(labels):
        raise ValueError(f"there are {len(labels)} labels and {len(others)} predictions, expected as many of both, and at least one")
