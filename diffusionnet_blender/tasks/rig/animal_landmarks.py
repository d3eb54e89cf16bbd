"""Landmarks of an animal on four legs: joints, the line of its back, and the line of its tail.

Joints of front legs are called as those of arms, those of hind legs as those of legs. The upper leg
of the model ends at the joint that shows most, which of a horse is the carpus or the hock and of a
dog rather the elbow or the stifle; `FOUR` has all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ...matching.limbs.directions import BACK, SIDES, UP, across, unit
from ...matching.limbs.joints import border_centre, part_centre, tip
from ...matching.limbs.parted import PartedMesh
from ...surface.edges import unique_edges
from .bends import bends
from .landmarks import bend_towards
from .layout import LEAST_LIMB, Layout, Limb, Offsets, joints_off_borders, surely_centre

# A front leg has the joints of an arm.
FRONT, HIND = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
TIPS = {"wrist": "fingertips", "ankle": "toe_tip"}
# Names of the two joints between the first one and the foot where a leg has both, and the direction
# to which each stands out, to the back of the animal.
FOUR = {
    "shoulder": (("front_elbow", 1.0), ("carpus", -1.0)),
    "hip": (("stifle", -1.0), ("hock", 1.0)),
}
# A leg of four bones stands out at each of its joints by so much of its length at least.
LEAST_OUT = 0.03
# Places on the line of the back, from the hips (0) to the shoulders (1).
BACK_AT = (-0.15, 0.1, 0.3, 0.45, 0.6, 0.75)
# A spine runs below the back, by this share of the trunk's thickness, which is between these
# quantiles of its skin.
SPINE_DEPTH, ENDS = 0.3, (0.05, 0.95)
# Places on the line of the tail, in shares of its length.
TAIL_AT = (0.2, 0.4, 0.6, 0.8)
NECK_AT = (0.25, 0.5, 0.75)
# How far around a place on a line the skin counts, as a share of the line.
WIDTH = 0.1
# Length of feet that are not found, in lengths of the trunk.
LEAST_FOOT = 0.06
# A lower leg stands that points to the ground (cosine at least).
STANDING = 0.5
# Bones end inside of muzzles and feet, at this share of the way.
INSIDE = 0.9
# Corners of the pattern of points on a triangle.
_STEPS = 4


def leg_parts(side: str) -> tuple[list[str], list[str]]:
    """Parts of the front and of the hind leg of a side, from the trunk on."""
    front, hind = LAYOUT.limbs
    return [f"{p}.{side}" for p in front.parts], [f"{p}.{side}" for p in hind.parts]


def animal_joints(mesh: PartedMesh) -> dict[str, np.ndarray]:
    """Where the parts of an animal meet, (3,) each: ``neck``, ``tail``, ``elbow.L`` ...

    Parameters
    ----------
    mesh : PartedMesh
        With the parts of an animal.

    Returns
    -------
    dict of str to (3,) float64
        Without those of limbs that the figure lacks.
    """
    found: dict[str, np.ndarray | None] = {
        "neck": border_centre(mesh, ["neck"], ["torso"]),
        "head": border_centre(mesh, ["head"], ["neck"]),
        "tail": border_centre(mesh, ["tail"], ["torso"]),
    }
    on_trunk = border_centre(mesh, ["head"], ["torso", "neck"])
    found["head"] = on_trunk if found["head"] is None else found["head"]
    found["neck"] = found["head"] if found["neck"] is None else found["neck"]
    for side in SIDES:
        for joints, (upper, lower, foot) in zip((FRONT, HIND), leg_parts(side), strict=True):
            first, middle, last = (f"{joint}.{side}" for joint in joints)
            area = mesh.mass @ (mesh.part([upper, lower, foot]) > 0.5)
            if area < LEAST_LIMB:
                # Traces on the trunk of a leg that is not there.
                continue
            found[first] = border_centre(mesh, [upper], ["torso", "neck", "tail"])
            if mesh.mass @ (mesh.part([lower, foot]) > 0.5) > LEAST_LIMB / 2:
                found[middle] = border_centre(mesh, [upper], [lower])
                found[last] = border_centre(mesh, [lower], [foot])
    trunk = part_centre(mesh, ["torso"])
    for name, joint in (("hips", "hip"), ("withers", "shoulder")):
        ends = [end for side in SIDES if (end := found.get(f"{joint}.{side}")) is not None]
        if ends and trunk is not None:
            middle = np.mean(ends, axis=0)
            # Of one leg alone the middle is that of the trunk.
            found[name] = middle if len(ends) > 1 else np.array([trunk[0], *middle[1:]])
    return {name: place for name, place in found.items() if place is not None}


LAYOUT = Layout(
    animal_joints,
    # Riggers put the others here or there about their borders.
    ("hip", "wrist", "ankle"),
    (
        Limb(FRONT, ("front_upper_leg", "front_lower_leg", "front_foot"), (0.5, 0.93)),
        Limb(HIND, ("hind_upper_leg", "hind_lower_leg", "hind_foot"), (0.5, 0.93)),
    ),
    ("head", "neck", "torso", "tail"),
    ("hind_foot",),
    "animal_joint_offsets.json",
)


def animal_landmarks(mesh: PartedMesh, offsets: Offsets | None = None) -> dict[str, np.ndarray]:
    """Joints, the line of the back, the tail and the ends of the legs, in the frame of the mesh.

    Parameters
    ----------
    mesh : PartedMesh
    offsets : dict of str to sequence of float, optional
        By default those that ship.

    Returns
    -------
    dict of str to (3,) float64
        ``hips``, ``withers``, ``back0`` to ``back5``, ``neck``, ``neck1`` to ``neck3``, ``head``,
        ``muzzle``, ``tail``, ``tail1`` to ``tail4``, ``tail_tip``; and of each side ``shoulder.L``,
        ``elbow``, ``wrist``, ``fingertips``, ``blade``, ``front_elbow``, ``carpus``, ``hip``,
        ``knee``, ``ankle``, ``toe_tip``, ``ilium``, ``stifle``, ``hock``; without those of limbs
        that the figure lacks.
    """
    found = joints_off_borders(mesh, LAYOUT, offsets)
    shoulders = [found[f"shoulder.{side}"] for side in SIDES if f"shoulder.{side}" in found]
    if len(shoulders) == len(SIDES):
        found["withers"] = np.mean(shoulders, axis=0)
    if not {"hips", "withers", "neck", "head"} <= found.keys():
        return found
    _add_back(mesh, found)
    muzzle = surely_centre(mesh, ["head"])
    if muzzle is not None:
        end = tip(mesh, ["head"], found["head"], unit(muzzle - found["head"], -BACK))
        if end is not None:
            found["muzzle"] = found["head"] + INSIDE * (end - found["head"])
    for number, share in enumerate(NECK_AT, 1):
        found[f"neck{number}"] = found["neck"] + share * (found["head"] - found["neck"])
    _add_tail(mesh, found)
    for side in SIDES:
        for joints, parts in zip((FRONT, HIND), leg_parts(side), strict=True):
            _add_foot(mesh, found, joints, parts, side)
        _add_girdles(found, side)
    for bend in bends(found, BACK):
        # Which joint shows is told by the side to which it stands out; if none, as most do.
        way = across(BACK, bend.along)
        out = float(bend.off @ way)
        forward = out <= LEAST_OUT / 2 * bend.length
        bend_towards(found, bend, unit(-way if forward else way))
    for side in SIDES:
        for joints in (FRONT, HIND):
            _add_four(found, joints, side)
    return found


def _add_back(mesh: PartedMesh, found: dict[str, np.ndarray]) -> None:
    """Add places along the middle of the trunk."""
    hips, withers = found["hips"], found["withers"]
    length = float(np.linalg.norm(withers - hips))
    along = (withers - hips) / max(length, 1e-12)
    points, weight = _skin_of(mesh, ["torso"])
    at = (points - hips) @ along / max(length, 1e-12)
    if not len(at):
        return
    up = unit(across(UP, along), -BACK)
    high = (points - hips) @ up
    low = float(np.quantile(at, 0.02)) + WIDTH / 2
    middles, tops, thick = [], [], []
    for share in (max(share, low) for share in BACK_AT):
        near = weight * np.exp(-np.square((at - share) / WIDTH))
        near = near / max(float(near.sum()), 1e-30)
        middle = across(near @ (points - hips), along)
        middles.append(hips + share * length * along + across(middle, up))
        order = np.argsort(high)
        reached = np.cumsum(near[order])
        bottom, top = (high[order][min(np.searchsorted(reached, q), len(at) - 1)] for q in ENDS)
        tops.append(top)
        thick.append(top - bottom)
    # Hips and shoulders hide where the trunk ends below.
    for number, (middle, top) in enumerate(zip(middles, tops, strict=True)):
        found[f"back{number}"] = middle + (top - SPINE_DEPTH * float(np.max(thick))) * up


def _add_tail(mesh: PartedMesh, found: dict[str, np.ndarray]) -> None:
    """Add places along the middle line of the tail, by distances along its skin."""
    root = found.get("tail")
    if root is None:
        return
    weight = mesh.part(["tail"])
    own = np.flatnonzero(weight > 0.5)
    edges, _ = unique_edges(mesh.faces)
    lengths = np.linalg.norm(mesh.vertices[edges[:, 0]] - mesh.vertices[edges[:, 1]], axis=1)
    count = len(mesh.vertices)
    graph = sparse.csr_matrix((lengths, tuple(edges.T)), (count, count))
    rim = np.unique(edges[(weight[edges] > 0.5).sum(axis=1) == 1])
    rim = rim[weight[rim] > 0.5]
    if not len(rim):
        return
    away = dijkstra(graph, directed=False, indices=rim, min_only=True)
    away[~np.isfinite(away)] = 0.0
    points, mass = _skin_of(mesh, ["tail"])
    distance, _ = _skin_of(mesh, ["tail"], away[:, None])
    distance = distance[:, 0]
    longest = float(away[own].max())
    if not longest > 0:
        found.pop("tail")
        return
    # The rim is a ring around the joint.
    at = distance / longest
    for number, share in enumerate(TAIL_AT, 1):
        near = mass * np.exp(-np.square((at - share) / WIDTH))
        found[f"tail{number}"] = near @ points / max(near.sum(), 1e-30)
    found["tail_tip"] = mesh.vertices[own[away[own].argmax()]]


def _skin_of(
    mesh: PartedMesh, names: Sequence[str], values: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Points evenly on the triangles of some parts, or values there, (n, k), and areas (n,)."""
    values = mesh.vertices if values is None else values
    inside = mesh.faces[(mesh.part(names) > 0.5)[mesh.faces].sum(axis=1) > 1]
    grid = [(i, j, _STEPS - 1 - i - j) for i in range(_STEPS) for j in range(_STEPS - i)]
    shares = (np.array(grid) + 1 / 3) / _STEPS
    corners = mesh.vertices[inside]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    found = np.einsum("sc,fck->fsk", shares, values[inside])
    return found.reshape(-1, values.shape[1]), np.repeat(area, len(shares))


