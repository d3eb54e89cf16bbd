"""Bones of a metarig that parts do not tell, placed by proportion: faces, toes, belly.

Each keeps its place beside the bone that it hangs on, as it lies in the metarig: on a head and on
feet in the box of these, elsewhere in the length of the trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...matching.limbs.directions import across, unit
from .bones import Skeleton
from .kinds import KINDS
from .request import Fitted

# A metarig stands along +z and faces -y.
METARIG_FRAME = np.eye(3)
# Parts whose boxes give width and height beside the length, and those that give width alone: the
# height of a foot is that of its ankle.
WIDE = {"head": "head", "front_toe": "front_foot", "hind_toe": "hind_foot"}
HIGH = ("head",)
# Boxes are those between these quantiles, and wider or higher than the length by so much at most:
# heads have antlers.
ENDS, UNLIKE = (0.02, 0.98), 1.5


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
        start, axes, scaled, target = _onto(rest, skeleton, above, group, vertices, fitted)
        role = skeleton.roles[skeleton.names.index(above)]
        stem, dot, side = role.partition(".")
        inside = np.empty((0, 3))
        if stem in WIDE and stem not in HIGH:
            inside = vertices[_is(fitted, f"{WIDE[stem]}{dot}{side}")]
        for name in group:
            bone = rest[name]
            head, tail = (
                _not_beside(target + scaled @ (axes @ (end - start)), inside, fitted.frame[0])
                for end in (bone.head, bone.tail)
            )
            found[name] = head, tail, unit(scaled @ (axes @ bone.z))
    return found


def _is(fitted: Fitted, part: str) -> np.ndarray:
    """(V,) bool, whether a part is the most probable one."""
    return fitted.parts.argmax(axis=1) == fitted.part_names.index(part)


def _not_beside(point: np.ndarray, skin: np.ndarray, left: np.ndarray) -> np.ndarray:
    """A point (3,) moved to the left or right until it is not beside some skin (n, 3), if any: toes
    of a foot whose joint is found aside would be spread past it.
    """
    if not len(skin):
        return point
    across = skin @ left
    return point + (np.clip(point @ left, across.min(), across.max()) - point @ left) * left


def _onto(
    rest: Mapping[str, RestBone],
    skeleton: Skeleton,
    above: str,
    group: list[str],
    vertices: np.ndarray,
    fitted: Fitted,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Start (3,) and axes (3, 3) in the metarig, and scaled axes and start on the figure."""
    number = skeleton.names.index(above)
    role = skeleton.roles[number]
    stem, dot, side = role.partition(".")
    start, target = rest[above].head, skeleton.heads[number]
    part = f"{WIDE[stem]}{dot}{side}" if stem in WIDE else None
    if part is None:
        hips, neck = (skeleton.names[skeleton.roles.index(end)] for end in ("hips", "neck"))
        way = rest[neck].head - rest[hips].head
        own_way = fitted.places["neck"] - skeleton.heads[skeleton.roles.index("hips")]
    else:
        points = np.array([rest[name].tail for name in group])
        way = (points[points[:, 1].argmin()] if stem in HIGH else rest[above].tail) - start
        if stem in HIGH:
            # Muzzles are in the middle.
            way = way * (0.0, 1.0, 1.0)
        own_way = skeleton.tails[number] - target
    axes, own = _axes(way, METARIG_FRAME), _axes(own_way, fitted.frame)
    scale = np.full(3, np.linalg.norm(own_way) / np.linalg.norm(way))
    if part is not None:
        inside = _is(fitted, part)
        if inside.any():
            low, high = np.quantile((vertices[inside] - target) @ own.T, ENDS, axis=0)
            ends = [end for name in group for end in (rest[name].head, rest[name].tail)]
            usual = (np.array(ends) - start) @ axes.T
            ratio = np.minimum((high - low) / (np.ptp(usual, axis=0) * scale), UNLIKE)
            scale[1] *= ratio[1]
            if stem in HIGH:
                scale[2] *= ratio[2]
            else:
                # Toes lie in the middle of a foot, whose joint may be aside.
                middle = (usual[:, 1].min() + usual[:, 1].max()) / 2
                target = target + ((low + high)[1] / 2 - scale[1] * middle) * own[1]
    return start, axes, own.T * scale, target


def _axes(along: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Rows along a way, to the left and up."""
    ahead = unit(along)
    left = unit(across(frame[0], ahead))
    return np.stack([ahead, left, np.cross(ahead, left)])
