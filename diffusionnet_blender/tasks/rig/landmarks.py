"""Landmarks of a figure: where its bones turn, and where its limbs end.

A joint lies at the border between two parts of the body, but not in the middle of it: a shoulder
turns beneath the edge of the deltoid, a spine runs along the back. How far off it is was learnt
from bodies whose joints are known (`rigs/joint_offsets.json`, made by `training.rig_offsets`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from ...matching.limbs.directions import BACK, LEFT, SIDES, UP, across, unit
from ...matching.limbs.joints import border_centre, joints_of, tip
from ...matching.limbs.parted import PartedMesh
from .bends import bends
from .data import FOLDER

# Joints of limbs with the ones before and after them.
LIMB_JOINTS = {
    "elbow": ("shoulder", "wrist"),
    "wrist": ("elbow", None),
    "knee": ("hip", "ankle"),
    "ankle": ("knee", None),
}
TRUNK_JOINTS = ("neck", "head", "chest", "waist", "shoulder", "hip")
SIDED = ("shoulder", "hip")
# Width of the shoulders in lengths of the trunk, for figures without arms.
WIDTH_OF_TRUNK = 0.6
# A knee stands out to the front, an elbow to the back, by so much of the limb's length at least:
# with less, a solver of inverse kinematics may bend them the wrong way.
LEAST_BEND = 0.02
# A limb that is bent by more than this is bent as it is meant to be.
BENT = 0.05

# A leg whose direction leaves less of the front than this points there: a seated figure's.
LEAST_ACROSS = 0.4

# Joints of limbs with their parts, and where along a limb they lie if their borders are not found:
# stubs, and limbs that clothes or armour hide.
LIMBS = (
    (("shoulder", "elbow", "wrist"), ("upper_arm", "forearm", "palm", "fingers"), (0.42, 0.78)),
    (("hip", "knee", "ankle"), ("thigh", "shin", "foot", "toes"), (0.48, 0.9)),
)
# Length of feet that are not found, in heights.
LEAST_FOOT = 0.06
# A limb has this share of the figure's area at least, and this length in heights.
LEAST_LIMB, SHORTEST_LIMB = 0.004, 0.05
Offsets = Mapping[str, Sequence[float]]
Limb = tuple[tuple[str, str, str], tuple[str, ...], tuple[float, float]]


@cache
def joint_offsets() -> Offsets:
    """Offsets from borders to joints, see `limb_basis` and `trunk_basis`."""
    found: Offsets = json.loads((FOLDER / "joint_offsets.json").read_text(encoding="utf-8"))
    return found


def landmarks_of(mesh: PartedMesh, offsets: Offsets | None = None) -> dict[str, np.ndarray]:
    """Joints and ends of the limbs of a figure, (3,) each, in the frame of the mesh.

    Parameters
    ----------
    mesh : PartedMesh
    offsets : dict of str to sequence of float, optional
        By default those that ship.

    Returns
    -------
    dict of str to (3,) float64
        ``hips``, ``waist``, ``chest``, ``neck``, ``head``, ``crown``; and of each side
        ``shoulder.L``, ``elbow``, ``wrist``, ``knuckles``, ``fingertips``, ``hip``, ``knee``,
        ``ankle``, ``ball``, ``toe_tip``, ``heel_in``, ``heel_out``, without those of limbs that the
        figure lacks.
    """
    offsets = joint_offsets() if offsets is None else offsets
    found = joints_of(mesh)
    borders = with_feet(mesh, found)
    for name in TRUNK_JOINTS:
        for side in SIDES if name in SIDED else ("",):
            key = f"{name}.{side}" if side else name
            basis = trunk_basis(borders, side) if key in borders else None
            if basis is not None and name in offsets:
                found[key] = borders[key] + basis @ np.asarray(offsets[name])
    for name in LIMB_JOINTS:
        for side in SIDES:
            basis = limb_basis(borders, name, side)
            if basis is not None and name in offsets:
                found[f"{name}.{side}"] = borders[f"{name}.{side}"] + basis @ np.asarray(
                    offsets[name]
                )
    for side in SIDES:
        for limb in LIMBS:
            _complete(mesh, found, limb, side)
    hips = [found.get(f"hip.{side}") for side in SIDES]
    if hips[0] is not None and hips[1] is not None:
        found["hips"] = (hips[0] + hips[1]) / 2
    _add_ends(mesh, found)
    _bend(found)
    return found


def trunk_basis(joints: Mapping[str, np.ndarray], side: str) -> np.ndarray | None:
    """Columns outward (left of joints in the middle), back and up, (3, 3), in shoulder widths.

    Parameters
    ----------
    joints : mapping of str to (3,) float
    side : {"L", "R", ""}

    Returns
    -------
    (3, 3) float64 or None
        None without hips and neck.
    """
    hips, neck = joints.get("hips"), joints.get("neck")
    if hips is None or neck is None or not np.linalg.norm(neck - hips) > 0:
        return None
    shoulders = joints.get("shoulder.L"), joints.get("shoulder.R")
    trunk = float(np.linalg.norm(neck - hips))
    up = (neck - hips) / trunk
    left, width = LEFT, WIDTH_OF_TRUNK * trunk
    if shoulders[0] is not None and shoulders[1] is not None:
        left = shoulders[0] - shoulders[1]
        width = float(np.linalg.norm(left))
    left = unit(across(left, up))
    axes = np.stack([-left if side == "R" else left, np.cross(up, left), up], axis=1)
    return width * axes


def with_feet(mesh: PartedMesh, joints: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Joints with the middles of the feet, ``foot.L`` and ``foot.R``, for `limb_basis`."""
    found = dict(joints)
    for side in SIDES:
        centre = surely_centre(mesh, [f"foot.{side}", f"toes.{side}"])
        if centre is not None:
            found[f"foot.{side}"] = centre
    return found


