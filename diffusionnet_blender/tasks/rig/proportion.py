"""Bones of a metarig that parts do not tell, placed by proportion: faces, toes, belly.

Each keeps its place as it lies in the metarig: on a head and on feet in the box of these, elsewhere
beside the bone that it hangs on, in the length of the trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...matching.limbs.directions import across, unit
from ..sides import other_side
from .bones import Skeleton
from .kinds import KINDS
from .request import Fitted

# A metarig stands along +z and faces -y.
METARIG_FRAME = np.eye(3)
# Parts in whose boxes the bones lie that hang on these.
BOXES = {"head": "head", "front_toe": "front_foot", "hind_toe": "hind_foot"}
# The handle of a face is as tall as an artist likes it, and no part of its box.
HANDLE = "face"
# Vertices in a box have this share of what the vertex has that a part has most of: a foot of a few
# triangles is nowhere more probable than the leg.
HELD = 0.5
# Boxes are those between these quantiles, and scales no less and no more than these in terms of
# the length's: heads have antlers, and some feet a single vertex.
ENDS, UNLIKE = (0.02, 0.98), (0.25, 1.5)
# Feet lie as the figure stands, unless their toes point elsewhere than ahead (cosine at most).
ASIDE = 0.35


@dataclass(frozen=True, eq=False)
class RestBone:
    """A bone as it lies in a metarig: name of its parent, ends and z axis (3,)."""

    parent: str
    head: np.ndarray
    tail: np.ndarray
    z: np.ndarray


def bones_by_proportion(
    rest: Mapping[str, RestBone], skeleton: Skeleton, vertices: np.ndarray, fitted: Fitted
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Head, tail and z axis (3,) of the bones of a metarig that a skeleton does not have.

    Parameters
    ----------
    rest : mapping of str to RestBone
        All bones of the metarig.
    skeleton : Skeleton
        Bones that are placed already.
    vertices : (V, 3) float
        Those that the figure was fitted to.
    fitted : Fitted

    Returns
    -------
    dict of str to tuple of (3,) float64
        Without those that hang on a bone which the figure lacks.
    """
    names = KINDS[skeleton.kind].names
    groups: dict[str, list[str]] = {}
    for name, bone in rest.items():
        if name in names.values():
            continue
        above = bone.parent
        while above and above not in names.values():
            above = rest[above].parent
        if above in skeleton.names:
            groups.setdefault(above, []).append(name)
    found = {}
    for above, group in groups.items():
        start, axes, target, scaled = _onto(rest, skeleton, above, group, vertices, fitted)
        for name in group:
            bone = rest[name]
            head, tail = (
                target + scaled @ (axes @ (end - start)) for end in (bone.head, bone.tail)
            )
            found[name] = head, tail, unit(scaled @ (axes @ bone.z))
    return found


def _onto(
    rest: Mapping[str, RestBone],
    skeleton: Skeleton,
    above: str,
    group: list[str],
    vertices: np.ndarray,
    fitted: Fitted,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Start (3,) and axes (3, 3) in the metarig, and start and scaled axes on the figure."""
    number = skeleton.names.index(above)
    stem, dot, side = skeleton.roles[number].partition(".")
    start, target = rest[above].head, skeleton.heads[number]
    if stem not in BOXES:
        hips, neck = (skeleton.names[skeleton.roles.index(end)] for end in ("hips", "neck"))
        way = rest[neck].head - rest[hips].head
        own_way = fitted.places["neck"] - skeleton.heads[skeleton.roles.index("hips")]
        axes, own = _axes(way, METARIG_FRAME), _axes(own_way, fitted.frame)
        return start, axes, target, own.T * (np.linalg.norm(own_way) / np.linalg.norm(way))

    bones = [rest[name] for name in group if name != HANDLE]
    ends = np.array([end for bone in bones for end in (bone.head, bone.tail)]) - start
    own_way = skeleton.tails[number] - target
    part = _in_part(fitted, f"{BOXES[stem]}{dot}{side}")
    # Bones end inside of their parts.
    skin = np.vstack([vertices[part] - target, own_way])
    if stem == "head":
        axes, own, scale, offset = _in_head(ends, own_way, skin, fitted.frame)
    else:
        way = rest[above].tail - start
        axes, own, scale, offset = _in_foot(way, ends, own_way, skin, fitted.frame)
    return start, axes, target + offset @ own, own.T * scale


def _in_part(fitted: Fitted, part: str) -> np.ndarray:
    """Whether vertices (V,) are in the box of a part."""
    held = fitted.parts[:, fitted.part_names.index(part)]
    other = other_side(part)
    if other is not None:
        # Paws side by side may be one piece.
        held = np.where(held < fitted.parts[:, fitted.part_names.index(other)], 0.0, held)
    return held > HELD * held.max()


_Placed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _in_head(ends: np.ndarray, own_way: np.ndarray, skin: np.ndarray, frame: np.ndarray) -> _Placed:
    """Axes in the metarig and on the figure (3, 3), scale and offset (3,) of a face.

    It has the length from the joint to the muzzle, and the width and the height of the head.
    """
    # Muzzles are in the middle.
    muzzle = ends[ends[:, 1].argmin()] * (0.0, 1.0, 1.0)
    axes, own = _axes(muzzle, METARIG_FRAME), _axes(own_way, frame)
    length = float(np.linalg.norm(own_way) / np.linalg.norm(muzzle))
    usual, box = _box(ends @ axes.T), np.quantile(skin @ own.T, ENDS, axis=0)
    width, _ = _scaled(usual[:, 1], box[:, 1], length)
    height, middle = _scaled(usual[:, 2], box[:, 2], length)
    return axes, own, np.array([length, width, height]), np.array([0.0, 0.0, middle])


def _in_foot(
    way: np.ndarray, ends: np.ndarray, own_way: np.ndarray, skin: np.ndarray, frame: np.ndarray
) -> _Placed:
    """As `_in_head`, of toes.

    They go from the joint to the front of the foot, over all of its width, and stand on its sole.
    """
    axes = _axes(np.array([0.0, -1.0, 0.0]), METARIG_FRAME)
    ahead = -frame[1] if unit(own_way) @ -frame[1] > ASIDE else own_way
    own = _axes(ahead, frame)
    length = float(np.linalg.norm(own_way) / np.linalg.norm(way))
    usual, box = _box(np.vstack([ends, way]) @ axes.T), np.quantile(skin @ own.T, ENDS, axis=0)
    low, high = box
    # Some joints lie behind the foot, or in front of it.
    low[0] = np.clip(0.0, low[0], (low[0] + high[0]) / 2)
    found = [_scaled(usual[:, n], box[:, n], length) for n in range(2)]
    high[2] = min(high[2], low[2] + found[0][0] * np.ptp(usual[:, 2]))
    scale, offset = np.array([*found, _scaled(usual[:, 2], box[:, 2], length)]).T
    return axes, own, scale, offset


def _box(points: np.ndarray) -> np.ndarray:
    """Least and most (2, 3) of some points."""
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _scaled(usual: np.ndarray, own: np.ndarray, length: float) -> tuple[float, float]:
    """Scale and offset from one interval (2,) onto the middle of another, as wide if it may be."""
    ratio = np.ptp(own) / (np.ptp(usual) * length)
    scale = length * float(np.clip(ratio, *UNLIKE))
    return scale, float(own.mean() - scale * usual.mean())


def _axes(along: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Rows along a way, to the left and up."""
    ahead = unit(along)
    left = unit(across(frame[0], ahead))
    return np.stack([ahead, left, np.cross(ahead, left)])