def _add_foot(
    mesh: PartedMesh,
    found: dict[str, np.ndarray],
    joints: Sequence[str],
    parts: Sequence[str],
    side: str,
) -> None:
    """Add where the toes of a foot end, on the sole."""
    last = found.get(f"{joints[-1]}.{side}")
    if last is None:
        return
    foot = parts[-1]
    centre = surely_centre(mesh, [foot])
    trunk = float(np.linalg.norm(found["withers"] - found["hips"]))
    before = found.get(f"{joints[1]}.{side}")
    # The sole lies on the ground where the leg stands, else across the leg.
    along = -UP if before is None else unit(last - before)
    along = -UP if along @ -UP > STANDING else along
    ahead = unit(across(-BACK, along)) if abs(along @ BACK) < 0.8 else unit(across(-UP, along))
    if centre is not None:
        flat = across(centre - last, along)
        if np.linalg.norm(flat) > 0.03 * trunk:
            ahead = unit(flat)
    end = tip(mesh, [foot], last, ahead)
    reach = 0.0 if end is None else float((end - last) @ ahead)
    weight = mesh.part([foot]) > 0.5
    low = float(((mesh.vertices[weight] - last) @ along).max(initial=0.0))
    found[f"{TIPS[joints[-1]]}.{side}"] = (
        last + INSIDE * max(reach, LEAST_FOOT * trunk) * ahead + INSIDE * max(low, 0.0) * along
    )


