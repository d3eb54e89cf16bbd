"""Joints of a family of figures from the borders between its parts.

How far off its border a joint lies was learnt from figures whose joints are known (`rigs/`, made by
`training.rig_offsets`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...matching.limbs.directions import BACK, LEFT, SIDES, across, unit
from ...matching.limbs.joints import tip
from ...matching.limbs.parted import PartedMesh
from .data import FOLDER

# Joints of limbs with the ones before and after them.
LIMB_JOINTS = {
    "elbow": ("shoulder", "wrist"),
    "wrist": ("elbow", None),
    "knee": ("hip", "ankle"),
    "ankle": ("knee", None),
}
SIDED = ("shoulder", "hip")
# Width of the shoulders in lengths of the trunk, for figures without arms.
WIDTH_OF_TRUNK = 0.6
# A leg whose direction leaves less of the front than this points there: a seated figure's.
LEAST_ACROSS = 0.4
# A limb has this share of the figure's area at least, and this length in heights.
LEAST_LIMB, SHORTEST_LIMB = 0.004, 0.05
Offsets = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Limb:
    """A limb from its first joint on.

    Attributes
    ----------
    joints : (str, str, str)
    parts : tuple of str
        Without their sides.
    shares : (float, float)
        Where along the limb the second and the third joint lie if their borders are not found:
        stubs, and limbs that clothes or armour hide.
    """

    joints: tuple[str, str, str]
    parts: tuple[str, ...]
    shares: tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """The joints of a family of figures.

    Attributes
    ----------
    borders : callable
        From a mesh with the parts of the family to the borders between them, (3,) each, by the
        names of the joints that lie near.
    off_borders : tuple of str
        Joints that lie off their borders in a way that figures share: those of `LIMB_JOINTS` along
        their limb, others along the axes of the trunk.
    limbs : tuple of Limb
        The one in front or above first.
    middle : tuple of str
        Parts of the trunk, and what goes on from it.
    feet : tuple of str
        Parts at the end of the legs on which it stands, or stands behind; without their sides.
    offsets : str
        File with the offsets from borders to joints.
    """

    borders: Callable[[PartedMesh], dict[str, np.ndarray]]
    off_borders: tuple[str, ...]
    limbs: tuple[Limb, Limb]
    middle: tuple[str, ...]
    feet: tuple[str, ...]
    offsets: str

    @property
    def parts(self) -> set[str]:
        """Names of all parts."""
        sided = (part for limb in self.limbs for part in limb.parts)
        return {*self.middle, *(f"{part}.{side}" for part in sided for side in SIDES)}

    @property
    def limb_joints(self) -> set[str]:
        """Names of the joints of all limbs of both sides."""
        return {f"{name}.{side}" for limb in self.limbs for name in limb.joints for side in SIDES}


@cache
def joint_offsets(name: str) -> Offsets:
    """Offsets from borders to joints of a file, see `limb_basis` and `trunk_basis`."""
    found: Offsets = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def joints_off_borders(
    mesh: PartedMesh, layout: Layout, offsets: Offsets | None = None
) -> dict[str, np.ndarray]:
    """Joints of a figure, (3,) each, in the frame of the mesh.

    Parameters
    ----------
    mesh : PartedMesh
    layout : Layout
    offsets : dict of str to sequence of float, optional
        By default those that ship.
    """
    offsets = joint_offsets(layout.offsets) if offsets is None else offsets
    found = layout.borders(mesh)
    borders = with_feet(mesh, found, layout.feet)
    for name, offset in offsets.items():
        for key, basis in bases_of(borders, name):
            found[key] = borders[key] + basis @ np.asarray(offset)
    for side in SIDES:
        for limb in layout.limbs:
            _complete(mesh, found, limb, side)
    hips = [found.get(f"hip.{side}") for side in SIDES]
    if hips[0] is not None and hips[1] is not None:
        found["hips"] = (hips[0] + hips[1]) / 2
    return found


def bases_of(borders: Mapping[str, np.ndarray], name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Key of a joint of each side, or in the middle, and the columns of its offsets, (3, n).

    Parameters
    ----------
    borders : mapping of str to (3,) float
        See `with_feet`.
    name : str
        Without a side.
    """
    for side in SIDES if name in LIMB_JOINTS or name in SIDED else ("",):
        key = f"{name}.{side}" if side else name
        if key not in borders:
            continue
        of_limb = name in LIMB_JOINTS
        basis = limb_basis(borders, name, side) if of_limb else trunk_basis(borders, side)
        if basis is not None:
            yield key, basis


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


def with_feet(
    mesh: PartedMesh, joints: Mapping[str, np.ndarray], parts: Sequence[str]
) -> dict[str, np.ndarray]:
    """Joints with the middles of the feet, ``foot.L`` and ``foot.R``, for `limb_basis`."""
    found = dict(joints)
    for side in SIDES:
        centre = surely_centre(mesh, [f"{part}.{side}" for part in parts])
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


def missing_joints(mesh: PartedMesh, layout: Layout) -> set[str]:
    """Joints of limbs whose borders are not found, so that they are guessed or left out."""
    return layout.limb_joints - layout.borders(mesh).keys()


def _complete(mesh: PartedMesh, found: dict[str, np.ndarray], limb: Limb, side: str) -> None:
    """Guess the joints of a limb that are not found, by its first joint and its end."""
    first, *others = limb.joints
    start = found.get(f"{first}.{side}")
    missing = [name for name in others if f"{name}.{side}" not in found]
    parts = [f"{stem}.{side}" for stem in limb.parts]
    weight = mesh.mass * (mesh.part(parts) > 0.5)
    if start is None or not missing or weight.sum() < LEAST_LIMB:
        return
    middle = weight @ mesh.vertices / weight.sum()
    end = tip(mesh, parts, start, unit(middle - start))
    if end is None or np.linalg.norm(end - start) < SHORTEST_LIMB * mesh.height:
        return
    for name, share in zip(others, limb.shares, strict=True):
        found.setdefault(f"{name}.{side}", start + share * (end - start))


def surely_centre(mesh: PartedMesh, names: Sequence[str]) -> np.ndarray | None:
    """Centre of the area (3,) that is surely of some parts; None where there is none.

    Traces of a small part on the whole of a figure would pull its centre away.
    """
    weight = mesh.mass * (mesh.part(names) > 0.5)
    if not weight.sum() > 0:
        return None
    return weight @ mesh.vertices / weight.sum()
