"""Landmarks of a figure: where its bones turn, and where its limbs end.

A joint lies at the border between two parts of the body, but not in the middle of it: a shoulder
turns beneath the edge of the deltoid, a spine runs along the back. See `layout`.
"""

from __future__ import annotations

import numpy as np

from ...matching.limbs.directions import BACK, SIDES, UP, across, unit
from ...matching.limbs.joints import border_centre, joints_of, tip
from ...matching.limbs.parted import PartedMesh
from .bends import Bend, bends
from .layout import LIMB_JOINTS, Layout, Limb, Offsets, joints_off_borders, surely_centre

# A knee stands out to the front, an elbow to the back, by so much of the limb's length at least:
# with less, a solver of inverse kinematics may bend them the wrong way.
LEAST_BEND = 0.02
# A limb that is bent by more than this is bent as it is meant to be.
BENT = 0.05


LAYOUT = Layout(
    joints_of,
    ("neck", "head", "chest", "waist", "shoulder", "hip", *LIMB_JOINTS),
    (
        Limb(
            ("shoulder", "elbow", "wrist"),
            ("upper_arm", "forearm", "palm", "fingers"),
            (0.42, 0.78),
        ),
        Limb(("hip", "knee", "ankle"), ("thigh", "shin", "foot", "toes"), (0.48, 0.9)),
    ),
    ("head", "neck", "chest", "abdomen", "pelvis", "shoulder.L", "shoulder.R"),
    ("foot", "toes"),
    "joint_offsets.json",
)
# Length of feet that are not found, in heights.
LEAST_FOOT = 0.06


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
    found = joints_off_borders(mesh, LAYOUT, offsets)
    _add_ends(mesh, found)
    _bend(found)
    return found


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
        bend_towards(found, bend, unit(towards))


def bend_towards(found: dict[str, np.ndarray], bend: Bend, towards: np.ndarray) -> None:
    """Move the joint of a limb that is hardly bent off the straight line along a unit direction."""
    size = np.linalg.norm(bend.off)
    if size > BENT * bend.length and bend.off @ towards > -0.5 * size:
        return
    missing = LEAST_BEND * bend.length - bend.off @ towards
    if missing > 0:
        found[bend.joint] = found[bend.joint] + missing * towards
