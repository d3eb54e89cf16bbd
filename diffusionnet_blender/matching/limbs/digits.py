"""Fingers and toes that correspond: branches of hands and feet, told by their order.

Features of two digits are alike, and so are those of the two sides of one: the nearest ones
confuse a digit with its neighbour, and its pad with its nail. Which digit is which, how far along
it a place lies and on which side follow from the shape of the hand alone, in any pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

import numpy as np
from scipy.spatial import cKDTree

from ...surface.edges import directed_edges
from ...surface.loose_parts import label_mesh_parts
from ..geodesic import nearest_distances, surface_graph
from .directions import SIDES, across, transported, unit
from .links import LINKS
from .parted import PartedMesh

# Hands of fewer triangles have no fingers to tell apart.
FEWEST = 100
# Of what branches off a foot, toes are to so much of their area of the part of toes, and have so
# much of the area of the middle one at least: a heel is none, nor is the ball of a big toe.
OF_DIGITS, LEAST_AREA = 0.25, 0.3
# A hand begins where the forearm is so probable, as a share of its most at the hand's rim: at a
# sleeve a third part may be as probable as both. With less than the second there is no wrist.
OF_MOST, LEAST_BEFORE = 0.9, 0.2
# Share of a hand without a forearm of its own that is nearest to the forearm: to the sleeve.
AT_SLEEVE = 0.02
# More branches than this are no hand.
MOST = 6
# At its root a digit goes over into the palm, over so much of its length.
ROOT = 0.3
# Weights against features of unit length: of another digit, of the way along, of the way around.
APART, ALONG, AROUND = 1.0, 1.0, 0.5
# Pieces of a digit whose middles are its middle line.
PIECES = 6


@dataclass(frozen=True)
class Extremity:
    """A link whose branches are digits.

    Attributes
    ----------
    link, before, digits : str
        The link, the part that it hangs on, and the part of its digits.
    shortest : float
        Least length of a digit, as a share of the way to the farthest tip.
    """

    link: str
    before: str
    digits: str
    shortest: float


# Fingers of people are 0.17 and longer, and the noise of a scan is below 0.1; toes are 0.06 to 0.2.
EXTREMITIES = (
    Extremity("hand", "forearm", "fingers", 0.12),
    Extremity("foot", "shin", "toes", 0.05),
)


@dataclass(frozen=True, eq=False)
class Digit:
    """A digit or a toe.

    Attributes
    ----------
    vertices : (n,) int64
    along : (n,) float64
        Of each, from 0 at the root to 1 at the tip.
    root : (3,) float64
        Middle of its border with the hand.
    form : (3,) float64
        How far root and tip are from the wrist, as shares of the farthest vertex of the hand, and
        the root of its share of the hand's area: a thumb begins near the wrist, a big toe is large.
    """

    vertices: np.ndarray
    along: np.ndarray
    root: np.ndarray
    form: np.ndarray


def digits_of(mesh: PartedMesh, of: Extremity, side: str) -> list[Digit]:
    """Digits in their order across the hand, from either end; none where they are one piece.

    Parameters
    ----------
    mesh : PartedMesh
        With the fine parts of a person.
    of : Extremity
    side : {"L", "R"}
    """
    inside = (mesh.part(LINKS[f"{of.link}.{side}"][0]) > 0.5)[mesh.faces]
    rim = mesh.faces[inside.any(axis=1) & ~inside.all(axis=1)]
    # A shoe may be larger than the foot in it.
    for faces in _pieces(mesh, mesh.faces[inside.all(axis=1)]):
        found = _digits_on(mesh, faces, rim, of, side)
        if found:
            return found
    return []


def _digits_on(
    mesh: PartedMesh, faces: np.ndarray, rim: np.ndarray, of: Extremity, side: str
) -> list[Digit]:
    """Digits of a hand with some faces (n, 3), see `_wrist`."""
    start = _wrist(mesh, faces, rim, mesh.part([f"{of.before}.{side}"]))
    if not len(start):
        return []
    away = nearest_distances(surface_graph(mesh.vertices, faces), start)
    # What hangs on no wrist is no part of this hand.
    away[~np.isfinite(away)] = 0.0
    own = mesh.part([f"{of.digits}.{side}"])
    branches = [
        branch
        for branch in _branches(faces, away, of.shortest * away.max())
        if np.average(own[branch], weights=mesh.mass[branch]) > OF_DIGITS
    ]
    areas = np.array([mesh.mass[branch].sum() for branch in branches])
    found = [
        _digit(mesh, branch, away)
        for branch, area in zip(branches, areas, strict=True)
        if area > LEAST_AREA * np.median(areas)
    ]
    if not 2 <= len(found) <= MOST:
        return []
    roots = np.array([digit.root for digit in found])
    apart = np.linalg.norm(roots[:, None] - roots, axis=2)
    order = min(
        permutations(range(len(found))),
        key=lambda path: sum(apart[one, other] for one, other in pairwise(path)),
    )
    return [found[number] for number in order]


def _pieces(mesh: PartedMesh, faces: np.ndarray) -> list[np.ndarray]:
    """Faces of each connected piece of `FEWEST` and more, the largest area first."""
    piece = label_mesh_parts(len(mesh.vertices), faces)[faces[:, 0]]
    numbers, counts = np.unique(piece, return_counts=True)
    found = [faces[piece == number] for number in numbers[counts >= FEWEST]]
    return sorted(found, key=lambda each: -mesh.mass[np.unique(each)].sum())


def _wrist(mesh: PartedMesh, faces: np.ndarray, rim: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Vertices of a hand at which it begins, none where there is no forearm.

    Parameters
    ----------
    mesh : PartedMesh
    faces : (n, 3) int
        Of the hand.
    rim : (m, 3) int
        Faces at the border of the parts of the hand.
    before : (V,) float
        Probability of the forearm.
    """
    rim = rim[np.isin(rim, faces).any(axis=1)]
    most = before[rim].max(axis=1)
    least = min(0.5, OF_MOST * most.max(initial=0.0))
    start = np.intersect1d(rim[most > max(least, LEAST_BEFORE)], faces)
    forearm = mesh.vertices[before > 0.5]
    if len(start) or not len(forearm):
        return start
    # What a sleeve hides of the arm is often cut away.
    own = np.unique(faces)
    away, _ = cKDTree(forearm).query(mesh.vertices[own])
    return own[away <= np.quantile(away, AT_SLEEVE)]


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


