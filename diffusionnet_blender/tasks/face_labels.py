"""Labels of faces changed by hand: grow, shrink, smooth."""

from __future__ import annotations

import numpy as np


def votes_of_neighbours(labels: np.ndarray, pairs: np.ndarray, class_count: int) -> np.ndarray:
    """How many neighbours of each face are of each class.

    Parameters
    ----------
    labels : (P,) int
    pairs : (n, 2) int
        Faces that share an edge, each pair once.
    class_count : int

    Returns
    -------
    (P, C) int
    """
    face = np.concatenate([pairs[:, 0], pairs[:, 1]])
    other = np.concatenate([pairs[:, 1], pairs[:, 0]])
    flat = np.bincount(face * class_count + labels[other], minlength=len(labels) * class_count)
    return flat.reshape(len(labels), class_count)


def grow(labels: np.ndarray, pairs: np.ndarray, part: int) -> np.ndarray:
    """Faces that share an edge with a part become part of it; (P,) int."""
    inside = labels == part
    touched = inside.copy()
    touched[pairs[inside[pairs[:, 0]], 1]] = True
    touched[pairs[inside[pairs[:, 1]], 0]] = True
    return np.where(touched, part, labels)


def shrink(labels: np.ndarray, pairs: np.ndarray, part: int, class_count: int) -> np.ndarray:
    """Faces of a part that share an edge with others take the class most of those have."""
    votes = votes_of_neighbours(labels, pairs, class_count)
    votes[:, part] = 0
    border = (labels == part) & (votes.sum(axis=1) > 0)
    return np.where(border, votes.argmax(axis=1), labels)


def smooth(labels: np.ndarray, pairs: np.ndarray, class_count: int, iterations: int) -> np.ndarray:
    """Each face takes the class of most of its neighbours, its own where there is no majority.

    Parameters
    ----------
    labels : (P,) int
    pairs : (n, 2) int
        Faces that share an edge.
    class_count, iterations : int

    Returns
    -------
    (P,) int
    """
    rows = np.arange(len(labels))
    for _ in range(iterations):
        votes = votes_of_neighbours(labels, pairs, class_count)
        winner = votes.argmax(axis=1)
        labels = np.where(votes[rows, winner] > 0.5 * votes.sum(axis=1), winner, labels)
    return labels
