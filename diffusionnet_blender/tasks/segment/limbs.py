"""Left and right decided for whole limbs, and for all limbs of a body together.

A network tells sides by the sense of rotation alone (paper 3.4), each place for itself: on a shape
that is unlike what it has seen, a leg may become half left and half right, or both legs left. But
a body has two of each, and the left arm is nearer to the left leg than to the right one along any
skin. So one decision is left for the whole body, on which all its places vote.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from ...surface.discretization import Discretization

# The ends of limbs have at least this share of the area of their kind; what is smaller is noise.
END_SHARE = 0.15
# How much nearer, in shares of the way, limbs of one side are to each other: with less there is no
# telling which of them belong together.
CLEARLY_NEARER = 0.02
# A place that is sure counts no more than this, in logarithms of odds.
MOST_SURE = 3.0
LEAST = 1e-6


def with_sides_agreed(
    discretization: Discretization,
    probabilities: np.ndarray,
    limbs: Sequence[Sequence[int]],
    other_side: Sequence[int],
) -> np.ndarray:
    """Probabilities that say one side of each limb, and sides of all limbs that go together.

    Arms and legs are found by their classes, sides left out. Where there are two of both, each
    arm goes with the leg that is nearer along the surface, and the mean of all votes says which
    pair is left. Where places said otherwise, left and right exchange their probabilities. A
    body that lacks limbs, or whose limbs cannot be told apart, stays as it is.

    Parameters
    ----------
    discretization : Discretization
    probabilities : (V, C) float
    limbs : two sequences of int
        Of arms and of legs: the classes of one side, from the body outwards. All but the first
        make up the ends by which two limbs are told apart.
    other_side : (C,) int
        Of each class that on the other side.

    Returns
    -------
    (V, C) float32
    """
    agreed = np.array(probabilities, dtype=np.float32)
    own = [np.array(classes) for classes in limbs]
    other = [np.asarray(other_side)[classes] for classes in own]
    graph = _edge_lengths(discretization)
    mass = discretization.mass.astype(np.float64)
    # The most probable class, both sides taken as one: numbers of the own side.
    merged = agreed.copy()
    for these, those in zip(own, other, strict=True):
        merged[:, these] += merged[:, those]
        merged[:, those] = 0.0
    kind = merged.argmax(axis=1)
    pairs = [_pair_of_limbs(graph, mass, kind, classes) for classes in own]
    if any(pair is None for pair in pairs):
        return agreed
    partner = _nearer_limbs(graph, *pairs)
    if partner is None:
        return agreed
    pairs[1] = [pairs[1][number] for number in partner]

    said = [_log_odds(agreed, these, those) for these, those in zip(own, other, strict=True)]
    votes = [
        [float(mass[limb] @ says[limb]) for limb in pair]
        for pair, says in zip(pairs, said, strict=True)
    ]
    first_is_own = sum(one - two for one, two in votes) > 0
    for pair, says, these, those in zip(pairs, said, own, other, strict=True):
        for limb, is_own in zip(pair, (first_is_own, not first_is_own), strict=True):
            wrong = limb[(says[limb] > 0) != is_own]
            columns = np.concatenate([these, those]), np.concatenate([those, these])
            agreed[wrong[:, None], columns[0]] = agreed[wrong[:, None], columns[1]]
    return agreed


def _edge_lengths(discretization: Discretization) -> sparse.csr_matrix:
    """Lengths of all edges that heat flows along, bridges between loose parts among them."""
    laplacian = discretization.laplacian.tocoo()
    once = laplacian.row < laplacian.col
    ends = laplacian.row[once], laplacian.col[once]
    vertices = discretization.vertices.astype(np.float64)
    lengths = np.linalg.norm(vertices[ends[0]] - vertices[ends[1]], axis=1)
    graph = sparse.csr_matrix((np.maximum(lengths, LEAST), ends), laplacian.shape)
    return graph + graph.T


def _log_odds(probabilities: np.ndarray, these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """(V,) How sure each vertex is of one side of a limb, whatever part of it."""
    own, other = (probabilities[:, classes].sum(axis=1) + LEAST for classes in (these, those))
    return np.clip(np.log(own / other), -MOST_SURE, MOST_SURE)


def _pair_of_limbs(graph, mass, kind, classes) -> list[np.ndarray] | None:
    """The vertices of two limbs of a kind; None where there are not two.

    Legs may hang together at the crotch, or a skirt may hide their upper halves; shins are apart.
    So ends are sought, and what else is limb goes to the nearer end along the limb.
    """
    limb = np.flatnonzero(np.isin(kind, classes))
    ends = _large_pieces(graph, mass, np.flatnonzero(np.isin(kind, classes[1:])))
    if len(ends) != 2:
        whole = _large_pieces(graph, mass, limb)
        return whole if len(whole) == 2 else None
    within = graph[limb][:, limb]
    away = [
        dijkstra(within, directed=False, indices=np.searchsorted(limb, end), min_only=True)
        for end in ends
    ]
    reached = np.isfinite(np.minimum(*away))
    nearer_first = away[0] <= away[1]
    return [limb[reached & nearer_first], limb[reached & ~nearer_first]]


def _large_pieces(graph, mass, vertices) -> list[np.ndarray]:
    """Connected pieces of some vertices that have a fair share of their area."""
    _, piece = connected_components(graph[vertices][:, vertices], directed=False)
    area = np.bincount(piece, mass[vertices])
    return [vertices[piece == number] for number in np.flatnonzero(area > END_SHARE * area.sum())]


def _nearer_limbs(graph, arms, legs) -> tuple[int, int] | None:
    """Which leg goes with the first arm, and which with the second; None where it is not clear."""
    away = np.empty((2, 2))
    for number, arm in enumerate(arms):
        distance = dijkstra(graph, directed=False, indices=arm, min_only=True)
        away[number] = [distance[leg].min() for leg in legs]
    straight, crossed = away[0, 0] + away[1, 1], away[0, 1] + away[1, 0]
    if not abs(straight - crossed) > CLEARLY_NEARER * (straight + crossed) / 2:
        return None
    return (0, 1) if straight < crossed else (1, 0)