def limb_basis(joints: Mapping[str, np.ndarray], name: str, side: str) -> np.ndarray | None:
    """Columns of the offsets of a joint of a limb, (3, n): along the bone that ends in it.

    For elbow and knee a second one: to where the limb's bend points to, zero if it is straight.
    For knees a third: to the front, across the leg, by the length of the leg; zero where the leg
    points there. For ankles a second: from the ankle to the middle of the foot, across the shin.

    Parameters
    ----------
    joints : mapping of str to (3,) float
        See `with_feet`.
    name : str
        One of `LIMB_JOINTS`.
    side : {"L", "R"}
    """
    before, after = LIMB_JOINTS[name]
    joint, first = joints.get(f"{name}.{side}"), joints.get(f"{before}.{side}")
    if joint is None or first is None:
        return None
    along = joint - first
    if name == "ankle":
        foot = joints.get(f"foot.{side}", joint)
        return np.stack([along, across(foot - joint, unit(along))], axis=1)
    if after is None:
        return along[:, None]
    last = joints.get(f"{after}.{side}")
    columns = 3 if name == "knee" else 2
    if last is None:
        return np.stack([along, *np.zeros((columns - 1, 3))], axis=1)
    lengths = np.linalg.norm([along, last - joint], axis=1)
    if min(lengths) < 1e-9:
        return None
    bend = along / lengths[0] - (last - joint) / lengths[1]
    found = [along, min(lengths) * bend]
    if name == "knee":
        front = across(-BACK, unit(last - first))
        is_across = np.linalg.norm(front) > LEAST_ACROSS
        found.append(lengths.sum() * (unit(front) if is_across else np.zeros(3)))
    return np.stack(found, axis=1)


def missing_joints(mesh: PartedMesh) -> set[str]:
    """Joints of limbs whose borders are not found, so that they are guessed or left out."""
    there = joints_of(mesh).keys()
    return {f"{name}.{s}" for joints, *_ in LIMBS for name in joints for s in SIDES} - there


def _complete(mesh: PartedMesh, found: dict[str, np.ndarray], limb: Limb, side: str) -> None:
    """Guess the joints of a limb that are not found, by its first joint and its end."""
    (first, *others), stems, shares = limb
    start = found.get(f"{first}.{side}")
    missing = [name for name in others if f"{name}.{side}" not in found]
    parts = [f"{stem}.{side}" for stem in stems]
    weight = mesh.mass * (mesh.part(parts) > 0.5)
    if start is None or not missing or weight.sum() < LEAST_LIMB:
        return
    middle = weight @ mesh.vertices / weight.sum()
    end = tip(mesh, parts, start, unit(middle - start))
    if end is None or np.linalg.norm(end - start) < SHORTEST_LIMB * mesh.height:
        return
    for name, share in zip(others, shares, strict=True):
        found.setdefault(f"{name}.{side}", start + share * (end - start))


