"""Four legs, a head and a tail of an animal, each once, decided by a vote over the whole figure.

A network decides at each vertex by itself: on unfamiliar shapes both pairs of legs may get the same
name, or a long neck that of a tail. But an animal has each leg once, one end of its trunk is neck
and head and the other one the tail, and the front legs are those at the neck's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ...network.card import ModelCard
from ...surface.discretization import Discretization
from ..sides import mirrored_classes
from .limbs import LEAST, edge_lengths, exchange, large_pieces, with_nearest

# Parts at either end of the trunk, and the numbers of these ends.
NECK, TAIL = ("neck", "head"), ("tail",)
NECK_END, TAIL_END = 0, 1
# Limit of log-probabilities, so that few vertices do not outvote the others.
MOST_LOG = 4.0


@dataclass(frozen=True)
class Extremities:
    """Classes of an animal's legs and of the ends of its trunk.

    Attributes
    ----------
    legs : four tuples of int
        The front legs and the hind legs, the two sides of each, from the trunk down.
    neck, tail : tuples of int
        Neck and head; tail.
    """

    legs: tuple[tuple[int, ...], ...]
    neck: tuple[int, ...]
    tail: tuple[int, ...]


def extremities_of(card: ModelCard) -> Extremities | None:
    """Those of the classes of a model of four-legged animals; None of any other model."""
    names = card.class_names
    other_side = mirrored_classes(names)
    if not card.four_legs or other_side is None or not {*NECK, *TAIL} <= set(names):
        return None
    own = [tuple(names.index(part) for part in limb) for limb in card.limbs]
    legs = tuple(side for leg in own for side in (leg, tuple(other_side[part] for part in leg)))
    neck, tail = (tuple(names.index(part) for part in end) for end in (NECK, TAIL))
    return Extremities(legs, neck, tail)


def with_extremities_agreed(
    discretization: Discretization,
    probabilities: np.ndarray,
    extremities: Extremities,
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
    extremities : Extremities

    Returns
    -------
    (V, C) float32
        At vertices of another decision the probabilities of the two are exchanged.
    """
    agreed = np.array(probabilities, dtype=np.float32)
    graph = edge_lengths(discretization)
    mass = discretization.mass.astype(np.float64)
    legs, ends = _pieces(agreed, extremities, graph, mass)
    if len(legs) != len(extremities.legs) or not ends:
        return agreed
    names = extremities.legs, (extremities.neck, extremities.tail)
    of_leg, of_end = (
        np.stack([agreed[:, list(own)].sum(axis=1) for own in each], axis=1) for each in names
    )
    leg_votes, end_votes = (
        np.stack([_votes(values, mass, piece) for piece in pieces])
        for values, pieces in ((of_leg, legs), (of_end, ends))
    )
    leg_of, end_of = _decided(leg_votes, end_votes, _nearer_end(graph, legs, ends))
    for piece, leg in zip(legs, leg_of, strict=True):
        called = of_leg[piece].argmax(axis=1)
        for other in np.setdiff1d(called, leg):
            exchange(agreed, piece[called == other], *(extremities.legs[n] for n in (leg, other)))
    for piece, end in zip(ends, end_of, strict=False):
        wrong = piece[of_end[piece].argmax(axis=1) != end]
        if end == NECK_END:
            # What was called tail: a head has looks of its own.
            exchange(agreed, wrong, extremities.neck[:1], extremities.tail)
        else:
            agreed[wrong[:, None], [*extremities.neck, *extremities.tail]] = 0.0
            agreed[wrong, extremities.tail[0]] = of_end[wrong].sum(axis=1)
    return agreed


def _pieces(
    probabilities: np.ndarray,
    extremities: Extremities,
    graph: sparse.csr_matrix,
    mass: np.ndarray,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Vertices of each leg and of at most two ends of the trunk, whatever they are called."""
    # The most probable class with all legs taken as one, and both ends.
    merged = probabilities.copy()
    leg, *others = (list(own) for own in extremities.legs)
    for other in others:
        merged[:, leg] += merged[:, other]
        merged[:, other] = 0.0
    end, *rest = (*extremities.neck, *extremities.tail)
    merged[:, end] += merged[:, rest].sum(axis=1)
    merged[:, rest] = 0.0
    kind = merged.argmax(axis=1)
    ends = large_pieces(graph, mass, np.flatnonzero(kind == end))
    ends = sorted(ends, key=lambda piece: -mass[piece].sum())[:2]
    for first in range(1, len(leg)):
        legs = large_pieces(graph, mass, np.flatnonzero(np.isin(kind, leg[first:])))
        if len(legs) == len(extremities.legs):
            return with_nearest(graph, np.flatnonzero(np.isin(kind, leg)), legs), ends
    return [], ends


def _decided(
    leg_votes: np.ndarray, end_votes: np.ndarray, nearer: np.ndarray
) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Which leg each of four is, and which end each of one or two, with the most votes together.

    The first two legs are at the neck's end.

    Parameters
    ----------
    leg_votes : (4, 4) float
        For each piece, of each leg.
    end_votes : (n, 2) float
        For each piece, of neck and of tail.
    nearer : (4,) int
        Piece of the ends that each leg is nearer to, two legs each.
    """

    def votes(order: tuple[int, ...], end_of: tuple[int, int]) -> float:
        of_ends = end_votes[np.arange(len(end_votes)), end_of[: len(end_votes)]]
        return float(leg_votes[np.arange(len(order)), order].sum() + of_ends.sum())

    allowed = [
        (order, end_of)
        for end_of in ((NECK_END, TAIL_END), (TAIL_END, NECK_END))
        for order in permutations(range(len(leg_votes)))
        if all(
            (leg < 2) == (end_of[end] == NECK_END) for leg, end in zip(order, nearer, strict=True)
        )
    ]
    return max(allowed, key=lambda choice: votes(*choice))


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