def _digit(mesh: PartedMesh, vertices: np.ndarray, away: np.ndarray) -> Digit:
    """A branch with its root, by the distances (V,) from the wrist."""
    inside = np.zeros(len(away), bool)
    inside[vertices] = True
    corners = inside[mesh.faces]
    border = np.unique(mesh.faces[corners.any(axis=1) & ~corners.all(axis=1)])
    root = mesh.vertices[border[inside[border]]].mean(axis=0)
    own = away[vertices]
    form = np.array(
        [
            own.min() / away.max(),
            own.max() / away.max(),
            np.sqrt(mesh.mass[vertices].sum() / mesh.mass[away > 0].sum()),
        ]
    )
    along = (own - own.min()) / max(np.ptp(own), np.finfo(float).tiny)
    return Digit(vertices, along, root, form)


@dataclass(frozen=True)
class DigitPairs:
    """Digits of one hand or foot of both figures that correspond, in their order.

    Attributes
    ----------
    hand : str
        The link of the source, as "hand.L".
    source, target : list of Digit
    """

    hand: str
    source: list[Digit]
    target: list[Digit]


def paired_digits(
    source: PartedMesh,
    target: PartedMesh,
    source_rows: np.ndarray,
    target_rows: np.ndarray,
    by_form: bool = False,
) -> list[DigitPairs]:
    """Digits of hands and feet that correspond; none of those that one of the two lacks.

    Parameters
    ----------
    source, target : PartedMesh
        With the fine parts of a person.
    source_rows, target_rows : (V_s, d), (V_t, d) float
        What is about alike on both, as features: by these the two hands of a figure are told apart.
    by_form : bool
        Whether a digit's form tells which it is, and not its rows: places by a map that may have a
        hand the wrong way round.
    """
    found = []
    for of in EXTREMITIES:
        hands, goals = ([digits_of(mesh, of, side) for side in SIDES] for mesh in (source, target))
        for side, own, opposite, goal in zip(SIDES, hands, hands[::-1], goals, strict=True):
            if by_form:
                values = [np.array([digit.form for digit in digits]) for digits in (own, goal)]
            else:
                values = [_mean_rows(own, source_rows), _mean_rows(goal, target_rows)]
            pairs = _paired(own, goal, *values)
            # Left and right of one of the two may be exchanged.
            away, other = (_apart(each, goal, source_rows, target_rows) for each in (own, opposite))
            if pairs and away <= other:
                found.append(DigitPairs(f"{of.link}.{side}", *map(list, zip(*pairs, strict=True))))
    return found


