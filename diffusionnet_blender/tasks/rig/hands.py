"""Fingers of a figure: a template hand laid on its hand, whole at first, then finger by finger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from ...matching.limbs.directions import across, unit
from ...matching.limbs.joints import tip
from ...matching.limbs.links import LINKS
from ...matching.limbs.parted import PartedMesh
from .layout import surely_centre

# Degrees between the turns of a hand about its length that are tried, and how many go on from the
# best ones.
TURNS = tuple(range(0, 360, 20))
STARTS = 4
ROUNDS = 15
# Share of the points, the nearest ones, that count: sleeves and rings are none of the hand.
TRIMMED = 0.85
# A hand reaches so far from its wrist and from its axis, in its lengths.
REACH, WIDE = 1.4, 0.8
# Five fingers take more triangles than this: a mitten has fewer.
FEWEST = 150
ENOUGH = 200
# In heights of the figure.
SHORTEST = 0.01
# Most turn of a finger, and of its joints, in degrees.
MOST_TURN = (40.0, 35.0, 35.0)
FINGER_ROUNDS = 3
# Mean distance of the template's fingers from the hand, in hand lengths, over which the hand has no
# such fingers: fists and balls.
UNLIKE = 0.075


@dataclass(frozen=True, eq=False)
class HandFrame:
    """A hand's own frame.

    Attributes
    ----------
    start : (3,) float64
        The wrist.
    axes : (3, 3) float64
        Rows: two directions across, the second one to the back of a hanging arm, and along.
    length : float
    """

    start: np.ndarray
    axes: np.ndarray
    length: float


def hand_frame(
    mesh: PartedMesh, landmarks: Mapping[str, np.ndarray], side: str
) -> HandFrame | None:
    """The frame of a hand from its wrist to its fingertips; None for an arm without one.

    Parameters
    ----------
    mesh : PartedMesh
    landmarks : mapping of str to (3,) float
    side : {"L", "R"}
    """
    parts = LINKS[f"hand.{side}"][0]
    wrist, centre = landmarks.get(f"wrist.{side}"), surely_centre(mesh, parts)
    if wrist is None or centre is None:
        return None
    along = centre - wrist
    elbow = landmarks.get(f"elbow.{side}")
    if elbow is not None and along @ (wrist - elbow) <= 0:
        along = wrist - elbow
    if not np.linalg.norm(along) > 0:
        return None
    along = along / np.linalg.norm(along)
    end = tip(mesh, parts, wrist, along)
    length = 0.0 if end is None else float((end - wrist) @ along)
    if length < SHORTEST * mesh.height:
        return None
    second = unit(across(np.eye(3)[np.abs(along).argmin()], along))
    return HandFrame(wrist, np.stack([np.cross(along, second), second, along]), length)


def fingers_of(
    mesh: PartedMesh, hand: HandFrame, side: str, template: Mapping[str, Any]
) -> dict[str, np.ndarray] | None:
    """Lay the template's hand on a hand.

    Parameters
    ----------
    mesh : PartedMesh
    hand : HandFrame
    side : {"L", "R"}
    template : mapping
        ``points`` (n, 3) of a left hand in lengths along the axes of its link, ``finger`` (n,) the
        number of each one's finger or 0, and ``joints``, (4, 3) for each finger in their order.

    Returns
    -------
    dict of str to (4, 3) float64, or None
        Joints of each finger from its knuckle to its tip, in the frame of the mesh. None for a hand
        of hardly any triangles, or without such fingers.
    """
    own = _points(mesh, hand, side)
    if own is None:
        return None
    mirror = np.array([-1.0 if side == "R" else 1.0, 1.0, 1.0])
    shape = np.array(template["points"]) * mirror
    joints = [np.array(each) * mirror for each in template["joints"].values()]
    there = cKDTree(own)
    moves = [_start(shape, own, degrees) for degrees in TURNS]
    moves.sort(key=lambda move: _cost(shape @ move[0].T + move[1], own, there))
    fits = []
    for linear, shift in moves[:STARTS]:
        for _ in range(ROUNDS):
            linear, shift = _closer(shape, linear, shift, own, there)
        fits.append((_cost(shape @ linear.T + shift, own, there), linear, shift))
    _, linear, shift = min(fits, key=lambda fit: fit[0])
    shape = shape @ linear.T + shift
    joints = [each @ linear.T + shift for each in joints]
    number = np.array(template["finger"])
    for finger, chain in enumerate(joints, 1):
        _curl(shape, number == finger, chain, there)
    if there.query(shape[number > 0])[0].mean() > UNLIKE:
        return None
    placed = [hand.start + hand.length * chain @ hand.axes for chain in joints]
    return dict(zip(template["joints"], placed, strict=True))


def _points(mesh: PartedMesh, hand: HandFrame, side: str) -> np.ndarray | None:
    """Points (n, 3) of the surface of a hand in its frame, in lengths; None for hardly any."""
    own = (mesh.vertices - hand.start) @ hand.axes.T / hand.length
    away = np.linalg.norm(own[:, :2], axis=1)
    chosen = (mesh.part(LINKS[f"hand.{side}"][0]) > 0.5) & (own[:, 2] > -0.1)
    chosen &= (own[:, 2] < REACH) & (away < WIDE)
    faces = mesh.faces[chosen[mesh.faces].all(axis=1)]
    if len(faces) < FEWEST:
        return None
    found = own[chosen]
    if len(found) < ENOUGH:
        # Few vertices do not cover a hand; within triangles there are more points.
        inner = ((4, 1, 1), (1, 4, 1), (1, 1, 4), (2, 2, 2))
        within = [np.array(share) / 6 @ own[faces] for share in inner]
        found = np.concatenate([found, *within])
    return found


Move = tuple[np.ndarray, np.ndarray]


def _start(shape: np.ndarray, own: np.ndarray, degrees: float) -> Move:
    """The template turned about the length of the hand, with its middle and its size."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    middles = shape.mean(axis=0), np.median(own, axis=0)
    middles[1][2] = own[:, 2].mean()
    sizes = [
        np.sqrt(np.square(p - m).sum(axis=1).mean())
        for p, m in zip((shape, own), middles, strict=True)
    ]
    linear = np.clip(sizes[1] / sizes[0], 0.6, 1.5) * turn
    return linear, middles[1] - linear @ middles[0]


