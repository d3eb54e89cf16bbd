"""Links of a figure between its joints: axes and extent of head, trunk, arms and legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .directions import BACK, LEFT, SIDES, UP, across, transported, unit
from .joints import CHEST, joints_of, part_centre, tip
from .parted import PartedMesh

# Two ends closer than this share of the height are one.
CLOSEST = 1e-2
# A hat that leaves less of the head's area than this tells nothing of the head's shape.
LEAST_BARE = 0.1
# Height of a head from its joint, over that of its forehead.
ABOVE_BRIM = 1.25

TRUNK = "trunk"
_TRUNK_PARTS = ("pelvis", "abdomen", *CHEST)
# Links of a limb from the trunk outward: name, first joint, parts.
_Limb = tuple[tuple[str, str, tuple[str, ...]], ...]
_ARM: _Limb = (
    ("upper_arm", "shoulder", ("upper_arm",)),
    ("forearm", "elbow", ("forearm",)),
    ("hand", "wrist", ("palm", "fingers")),
)
_LEG: _Limb = (
    ("thigh", "hip", ("thigh",)),
    ("shin", "knee", ("shin",)),
    ("foot", "ankle", ("foot", "toes")),
)


def _links_of_limbs() -> dict[str, tuple[tuple[str, ...], str]]:
    found = {}
    for side in SIDES:
        for parent, limb in (("chest", _ARM), ("pelvis", _LEG)):
            for name, _, parts in limb:
                found[f"{name}.{side}"] = tuple(f"{part}.{side}" for part in parts), parent
                parent = f"{name}.{side}"
    return found


LINKS: dict[str, tuple[tuple[str, ...], str]] = {
    "pelvis": (("pelvis",), TRUNK),
    "abdomen": (("abdomen",), TRUNK),
    "chest": (CHEST, TRUNK),
    "neck": (("neck",), "chest"),
    "head": (("head",), "neck"),
    **_links_of_limbs(),
}
"""Parts of each link, and the link that it moves with where a figure lacks it, parents first."""
PARTS = tuple(part for parts, _ in LINKS.values() for part in parts)


@dataclass(frozen=True, eq=False)
class Link:
    """A limb or a piece of the trunk between two joints.

    Attributes
    ----------
    start : (3,) float64
        Its first joint.
    length : float
    axes : (3, 3) float64
        Rows: two directions across and the one along.
    middle, spread : (3,) float64
        Mean and standard deviation of its surface from the start, along these axes.
    """

    start: np.ndarray
    length: float
    axes: np.ndarray
    middle: np.ndarray
    spread: np.ndarray


def links_of(mesh: PartedMesh, joints: dict[str, np.ndarray] | None = None) -> dict[str, Link]:
    """The links that a figure has, by the names of `LINKS` and `TRUNK`.

    Parameters
    ----------
    mesh : PartedMesh
    joints : dict of str to (3,) float64, optional
        Where they meet, by the names of `joints_of`, which gives them by default.
    """
    joints, links = joints_of(mesh) if joints is None else joints, _Links(mesh)
    hips, neck, head = joints.get("hips"), joints.get("neck"), joints.get("head")
    up = UP if hips is None or neck is None else unit(neck - hips, UP)
    # The trunk may bend and twist between shoulders and hips.
    leftward = {
        name: _leftward(joints.get(f"{name}.L"), joints.get(f"{name}.R"), mesh.height)
        for name in ("shoulder", "hip")
    }
    back = {name: unit(np.cross(up, left), BACK) for name, left in leftward.items()}
    middle_back = unit(back["shoulder"] + back["hip"], BACK)
    links.add(TRUNK, hips, neck, back["shoulder"])
    waist, chest = joints.get("waist"), joints.get("chest")
    for name, start, end, towards in (
        ("pelvis", hips, waist, back["hip"]),
        ("abdomen", waist, chest, middle_back),
        ("chest", chest, neck, back["shoulder"]),
        ("neck", neck, head, back["shoulder"]),
    ):
        links.add(name, start, end, towards)
    if head is not None:
        links.add("head", head, _crown(mesh, head), BACK)
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        outward = sign * leftward["shoulder"]
        ends = _chain(mesh, joints, side, _ARM)
        for (name, _, _), start, end in zip(_ARM, ends[:-1], ends[1:], strict=True):
            if start is not None and end is not None:
                # The direction to the back goes along as the arm is raised from the side.
                towards = transported(back["shoulder"], outward, unit(end - start, outward))
                links.add(f"{name}.{side}", start, end, towards)
        ends = _chain(mesh, joints, side, _LEG)
        directions = back["hip"], back["hip"], UP
        for (name, _, _), start, end, towards in zip(
            _LEG, ends[:-1], ends[1:], directions, strict=True
        ):
            links.add(f"{name}.{side}", start, end, towards)
    return links.found


def _chain(
    mesh: PartedMesh, joints: dict[str, np.ndarray], side: str, limb: _Limb
) -> list[np.ndarray | None]:
    """Joints of a limb and its end, (3,) each; None where there is none.

    A limb that is cut off ends where its surface ends.
    """
    found: list[np.ndarray | None] = [joints.get(f"{joint}.{side}") for _, joint, _ in limb]
    found.append(None)
    for number, (name, _, _) in enumerate(limb):
        start = found[number]
        if start is not None and found[number + 1] is None:
            found[number + 1] = _end(mesh, f"{name}.{side}", start)
            break
    return found


def _end(mesh: PartedMesh, name: str, start: np.ndarray) -> np.ndarray | None:
    """Where a link ends that has no next one, (3,)."""
    parts = LINKS[name][0]
    centre = part_centre(mesh, parts)
    if centre is None:
        return None
    return tip(mesh, parts, start, unit(centre - start, UP))


class _Links:
    """Links of one mesh, made one by one."""

    def __init__(self, mesh: PartedMesh):
        self.mesh = mesh
        self.found: dict[str, Link] = {}

    def add(
        self,
        name: str,
        start: np.ndarray | None,
        end: np.ndarray | None,
        towards: np.ndarray,
    ) -> None:
        """Make a link between two joints, if both are there and apart.

        `towards` (3,) is the direction that fixes the turn about its length.
        """
        if start is None or end is None:
            return
        length = float(np.linalg.norm(end - start))
        parts = _TRUNK_PARTS if name == TRUNK else LINKS[name][0]
        weight = self.mesh.mass * np.square(self.mesh.part(parts))
        if name == "head":
            weight = weight * _bare(self.mesh)
        if length < CLOSEST * self.mesh.height or weight.sum() <= 0:
            return
        along = (end - start) / length
        second = across(towards, along)
        if np.linalg.norm(second) < 1e-2:
            # The limb lies along the direction itself.
            second = across(np.eye(3)[np.abs(along).argmin()], along)
        second = unit(second, BACK)
        axes = np.stack([np.cross(along, second), second, along])
        places = (self.mesh.vertices - start) @ axes.T
        weight = weight / weight.sum()
        middle = weight @ places
        spread = np.sqrt(weight @ np.square(places - middle))
        self.found[name] = Link(start, length, axes, middle, spread)


def _bare(mesh: PartedMesh) -> np.ndarray:
    """How far a vertex is of the head and not of a hat on it, (V,); 1 where that hides the head."""
    bare = 1.0 - mesh.accessory
    head = mesh.mass * mesh.part(["head"])
    return bare if head @ bare > LEAST_BARE * head.sum() else np.ones(len(bare))


def _crown(mesh: PartedMesh, joint: np.ndarray) -> np.ndarray | None:
    """Top of the head (3,), seen from its joint; None without area.

    A brim ends at the forehead: the head goes on below its hat.
    """
    bare = _bare(mesh)
    top = tip(mesh, ["head"], joint, UP, bare > 0.5)
    whole = tip(mesh, ["head"], joint, UP)
    if top is None or whole is None:
        return whole
    beneath = joint + ABOVE_BRIM * (top - joint)
    return beneath if (whole - beneath) @ UP > 0 else whole


def _leftward(left: np.ndarray | None, right: np.ndarray | None, height: float) -> np.ndarray:
    """Direction (3,) from a right joint to the left one; of the frame where they are no pair."""
    if left is None or right is None or np.linalg.norm(left - right) < 2 * CLOSEST * height:
        return LEFT
    return unit(left - right, LEFT)