def _add_ends(mesh: PartedMesh, found: dict[str, np.ndarray]) -> None:
    """Add the crown, knuckles and fingertips, the balls of the feet and the tips of the toes."""
    ends: dict[str, np.ndarray | None] = {}
    if "head" in found:
        ends["crown"] = tip(mesh, ["head"], found["head"], UP)
    for side in SIDES:
        wrist, elbow = found.get(f"wrist.{side}"), found.get(f"elbow.{side}")
        palm, fingers = f"palm.{side}", f"fingers.{side}"
        middle = surely_centre(mesh, [palm, fingers])
        if wrist is not None and middle is not None:
            # A fist on its arm: fingers may point anywhere.
            along = middle - wrist if elbow is None else unit(middle - wrist) + unit(wrist - elbow)
            ends[f"knuckles.{side}"] = border_centre(mesh, [palm], [fingers])
            ends[f"fingertips.{side}"] = tip(mesh, [palm, fingers], wrist, unit(along))
        ankle = found.get(f"ankle.{side}")
        foot, toes = f"foot.{side}", f"toes.{side}"
        if ankle is not None:
            ends[f"ball.{side}"] = border_centre(mesh, [foot], [toes])
            centre = surely_centre(mesh, [foot, toes])
            ahead = -BACK
            if centre is not None:
                # Along the sole.
                flat = (centre - ankle) * [1.0, 1.0, 0.0]
                if np.linalg.norm(flat) > 0.2 * np.linalg.norm(centre - ankle):
                    ahead = unit(flat)
            end = tip(mesh, [foot, toes], ankle, ahead)
            if end is None:
                end = ankle + LEAST_FOOT * mesh.height * ahead
            ends[f"toe_tip.{side}"] = end
    found.update({name: place for name, place in ends.items() if place is not None})
    for side in SIDES:
        _fill(found, f"wrist.{side}", f"knuckles.{side}", f"fingertips.{side}", 0.5)
        _lower_foot(mesh, found, side)


def surely_centre(mesh: PartedMesh, names: Sequence[str]) -> np.ndarray | None:
    """Centre of the area (3,) that is surely of some parts; None where there is none.

    Traces of a small part on the whole of a figure would pull its centre away.
    """
    weight = mesh.mass * (mesh.part(names) > 0.5)
    if not weight.sum() > 0:
        return None
    return weight @ mesh.vertices / weight.sum()


def _fill(found: dict[str, np.ndarray], first: str, middle: str, last: str, share: float) -> None:
    if middle not in found and first in found and last in found:
        found[middle] = found[first] + share * (found[last] - found[first])


def _lower_foot(mesh: PartedMesh, found: dict[str, np.ndarray], side: str) -> None:
    """Put the ball of a foot and the tip of its toes near the sole, and the heel on it."""
    ankle, end = found.get(f"ankle.{side}"), found.get(f"toe_tip.{side}")
    if ankle is None or end is None:
        return
    for parts in (("foot", "toes"), ("shin", "foot", "toes"), ("thigh", "shin", "foot", "toes")):
        weight = mesh.part([f"{part}.{side}" for part in parts]) > 0.5
        if weight.any():
            break
    else:
        return
    sole = float(mesh.vertices[weight, 2].min())
    low = sole + 0.2 * max(ankle[2] - sole, 0.0)
    flat = end - ankle
    ball = found.get(f"ball.{side}")
    share = 0.6
    if ball is not None:
        share = float(np.clip((ball - ankle) @ flat / max(flat @ flat, 1e-12), 0.35, 0.85))
    for name, at in (("ball", share), ("toe_tip", 1.0)):
        place = ankle + at * flat
        found[f"{name}.{side}"] = np.array([place[0], place[1], min(low, ankle[2])])
    ahead = unit(flat * [1.0, 1.0, 0.0])
    aside = np.cross(UP, ahead) * (1.0 if side == "L" else -1.0)
    off = mesh.vertices[weight] - ankle
    behind = -0.7 * max(float(-(off @ ahead).min()), 0.2 * float(np.linalg.norm(flat)))
    half = max(float(np.quantile(np.abs(off @ aside), 0.7)), 0.1 * float(np.linalg.norm(flat)))
    for name, sign in (("heel_in", -1.0), ("heel_out", 1.0)):
        place = ankle + behind * ahead + sign * half * aside
        found[f"{name}.{side}"] = np.array([place[0], place[1], sole])


def _bend(found: dict[str, np.ndarray]) -> None:
    """Move joints of limbs that are hardly bent off the straight line, to the natural side."""
    for bend in bends(found, BACK):
        towards = across(bend.natural, bend.along)
        if np.linalg.norm(towards) < 0.2:
            # The limb points to the front or to the back: raised arms bend upward, seated legs too.
            upward = across(UP, bend.along)
            towards = upward if bend.natural @ BACK < 0 else -upward
        towards = unit(towards)
        size = np.linalg.norm(bend.off)
        if size > BENT * bend.length and bend.off @ towards > -0.5 * size:
            continue
        missing = LEAST_BEND * bend.length - bend.off @ towards
        if missing > 0:
            found[bend.joint] = found[bend.joint] + missing * towards