def _pairs(
    shape: np.ndarray, own: np.ndarray, there: cKDTree
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest points both ways, without the farthest: of the template, of the hand, distances."""
    one, near = there.query(shape)
    other, back = cKDTree(shape).query(own)
    first = np.concatenate([np.arange(len(shape)), back])
    second = np.concatenate([near, np.arange(len(own))])
    distance = np.concatenate([one, other])
    # Both directions count alike.
    kept = np.concatenate([one <= np.quantile(one, TRIMMED), other <= np.quantile(other, TRIMMED)])
    weight = np.concatenate(
        [np.full(len(shape), 1.0 / len(shape)), np.full(len(own), 1.0 / len(own))]
    )
    return np.stack([first, second], axis=1)[kept], distance[kept], weight[kept]


def _cost(shape: np.ndarray, own: np.ndarray, there: cKDTree) -> float:
    _, distance, weight = _pairs(shape, own, there)
    return float(weight @ distance)


def _closer(
    shape: np.ndarray, linear: np.ndarray, shift: np.ndarray, own: np.ndarray, there: cKDTree
) -> Move:
    """A step of iterative closest points with a similarity transform (Umeyama 1991)."""
    pairs, _, weight = _pairs(shape @ linear.T + shift, own, there)
    first, second = shape[pairs[:, 0]], own[pairs[:, 1]]
    weight = weight / weight.sum()
    middles = weight @ first, weight @ second
    first, second = first - middles[0], second - middles[1]
    u, values, vt = np.linalg.svd((weight[:, None] * second).T @ first)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float((values * np.diag(flip)).sum() / (weight @ np.square(first).sum(axis=1)))
    linear = float(np.clip(scale, 0.5, 1.8)) * u @ flip @ vt
    return linear, middles[1] - linear @ middles[0]


def _curl(shape: np.ndarray, of_finger: np.ndarray, chain: np.ndarray, there: cKDTree) -> None:
    """Turn a finger at its joints to where its points are nearer to the hand, in place."""
    for joint, most in enumerate(MOST_TURN):
        way = chain[joint + 1] - chain[joint]
        length = np.linalg.norm(way)
        if length < 1e-9:
            continue
        for _ in range(FINGER_ROUNDS):
            beyond = of_finger & ((shape - chain[joint]) @ way / length > 0.1 * length)
            if beyond.sum() < 4:
                break
            points = shape[beyond]
            distance, near = there.query(points)
            kept = distance <= np.quantile(distance, TRIMMED)
            first = points[kept] - chain[joint]
            second = there.data[near[kept]] - chain[joint]
            u, _, vt = np.linalg.svd(second.T @ first)
            flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
            turn = _within(u @ flip @ vt, most / FINGER_ROUNDS)
            shape[beyond] = (points - chain[joint]) @ turn.T + chain[joint]
            chain[joint + 1 :] = (chain[joint + 1 :] - chain[joint]) @ turn.T + chain[joint]
            way = chain[joint + 1] - chain[joint]


def _within(turn: np.ndarray, most: float) -> np.ndarray:
    """A rotation (3, 3), or one by at most so many degrees about the same axis."""
    vector = Rotation.from_matrix(turn).as_rotvec()
    angle = np.degrees(np.linalg.norm(vector))
    if angle > most:
        vector = vector * (most / angle)
    return Rotation.from_rotvec(vector).as_matrix()
