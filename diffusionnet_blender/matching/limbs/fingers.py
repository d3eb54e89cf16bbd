"""Fingers of hands that correspond: branches of the surface, told by their order across the hand.

Features of fingers are alike, and so are those of their two sides: nearest ones confuse a finger
with its neighbour, and the pad with the nail. Which finger is which, how far along it a place lies
and on which side follow from the shape of the hand alone, in any pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from ...surface.edges import directed_edges
from ..geodesic import nearest_distances, surface_graph
from .directions import SIDES, across, transported, unit
from .links import LINKS
from .parted import PartedMesh

# Hands of fewer triangles have no fingers to tell apart.
FEWEST = 100
# Least length of a finger, of the way from the wrist to the farthest fingertip: people's are 0.17
# and longer, the noise of a scan is below 0.1.
SHORTEST = 0.12
# More branches than this are no hand.
MOST = 6
# At its root a finger goes over into the palm, over so much of its length.
ROOT = 0.3
# Weights against features of unit length: of another finger, of the way along, of the way around.
APART, ALONG, AROUND = 1.0, 1.0, 0.5
# Pieces of a finger whose middles are its middle line.
PIECES = 6

# A coordinate of all vertices of source and target, (V_s, n) and (V_t, n).
Coordinates = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Finger:
    """A branch of a hand.

    Attributes
    ----------
    vertices : (n,) int64
    along : (n,) float64
        Of each, from 0 at the root to 1 at the tip.
    root : (3,) float64
        Middle of its border with the hand.
    """

    vertices: np.ndarray
    along: np.ndarray
    root: np.ndarray


def fingers_of(mesh: PartedMesh, side: str) -> list[Finger]:
    """Fingers of a hand in their order across it, from either end; none where they are one piece.

    Parameters
    ----------
    mesh : PartedMesh
        With the fine parts of a person.
    side : {"L", "R"}
    """
    hand = mesh.part(LINKS[f"hand.{side}"][0]) > 0.5
    inside = hand[mesh.faces]
    faces = mesh.faces[inside.all(axis=1)]
    if len(faces) < FEWEST:
        return []
    forearm = mesh.part([f"forearm.{side}"])[mesh.faces].max(axis=1) > 0.5
    wrist = np.intersect1d(mesh.faces[inside.any(axis=1) & forearm], faces)
    if not len(wrist):
        return []
    away = nearest_distances(surface_graph(mesh.vertices, faces), wrist)
    # What hangs on no wrist is no part of this hand.
    away[~np.isfinite(away)] = 0.0
    found = [
        _finger(mesh, branch, away) for branch in _branches(faces, away, SHORTEST * away.max())
    ]
    if not 2 <= len(found) <= MOST:
        return []
    roots = np.array([finger.root for finger in found])
    apart = np.linalg.norm(roots[:, None] - roots, axis=2)
    order = min(
        permutations(range(len(found))),
        key=lambda path: sum(apart[one, other] for one, other in pairwise(path)),
    )
    return [found[number] for number in order]


def _branches(faces: np.ndarray, away: np.ndarray, least: float) -> list[np.ndarray]:
    """Vertices of each branch of a mesh, beyond the place where it meets another one.

    What lies farther than a distance falls into pieces, which grow and meet as the distance
    shrinks: a merge tree. Pieces of less than a `least` length join the one that they meet.
    """
    edges = directed_edges(faces)
    start = np.searchsorted(edges[:, 0], np.arange(len(away) + 1))
    own = np.unique(faces)
    piece_of: dict[int, _Piece] = {}
    found = []
    for vertex in own[np.argsort(-away[own], kind="stable")].tolist():
        beside = edges[start[vertex] : start[vertex + 1], 1].tolist()
        meeting = {id(p): p for p in map(piece_of.get, beside) if p is not None}
        pieces = sorted(meeting.values(), key=lambda piece: -len(piece.vertices))
        if not pieces:
            pieces = [_Piece([], float(away[vertex]))]
        long = [p for p in pieces if p.is_hand or p.tip - away[vertex] > least]
        if len(long) > 1:
            found += [np.array(piece.vertices) for piece in long if not piece.is_hand]
        grown, *others = pieces
        grown.is_hand = len(long) > 1 or any(piece.is_hand for piece in pieces)
        grown.tip = max(piece.tip for piece in pieces)
        for other in others:
            grown.vertices += other.vertices
            piece_of |= dict.fromkeys(other.vertices, grown)
        grown.vertices.append(vertex)
        piece_of[vertex] = grown
    return found


@dataclass(eq=False)
class _Piece:
    """A piece of a surface that grows; of the whole hand once branches have met in it."""

    vertices: list[int]
    tip: float
    is_hand: bool = False


def _finger(mesh: PartedMesh, vertices: np.ndarray, away: np.ndarray) -> Finger:
    """A branch with its root, by the distances (V,) from the wrist."""
    inside = np.zeros(len(away), bool)
    inside[vertices] = True
    corners = inside[mesh.faces]
    border = np.unique(mesh.faces[corners.any(axis=1) & ~corners.all(axis=1)])
    root = mesh.vertices[border[inside[border]]].mean(axis=0)
    own = away[vertices]
    return Finger(vertices, (own - own.min()) / np.ptp(own), root)


def finger_coordinates(
    source: PartedMesh,
    target: PartedMesh,
    source_rows: np.ndarray,
    target_rows: np.ndarray,
) -> Coordinates | None:
    """Coordinates by which corresponding places of fingers are near, and others far.

    Parameters
    ----------
    source, target : PartedMesh
        With the fine parts of a person.
    source_rows, target_rows : (V_s, d), (V_t, d) float
        What is about alike on both, as features: by these the order of the fingers has its
        beginning.

    Returns
    -------
    (V_s, n), (V_t, n) float64, or None
        Zeros on all other places; None where no two hands have as many fingers.
    """
    hands = {side: (fingers_of(source, side), fingers_of(target, side)) for side in SIDES}
    columns: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for side, other_side in (SIDES, SIDES[::-1]):
        own, goal = hands[side]
        if not own or len(own) != len(goal):
            continue
        wanted = _rows_of(goal, target_rows)
        unlike = [
            float(np.linalg.norm(_rows_of(fingers, source_rows) - wanted))
            for one in (own, hands[other_side][0])
            for fingers in (one, one[::-1])
            if len(one) == len(goal)
        ]
        nearest = int(np.argmin(unlike))
        # Left and right of one of the two may be exchanged.
        if nearest > 1:
            continue
        own = own[::-1] if nearest else own
        for mesh, fingers, found in zip((source, target), (own, goal), columns, strict=True):
            found += _columns(mesh, fingers)
    if not columns[0]:
        return None
    return np.concatenate(columns[0], axis=1), np.concatenate(columns[1], axis=1)


def _rows_of(fingers: list[Finger], rows: np.ndarray) -> np.ndarray:
    """Mean row of each finger, (n, d), of rows of all vertices, (V, d)."""
    return np.array([rows[finger.vertices].mean(axis=0) for finger in fingers])


def _columns(mesh: PartedMesh, fingers: list[Finger]) -> list[np.ndarray]:
    """Coordinates of all vertices, (V, 4) for each finger: on it, along it, and around it, two."""
    found = []
    for number, finger in enumerate(fingers):
        # The row of the knuckles is the same on both hands, and tells how each finger is turned.
        row = fingers[min(number + 1, len(fingers) - 1)].root - fingers[max(number - 1, 0)].root
        around = _around(mesh, finger, row)
        own = np.column_stack([np.full(len(around), APART), ALONG * finger.along, AROUND * around])
        columns = np.zeros((len(mesh.vertices), own.shape[1]))
        columns[finger.vertices] = np.minimum(finger.along / ROOT, 1.0)[:, None] * own
        found.append(columns)
    return found


def _around(mesh: PartedMesh, finger: Finger, row: np.ndarray) -> np.ndarray:
    """Place (n, 2) of a finger's vertices across its middle line, in its radii.

    The first direction is that of a `row` (3,) at the root, and goes along as the finger bends.
    """
    places, mass = mesh.vertices[finger.vertices], mesh.mass[finger.vertices]
    piece = np.minimum((PIECES * finger.along).astype(int), PIECES - 1)
    weight = np.bincount(piece, mass, PIECES)
    full = weight > 0

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(piece, mass * values, PIECES)[full] / weight[full]

    at = mean(finger.along)
    line = np.stack([mean(column) for column in places.T], axis=1)
    if len(at) < 2:
        return np.zeros((len(places), 2))
    ways = [unit(way) for way in np.gradient(line, axis=0)]
    first = [unit(across(row, ways[0]))]
    for before, after in pairwise(ways):
        first.append(unit(across(transported(first[-1], before, after), after)))
    second = np.cross(ways, first)

    def along(values: np.ndarray) -> np.ndarray:
        columns = [np.interp(finger.along, at, column) for column in np.transpose(values)]
        return np.stack(columns, axis=1)

    off = places - along(line)
    around = np.stack(
        [np.einsum("ni,ni->n", off, along(axis)) for axis in (np.array(first), second)], axis=1
    )
    radius = np.sqrt(np.average(np.square(around).sum(axis=1), weights=mass))
    return around / max(radius, np.finfo(float).tiny)
