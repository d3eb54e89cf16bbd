"""Matches of this session, kept until a mesh changes, for any number of transfers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..errors import DiffusionNetError
from ..tasks.match.request import Correspondence
from .attributes import read_values
from .read import topology_of


@dataclass(frozen=True, eq=False)
class Match:
    """A correspondence of two objects, with pins and fingerprints of the meshes.

    Attributes
    ----------
    correspondence : Correspondence
        On the triangles of the source as `read.read_object` gives them, one point for each vertex
        of the target.
    pins : (P, 2) int64
        Vertices of source and target that were pinned.
    source_fingerprint, target_fingerprint : str
        Of the meshes, see `fingerprint`.
    placement : (4, 4) float64, optional
        Of the target relative to the source, see `placement`; needed for a map found in place,
        which holds only while the two stand as they did.
    """

    correspondence: Correspondence
    pins: np.ndarray
    source_fingerprint: str
    target_fingerprint: str
    placement: np.ndarray | None = None


# Change of a relative transform below which nothing has moved: the rounding of Blender's floats.
STILL = 1e-4
# By the `session_uid` of the two meshes, which undo does not change.
_matches: dict[tuple[int, int], Match] = {}


def keep_match(source: bpy.types.Object, target: bpy.types.Object, match: Match) -> None:
    """Keep a match; it replaces the one before."""
    _matches[source.data.session_uid, target.data.session_uid] = match


def find_match(source: bpy.types.Object, target: bpy.types.Object) -> Match | None:
    """The last match of two objects, whether or not it still fits."""
    return _matches.get((source.data.session_uid, target.data.session_uid))


def current_match(
    source: bpy.types.Object, target: bpy.types.Object, pins: np.ndarray | None = None
) -> Match:
    """The match of two objects, which must be as they were when it was found.

    Parameters
    ----------
    source, target : bpy.types.Object
        Meshes.
    pins : (P, 2) int, optional
        As they are now; without them they are not looked at.

    Raises
    ------
    DiffusionNetError
        If there is none, or if a mesh or the pins have changed since.
    """
    match = find_match(source, target)
    if match is None:
        raise DiffusionNetError(
            f"{source.name!r} and {target.name!r} have not been matched", "Press Match first."
        )
    for obj, expected in ((source, match.source_fingerprint), (target, match.target_fingerprint)):
        if fingerprint(obj) != expected:
            raise DiffusionNetError(
                f"{obj.name!r} has changed since it was matched", "Press Match again."
            )
    require_placement(source, target, match, "since they were matched in place")
    if pins is not None and not np.array_equal(pins, match.pins):
        raise DiffusionNetError("The pins have changed since the match", "Press Match again.")
    return match


def placement(source: bpy.types.Object, target: bpy.types.Object) -> np.ndarray:
    """Transform of the target in the space of the source, (4, 4) float64."""
    to_world = [np.array(obj.matrix_world, dtype=np.float64) for obj in (source, target)]
    return np.linalg.solve(*to_world)


def require_placement(
    source: bpy.types.Object, target: bpy.types.Object, match: Match, since: str
) -> None:
    """Raise DiffusionNetError if two objects matched in place do not stand as they did."""
    if not match.correspondence.in_place or match.placement is None:
        return
    size = max(np.abs(source.bound_box).max(), 1e-30)
    units = np.append(np.ones(3), size)
    moved = np.abs(placement(source, target) - match.placement)[:3] / units[None]
    if (moved > STILL * np.abs(match.placement[:3, :3]).max()).any():
        raise DiffusionNetError(
            f"{source.name!r} or {target.name!r} has moved {since}",
            "Press Match again, or choose the method Match Shapes.",
        )


def fingerprint(obj: bpy.types.Object) -> str:
    """Fingerprint of vertices, faces, and the deformation by the object's transform.

    Moving, turning and scaling evenly changes nothing.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh.
    """
    if obj.data.is_editmode:
        obj.update_from_editmode()
    coordinates = read_values(obj.data.vertices, "co", np.float32, 3)
    linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
    metric = linear.T @ linear
    metric = np.round(metric / max(np.trace(metric), 1e-30), 4) + 0.0
    digest = hashlib.sha256(topology_of(obj.data).encode())
    digest.update(coordinates)
    digest.update(metric)
    digest.update(str(np.linalg.det(linear) < 0).encode())
    return digest.hexdigest()


def move_matches(before: int, after: int) -> None:
    """Let a mesh that takes the place of another, by `session_uid`, have its matches."""
    for pair in [pair for pair in _matches if before in pair]:
        source, target = (after if uid == before else uid for uid in pair)
        _matches[source, target] = _matches.pop(pair)


@persistent
def forget_all_matches(*_) -> None:
    """Drop all matches; a handler for when another file is about to be opened."""
    _matches.clear()
