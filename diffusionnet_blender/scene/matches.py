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
from .character import Character, as_character
from .places import placed_at_rest
from .read import topology_of


@dataclass(frozen=True, eq=False)
class Match:
    """A correspondence of two objects or characters, with pins and fingerprints of the meshes.

    Attributes
    ----------
    correspondence : Correspondence
        On the triangles of the source as `read_character` gives those of its `pair.usable` members,
        one point for each vertex of those of the target.
    pins : (P, 2) int64
        Vertices of source and target that were pinned.
    source_fingerprint, target_fingerprint : str
        Of the meshes, see `fingerprint`.
    placement : (4, 4) float64, optional
        Of the target relative to the source, see `placement`; needed for a map found in place,
        which holds only while the two stand as they did.
    places : two of (M, 4, 4) float64, optional
        Of the members of characters, see `places`.
    """

    correspondence: Correspondence
    pins: np.ndarray
    source_fingerprint: str
    target_fingerprint: str
    placement: np.ndarray | None = None
    places: tuple[np.ndarray, np.ndarray] | None = None


# Change of a relative transform below which nothing has moved: the rounding of Blender's floats.
STILL = 1e-4
Shape = bpy.types.Object | Character
_Key = tuple[tuple[int, ...], tuple[int, ...]]
# By the `session_uid` of the meshes of both, which undo does not change.
_matches: dict[_Key, Match] = {}


def keep_match(source: Shape, target: Shape, match: Match) -> None:
    """Keep a match; it replaces the one before."""
    _matches[_key(source, target)] = match


def find_match(source: Shape, target: Shape) -> Match | None:
    """The last match of two shapes of these members, whether or not it still fits."""
    return _matches.get(_key(source, target))


def _key(source: Shape, target: Shape) -> _Key:
    one, other = (
        tuple(obj.data.session_uid for obj in as_character(shape).members)
        for shape in (source, target)
    )
    return one, other


def current_match(source: Shape, target: Shape, pins: np.ndarray | None = None) -> Match:
    """The match of two shapes, which must be as they were when it was found.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
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
    changed = first_changed(source, match.source_fingerprint) or first_changed(
        target, match.target_fingerprint
    )
    if changed is not None:
        raise DiffusionNetError(
            f"{changed.name!r} has changed since it was matched", "Press Match again."
        )
    require_places(source, target, match, "since it was matched")
    require_placement(source, target, match, "since they were matched in place")
    if pins is not None and not np.array_equal(pins, match.pins):
        raise DiffusionNetError("The pins have changed since the match", "Press Match again.")
    return match


def placement(source: Shape, target: Shape) -> np.ndarray:
    """Transform of the target in the space of the source, (4, 4) float64."""
    one, other = (placed_at_rest(as_character(shape))[0] for shape in (source, target))
    return np.linalg.solve(one, other)


def places(shape: Shape) -> np.ndarray:
    """Transforms of the members in the space of the first, (M, 4, 4) float64."""
    found = placed_at_rest(as_character(shape))
    return found if len(found) < 2 else np.linalg.solve(found[:1], found)


def require_placement(source: Shape, target: Shape, match: Match, since: str) -> None:
    """Raise DiffusionNetError if two shapes matched in place do not stand as they did."""
    if not match.correspondence.in_place or match.placement is None:
        return
    first = as_character(source).members[0]
    if _has_moved(placement(source, target), match.placement, first):
        raise DiffusionNetError(
            f"{source.name!r} or {target.name!r} has moved {since}",
            "Press Match again, or choose the method Match Shapes.",
        )


def require_places(source: Shape, target: Shape, match: Match, since: str) -> None:
    """Raise DiffusionNetError if members of a character have moved away from each other."""
    for shape, before in zip((source, target), match.places or (), strict=False):
        members = as_character(shape).members
        if len(members) < 2:
            continue
        for obj, now, then in zip(members, places(shape), before, strict=True):
            if _has_moved(now, then, members[0]):
                raise DiffusionNetError(
                    f"{obj.name!r} has moved against {members[0].name!r} {since}",
                    "Press Match again.",
                )


def _has_moved(now: np.ndarray, before: np.ndarray, first: bpy.types.Object) -> bool:
    """Whether two transforms (4, 4) into the space of an object differ."""
    size = max(np.abs(first.bound_box).max(), np.abs(before[:3, 3]).max(), 1e-30)
    units = np.append(np.ones(3), size)
    moved = np.abs(now - before)[:3] / units[None]
    return bool((moved > STILL * np.abs(before[:3, :3]).max()).any())


def first_changed(shape: Shape, expected: str) -> bpy.types.Object | None:
    """The first member of a shape that has another fingerprint than expected."""
    members = as_character(shape).members
    return next(
        (o for o, e in zip(members, expected.split(), strict=True) if fingerprint(o) != e), None
    )


def fingerprint(shape: Shape) -> str:
    """Fingerprint of vertices, faces, and the deformation by the object's transform.

    Moving, turning and scaling evenly changes nothing. Of a character, those of its members.

    Parameters
    ----------
    shape : bpy.types.Object or Character
        A mesh, or several.
    """
    return " ".join(map(_fingerprint, as_character(shape).members))


def _fingerprint(obj: bpy.types.Object) -> str:
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
    for key in [key for key in _matches if any(before in side for side in key)]:
        one, other = (tuple(after if uid == before else uid for uid in side) for side in key)
        _matches[one, other] = _matches.pop(key)


@persistent
def forget_all_matches(*_) -> None:
    """Drop all matches; a handler for when another file is about to be opened."""
    _matches.clear()
