"""Consistent left and right of arms and legs, decided by a vote over the whole body.

A network whose only cue for left and right is the sense of rotation (paper 3.4) decides at each
vertex by itself: on unfamiliar shapes one leg may get both sides, or both legs the same. But a body
has two arms and two legs, and the left arm is geodesically nearer to the left leg than to the right
one. So a single binary decision remains for the body, on which all vertices of the limbs vote.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from ...surface.discretization import Discretization

# Components with a smaller share of the area of their classes are noise, and no ends of limbs.
END_SHARE = 0.15
# Least difference of the two pairings of arms with legs, relative to their mean distance: below it
# the sides are ambiguous.
CLEARLY_NEARER = 0.02
# Limit of the log-odds of a vertex, so that few confident vertices do not outvote the others.
MOST_LOG_ODDS = 3.0
# Of edge lengths and probabilities, to keep zeros out of sparse matrices and logarithms.
LEAST = 1e-6


def with_sides_agreed(
    discretization: Discretization,
    probabilities: np.ndarray,
    limbs: Sequence[Sequence[int]],
    other_side: Sequence[int],
) -> np.ndarray:
    """Class probabilities with one side for each limb, consistent between arms and legs.

    Limbs are components of the classes of arms and of legs, both sides merged. If there are two
    arms and two legs, each arm is paired with the geodesically nearer leg, and the area-weighted
    mean log-odds of all vertices decides which pair is on the side of `limbs`. At vertices of the
    opposite decision the probabilities of left and right are exchanged. A body with other numbers
    of limbs, or of ambiguous pairs, is unchanged.

    Parameters
    ----------
    discretization : Discretization
    probabilities : (V, C) float
    limbs : two sequences of int
        Of arms and of legs: the classes of one side, from the body outwards. All but the first
        form the ends of limbs.
    other_side : (C,) int
        Mirror image of each class.

    Returns
    -------
    (V, C) float32
    """
    agreed = np.array(probabilities, dtype=np.float32)
    own = [np.array(classes) for classes in limbs]
    other = [np.asarray(other_side)[classes] for classes in own]
    graph = edge_lengths(discretization)
    mass = discretization.mass.astype(np.float64)
    # The most probable class with both sides merged, by the class of the own side.
    merged = agreed.copy()
    for these, those in zip(own, other, strict=True):
        merged[:, these] += merged[:, those]
        merged[:, those] = 0.0
    kind = merged.argmax(axis=1)
    arms, legs = (_pair_of_limbs(graph, mass, kind, classes) for classes in own)
    if arms is None or legs is None:
        return agreed
    partner = _nearer_limbs(graph, arms, legs)
    if partner is None:
        return agreed
    pairs = [arms, [legs[number] for number in partner]]

    log_odds = [_log_odds(agreed, these, those) for these, those in zip(own, other, strict=True)]
    votes = [
        [float(mass[limb] @ odds[limb]) for limb in pair]
        for pair, odds in zip(pairs, log_odds, strict=True)
    ]
    first_is_own = sum(one - two for one, two in votes) > 0
    for pair, odds, these, those in zip(pairs, log_odds, own, other, strict=True):
        for limb, is_own in zip(pair, (first_is_own, not first_is_own), strict=True):
            exchange(agreed, limb[(odds[limb] > 0) != is_own], these.tolist(), those.tolist())
    return agreed


def exchange(
    probabilities: np.ndarray, rows: np.ndarray, one: Sequence[int], other: Sequence[int]
) -> None:
    """Exchange the classes of two parts in some rows, in place."""
    columns, swapped = [*one, *other], [*other, *one]
    probabilities[rows[:, None], columns] = probabilities[rows[:, None], swapped]


def edge_lengths(discretization: Discretization) -> sparse.csr_matrix:
    """Symmetric (V, V) edge lengths on the pattern of the Laplacian, with bridges between parts."""
    laplacian = discretization.laplacian.tocoo()
    once = laplacian.row < laplacian.col
    ends = laplacian.row[once], laplacian.col[once]
    vertices = discretization.vertices.astype(np.float64)
    lengths = np.linalg.norm(vertices[ends[0]] - vertices[ends[1]], axis=1)
    graph = sparse.csr_matrix((np.maximum(lengths, LEAST), ends), laplacian.shape)
    return graph + graph.T


def _log_odds(probabilities: np.ndarray, these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Log-odds of one side of a limb against the other at each vertex, (V,)."""
    own, other = (probabilities[:, classes].sum(axis=1) + LEAST for classes in (these, those))
    return np.clip(np.log(own / other), -MOST_LOG_ODDS, MOST_LOG_ODDS)


def _pair_of_limbs(
    graph: sparse.csr_matrix, mass: np.ndarray, kind: np.ndarray, classes: np.ndarray
) -> list[np.ndarray] | None:
    """Vertices of the two limbs of some classes; None unless there are two.

    Legs may be connected at the crotch, or a skirt may cover the thighs; shins are separate. So the
    two ends are found first, and the other vertices of the limb join the geodesically nearer one.

    Parameters
    ----------
    graph : (V, V) sparse
        Edge lengths.
    mass : (V,) float
    kind : (V,) int
        Class of each vertex.
    classes : (c,) int
        Of the limb, from the body outwards.
    """
    limb = np.flatnonzero(np.isin(kind, classes))
    ends = large_pieces(graph, mass, np.flatnonzero(np.isin(kind, classes[1:])))
    if len(ends) != 2:
        whole = large_pieces(graph, mass, limb)
        return whole if len(whole) == 2 else None
    return with_nearest(graph, limb, ends)


def with_nearest(
    graph: sparse.csr_matrix, limb: np.ndarray, ends: list[np.ndarray]
) -> list[np.ndarray]:
    """Ends of limbs with the vertices of all limbs (n,) geodesically nearer to each than to the
    others.
    """
    within = graph[limb][:, limb]
    distance = np.stack(
        [
            dijkstra(within, directed=False, indices=np.searchsorted(limb, end), min_only=True)
            for end in ends
        ]
    )
    reached = np.isfinite(distance.min(axis=0))
    nearest = distance.argmin(axis=0)
    return [limb[reached & (nearest == number)] for number in range(len(ends))]


def large_pieces(
    graph: sparse.csr_matrix, mass: np.ndarray, vertices: np.ndarray
) -> list[np.ndarray]:
    """Connected components of some vertices (n,) with more than `END_SHARE` of their area."""
    _, piece = connected_components(graph[vertices][:, vertices], directed=False)
    area = np.bincount(piece, mass[vertices])
    return [vertices[piece == number] for number in np.flatnonzero(area > END_SHARE * area.sum())]


def _nearer_limbs(
    graph: sparse.csr_matrix, arms: list[np.ndarray], legs: list[np.ndarray]
) -> tuple[int, int] | None:
    """Index of the nearer leg of each arm; None where the pairing is ambiguous."""
    between = np.empty((2, 2))
    for number, arm in enumerate(arms):
        distance = dijkstra(graph, directed=False, indices=arm, min_only=True)
        between[number] = [distance[leg].min() for leg in legs]
    straight, crossed = between[0, 0] + between[1, 1], between[0, 1] + between[1, 0]
    if not abs(straight - crossed) > CLEARLY_NEARER * (straight + crossed) / 2:
        return None
    return (0, 1) if straight < crossed else (1, 0)