def digit_coordinates(
    source: PartedMesh,
    target: PartedMesh,
    source_rows: np.ndarray,
    target_rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Coordinates by which corresponding places of digits are near, and others far.

    Parameters are those of `paired_digits`.

    Returns
    -------
    (V_s, n), (V_t, n) float64, or None
        Zeros on all other places; None where no two hands have any.
    """
    columns: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for hand in paired_digits(source, target, source_rows, target_rows):
        columns[0].extend(_columns(source, hand.source))
        columns[1].extend(_columns(target, hand.target))
    if not columns[0]:
        return None
    return np.concatenate(columns[0], axis=1), np.concatenate(columns[1], axis=1)


def _mean_rows(digits: list[Digit], rows: np.ndarray) -> np.ndarray:
    """Mean of the rows (V, d) of each digit, (n, d)."""
    return np.array([rows[digit.vertices].mean(axis=0) for digit in digits])


def _paired(
    source: list[Digit],
    target: list[Digit],
    source_values: np.ndarray,
    target_values: np.ndarray,
) -> list[tuple[Digit, Digit]]:
    """Digits of two hands with the most similar values (n, d), (m, d), all of the one that has
    fewer, in their order.
    """
    few = min(len(source), len(target))
    if not few:
        return []
    apart = np.linalg.norm(source_values[:, None] - target_values, axis=2)
    forward = range(len(source))
    ways = (
        (chosen, others)
        for order in (forward, forward[::-1])
        for chosen in combinations(order, few)
        for others in combinations(range(len(target)), few)
    )
    best = min(ways, key=lambda way: float(apart[way].mean()))
    return [(source[i], target[j]) for i, j in zip(*best, strict=True)]


def _apart(
    source: list[Digit], target: list[Digit], source_rows: np.ndarray, target_rows: np.ndarray
) -> float:
    """Distance of the mean rows of two hands; infinite where one of them has no digit."""
    if not source or not target:
        return float("inf")
    means = [
        rows[np.concatenate([digit.vertices for digit in digits])].mean(axis=0)
        for digits, rows in ((source, source_rows), (target, target_rows))
    ]
    return float(np.linalg.norm(means[0] - means[1]))


def places_on(mesh: PartedMesh, digits: Sequence[Digit], number: int) -> np.ndarray:
    """Where the vertices of a digit lie on it, (n, 3): along it, and around it in its radii.

    Parameters
    ----------
    mesh : PartedMesh
    digits : sequence of Digit
        Of one hand, in their order.
    number : int
        Of the digit among them.
    """
    digit = digits[number]
    # The row of the knuckles is the same on both hands, and tells how each digit is turned.
    row = digits[min(number + 1, len(digits) - 1)].root - digits[max(number - 1, 0)].root
    return np.column_stack([digit.along, _around(mesh, digit, row)])


def _columns(mesh: PartedMesh, digits: Sequence[Digit]) -> list[np.ndarray]:
    """Coordinates of all vertices, (V, 4) for each finger: on it, along it, and around it, two."""
    found = []
    for number, digit in enumerate(digits):
        places = places_on(mesh, digits, number) * [ALONG, AROUND, AROUND]
        own = np.column_stack([np.full(len(places), APART), places])
        columns = np.zeros((len(mesh.vertices), own.shape[1]))
        columns[digit.vertices] = np.minimum(digit.along / ROOT, 1.0)[:, None] * own
        found.append(columns)
    return found


def _around(mesh: PartedMesh, digit: Digit, row: np.ndarray) -> np.ndarray:
    """Place (n, 2) of a digit's vertices across its middle line, in its radii.

    The first direction is that of a `row` (3,) at the root, and goes along as the digit bends.
    """
    places, mass = mesh.vertices[digit.vertices], mesh.mass[digit.vertices]
    piece = np.minimum((PIECES * digit.along).astype(int), PIECES - 1)
    weight = np.bincount(piece, mass, PIECES)
    full = weight > 0

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(piece, mass * values, PIECES)[full] / weight[full]

    at = mean(digit.along)
    line = np.stack([mean(column) for column in places.T], axis=1)
    if len(at) < 2:
        return np.zeros((len(places), 2))
    ways = [unit(way) for way in np.gradient(line, axis=0)]
    first = [unit(across(row, ways[0]))]
    for before, after in pairwise(ways):
        first.append(unit(across(transported(first[-1], before, after), after)))
    second = np.cross(ways, first)

    def along(values: np.ndarray) -> np.ndarray:
        columns = [np.interp(digit.along, at, column) for column in np.transpose(values)]
        return np.stack(columns, axis=1)

    off = places - along(line)
    around = np.stack(
        [np.einsum("ni,ni->n", off, along(axis)) for axis in (np.array(first), second)], axis=1
    )
    radius = np.sqrt(np.average(np.square(around).sum(axis=1), weights=mass))
    return around / max(radius, np.finfo(float).tiny)
