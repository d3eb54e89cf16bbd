"""Four legs, a head and a tail of an animal, each once, decided by a vote over the whole figure.

A network decides at each vertex by itself: on unfamiliar shapes both pairs of legs may get the same
name, or a long neck that of a tail. But an animal has each leg once, one end of its trunk is neck
and head and the other one the tail, and the front legs are those at the neck's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ...surface.discretization import Discretization
from .limbs import LEAST, edge_lengths, large_pieces

# Limit of log-probabilities, so that few vertices do not outvote the others.
MOST_LOG = 4.0


def with_extremities_agreed(
    discretization: Discretization,
    probabilities: np.ndarray,
    legs: Sequence[Sequence[int]],
    ends: tuple[Sequence[int], Sequence[int]],
) -> np.ndarray:
    """Class probabilities with one name for each leg and for each end of the trunk.

    The legs are the components of the classes of lower legs, or of feet where knees touch, with
    what of all legs is nearer to each than to the others; the ends are the largest two components
    of neck, head and tail, or the only one. All area-weighted log-probabilities decide at once
    which end is which, and which leg of the two at the neck's end is on which side. Without four
    legs and an end nothing changes.

    Parameters
    ----------
    discretization : Discretization
    probabilities : (V, C) float
    legs : four sequences of int
        Classes of the front legs and of the hind legs, the two sides of each, from the trunk down.
    ends : two sequences of int
        Classes of neck and head, and of the tail.

    Returns
    -------
    (V, C) float32
        At vertices of another decision the probabilities of the two are exchanged.
    """
    agreed = np.array(probabilities, dtype=np.float32)
    columns = [np.array(leg) for leg in legs]
    graph = edge_lengths(discretization)
    mass = discretization.mass.astype(np.float64)
    # The most probable class with all legs taken as one, and with the ends.
    merged = agreed.copy()
    for other in columns[1:]:
        merged[:, columns[0]] += merged[:, other]
        merged[:, other] = 0.0
    neck, tail = (list(end) for end in ends)
    merged[:, neck[0]] = merged[:, neck + tail].sum(axis=1)
    merged[:, [*neck[1:], *tail]] = 0.0
    kind = merged.argmax(axis=1)
    for first in range(1, len(columns[0])):
        pieces = large_pieces(graph, mass, np.flatnonzero(np.isin(kind, columns[0][first:])))
        if len(pieces) == len(legs):
            break
    trunk_ends = large_pieces(graph, mass, np.flatnonzero(kind == neck[0]))
    if len(pieces) != len(legs) or not trunk_ends:
        return agreed
    trunk_ends = sorted(trunk_ends, key=lambda piece: -mass[piece].sum())[: len(ends)]
    pieces = _with_all_of_legs(graph, np.flatnonzero(np.isin(kind, columns[0])), pieces)

    of_leg = np.stack([agreed[:, own].sum(axis=1) for own in columns], axis=1)
    of_end = np.stack([agreed[:, own].sum(axis=1) for own in (neck, tail)], axis=1)
    leg_votes = np.stack([_votes(of_leg, mass, piece) for piece in pieces])
    end_votes = np.stack([_votes(of_end, mass, piece) for piece in trunk_ends])
    nearer = _nearer_end(graph, pieces, trunk_ends)
    best, found = -np.inf, None
    for first_is_neck, order in product((True, False), permutations(range(len(legs)))):
        at_neck = nearer == (0 if first_is_neck else 1)
        if not np.array_equal(at_neck, np.array(order) < 2):
            continue
        end_of = (0, 1) if first_is_neck else (1, 0)
        votes = leg_votes[np.arange(len(legs)), order].sum()
        votes += sum(own[end] for own, end in zip(end_votes, end_of, strict=False))
        if votes > best:
            best, found = votes, (order, end_of)
    if found is None:
        return agreed
    order, end_of = found
    for piece, leg in zip(pieces, order, strict=True):
        other = of_leg[piece].argmax(axis=1)
        for number in np.setdiff1d(other, leg):
            wrong = piece[other == number][:, None]
            swapped = [columns[leg], columns[number]], [columns[number], columns[leg]]
            agreed[wrong, np.concatenate(swapped[0])] = agreed[wrong, np.concatenate(swapped[1])]
    for piece, end in zip(trunk_ends, end_of, strict=False):
        wrong = piece[of_end[piece].argmax(axis=1) != end]
        # Of the neck's end what was called tail is neck, as the head has its own looks.
        agreed[wrong, neck[0]], agreed[wrong, tail[0]] = (
            (agreed[wrong, tail[0]], agreed[wrong, neck[0]])
            if end == 0
            else (np.zeros(len(wrong), np.float32), of_end[wrong].sum(axis=1))
        )
        if end == 1:
            agreed[wrong[:, None], neck] = 0.0
    return agreed


def _with_all_of_legs(
    graph: sparse.csr_matrix, limb: np.ndarray, pieces: list[np.ndarray]
) -> list[np.ndarray]:
    """Ends of legs with the vertices of all legs (n,) nearer to each than to the others."""
    within = graph[limb][:, limb]
    distance = np.stack(
        [
            dijkstra(within, directed=False, indices=np.searchsorted(limb, piece), min_only=True)
            for piece in pieces
        ]
    )
    reached = np.isfinite(distance.min(axis=0))
    nearest = distance.argmin(axis=0)
    return [limb[reached & (nearest == number)] for number in range(len(pieces))]


def _votes(probabilities: np.ndarray, mass: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Sum over a piece of the logarithms of probabilities (V, n) among each other, (n,)."""
    own = probabilities[piece] + LEAST
    logs = np.log(own / own.sum(axis=1, keepdims=True))
    return mass[piece] @ np.maximum(logs, -MOST_LOG)


def _nearer_end(
    graph: sparse.csr_matrix, pieces: list[np.ndarray], ends: list[np.ndarray]
) -> np.ndarray:
    """Which end each of four legs is nearer to, two of them each, (4,) 0 or 1.

    Where there is one end alone, 1 are those that are farther from it.
    """
    away = [dijkstra(graph, directed=False, indices=end, min_only=True) for end in ends]
    beyond = away[1] if len(ends) > 1 else np.zeros_like(away[0])
    lead = [float(np.median((beyond - away[0])[piece])) for piece in pieces]
    nearer = np.ones(len(pieces), np.int64)
    nearer[np.argsort(lead)[len(pieces) // 2 :]] = 0
    return nearer
