"""Joints that were found on characters in this session, kept for any number of skeletons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..errors import DiffusionNetError
from ..tasks.rig.request import Fitted
from .character import Character

# Change of a place below which nothing has moved: the rounding of Blender's floats.
STILL = 1e-4


@dataclass(frozen=True, eq=False)
class Fit:
    """Joints of a character, and the meshes that they were found on.

    Attributes
    ----------
    name : str
        Of the character.
    geometry : CharacterGeometry
    fitted : Fitted
        In the space of the pooled surface.
    places : (M, 4, 4) float64
        Of the members in the world, as they were.
    """

    name: str
    # Of `character_read`, which imports what imports this module.
    geometry: Any
    fitted: Fitted
    places: np.ndarray

    @classmethod
    def of(cls, name: str, geometry: Any, fitted: Fitted) -> Fit:
        """Joints that were found just now."""
        members = [member.find() for member in geometry.members]
        return cls(name, geometry, fitted, _places(members))

    def members(self) -> list[bpy.types.Object]:
        """The meshes, which must be as and where they were.

        Raises
        ------
        DiffusionNetError
            If one has changed or moved.
        """
        found = []
        for member, seen in zip(self.geometry.members, self.geometry.seen, strict=True):
            obj = member.find()
            if obj.data.is_editmode:
                obj.update_from_editmode()
            if len(obj.data.vertices) != len(seen.base.coordinates):
                raise DiffusionNetError(
                    f"{obj.name!r} has other vertices than when its joints were found",
                    "Press Fit Skeleton again.",
                )
            found.append(obj)
        if not np.allclose(_places(found), self.places, atol=STILL):
            raise DiffusionNetError(
                f"{self.name!r} was moved, turned or scaled since its joints were found",
                "Press Fit Skeleton again, or move it back.",
            )
        return found


def _places(objects: list[bpy.types.Object]) -> np.ndarray:
    return np.array([obj.matrix_world for obj in objects], dtype=np.float64)


# By the `session_uid` of the meshes, which undo does not change.
_fits: dict[tuple[int, ...], Fit] = {}


def keep_fit(fit: Fit) -> None:
    """Keep joints; they replace those that were found on the same meshes before."""
    _fits.pop(_key(fit), None)
    _fits[_key(fit)] = fit


def _key(fit: Fit) -> tuple[int, ...]:
    return tuple(sorted(member.mesh_uid for member in fit.geometry.members))


def find_fit(character: Character) -> Fit | None:
    """Joints of a character, or of one with all its members that could be read."""
    uids = {obj.data.session_uid for obj in character.members if obj.type == "MESH"}
    exact = _fits.get(tuple(sorted(uids)))
    if exact is not None:
        return exact
    within = [key for key in _fits if set(key) <= uids]
    return _fits[max(within, key=len)] if within else None


def fit_with(obj: bpy.types.Object) -> Fit | None:
    """Joints of the last character that a mesh was found to be a member of."""
    if obj.type != "MESH":
        return None
    uid = obj.data.session_uid
    return next((fit for key, fit in reversed(_fits.items()) if uid in key), None)


def move_fits(before: int, after: int) -> None:
    """Let a mesh that takes the place of another, by `session_uid`, have its joints."""
    for key in [key for key in _fits if before in key]:
        fit = _fits.pop(key)
        members = tuple(
            replace(member, mesh_uid=after) if member.mesh_uid == before else member
            for member in fit.geometry.members
        )
        keep_fit(replace(fit, geometry=replace(fit.geometry, members=members)))


@persistent
def forget_all_fits(*_) -> None:
    """Drop all; a handler for when another file is about to be opened."""
    _fits.clear()