def _add_girdles(found: dict[str, np.ndarray], side: str) -> None:
    """Add where the shoulder blade and the hip bone of a side begin."""
    up = unit(across(UP, unit(found["withers"] - found["hips"])), UP)
    for name, joint, above in (("blade", "shoulder", "back5"), ("ilium", "hip", "back1")):
        place = found.get(f"{joint}.{side}")
        if place is None or above not in found:
            continue
        rise = max(float((found[above] - place) @ up), 0.0)
        width = np.linalg.norm(across(place - found[above], up))
        middle = (place + found[above]) / 2
        found[f"{name}.{side}"] = middle + (0.5 * rise + 0.25 * width) * up


def _add_four(found: dict[str, np.ndarray], joints: Sequence[str], side: str) -> None:
    """Add both joints of a leg of four bones; the one that was found is the one or the other."""
    if not {f"{joint}.{side}" for joint in joints} <= found.keys():
        return
    first, middle, last = (found[f"{joint}.{side}"] for joint in joints)
    length, along = float(np.linalg.norm(last - first)), unit(last - first)
    back = unit(across(BACK, along))
    (upper, up_way), (lower, low_way) = FOUR[joints[0]]
    # The one that stands out to the side of the upper one is that.
    is_upper = (middle - first) @ back * up_way > 0
    other = (middle + last) / 2 if is_upper else (first + middle) / 2
    one, two = (middle, other) if is_upper else (other, middle)
    # Moving the upper one as well takes the lower one only farther out.
    two = _out(two, one, last, low_way * back, LEAST_OUT * length)
    one = _out(one, first, two, up_way * back, LEAST_OUT * length)
    found |= {f"{upper}.{side}": one, f"{lower}.{side}": two}


def _out(
    place: np.ndarray, before: np.ndarray, after: np.ndarray, way: np.ndarray, least: float
) -> np.ndarray:
    """A joint (3,) moved along a direction until it stands out so far between its neighbours."""
    line = after - before
    share = float(np.clip((place - before) @ line / max(float(line @ line), 1e-24), 0.0, 1.0))
    return place + max(least - float((place - before - share * line) @ way), 0.0) * way
