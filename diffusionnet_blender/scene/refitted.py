"""Copies of garments where they were fitted to, which belong to the body that they lie on."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..tasks.refit.request import RefitRequest, RefittedGarments
from .armatures import bone_names, hold_of
from .binding import follow
from .character_read import CharacterGeometry
from .conformed import bent_copy, select_made
from .ownership import Kind, Role, claim, record
from .transaction import transaction
from .vertex_groups import write_vertex_groups

# Modifiers that are bound to the vertices of one body, and of no use on another.
_BOUND = {"SURFACE_DEFORM", "MESH_DEFORM"}
# Names of the pointers by which others follow a body.
_POINTERS = ("target", "object")


def write_refitted(
    body: bpy.types.Object,
    target: bpy.types.Object,
    geometry: CharacterGeometry,
    origin: np.ndarray,
    request: RefitRequest,
    result: RefittedGarments,
) -> list[bpy.types.Object]:
    """Copies of garments on another body; selected, the first active. All are made, or none.

    They keep topology, UV maps, materials, attributes, masks and shape keys. Where the body has an
    armature, they follow it, by its skin weights.

    Parameters
    ----------
    body, target : bpy.types.Object
        The body that they lay on, and the one that they are fitted to.
    geometry : CharacterGeometry
        The body and the garments as they were read, the body first.
    origin : (3,) float
        Of the target in the world.
    request : RefitRequest
    result : RefittedGarments
    """
    ends = np.cumsum(np.bincount(request.member, minlength=len(request.names)))[:-1]
    split = [np.split(shape, ends) for shape in (result.vertices, *result.keys)]
    weights = None if result.weights is None else np.split(result.weights, ends)
    hold = hold_of(target)
    made = []
    with transaction():
        for number, member in enumerate(geometry.members[1:]):
            if number in result.left_out:
                continue
            obj = member.find()
            shapes = [shape[number] for shape in split]
            keys = dict(zip(request.key_names, shapes[1:], strict=True))
            copy = bent_copy(obj, f"{obj.name} on {target.name}", origin, shapes[0], keys)
            _rewire(copy, body, target)
            _move_to(copy, target)
            if weights is not None and request.weights is not None and hold is not None:
                _take_weights(obj, copy, request.weights.names, weights[number])
                follow(copy, hold.rig)
            else:
                _hang_on(copy, target)
            made.append(copy)
        select_made(made)
    return made


def _rewire(copy: bpy.types.Object, body: bpy.types.Object, target: bpy.types.Object) -> None:
    """Let modifiers that follow the old body follow the new one."""
    for modifier in list(copy.modifiers):
        for name in _POINTERS:
            if getattr(modifier, name, None) != body:
                continue
            if modifier.type in _BOUND:
                copy.modifiers.remove(modifier)
                break
            setattr(modifier, name, target)


def _move_to(copy: bpy.types.Object, target: bpy.types.Object) -> None:
    """Link a copy to the collections of the target, as far as they are of this file."""
    wanted = [each for each in target.users_collection if each.library is None]
    for collection in wanted:
        if copy.name not in collection.objects:
            collection.objects.link(copy)
    for collection in list(copy.users_collection) if wanted else []:
        if collection not in wanted:
            collection.objects.unlink(copy)


def _take_weights(
    obj: bpy.types.Object, copy: bpy.types.Object, names: Sequence[str], weights: np.ndarray
) -> None:
    """Skin weights of the new body's bones in place of those of the old one's."""
    for name in bone_names(obj):
        group = copy.vertex_groups.get(name)
        if group is not None:
            copy.vertex_groups.remove(group)
    used = np.flatnonzero(weights.any(axis=0))
    wanted = [names[number] for number in used]
    claimed = claim(copy, Kind.VERTEX_GROUP, Role.TRANSFER, wanted, overwrite=True)
    values = np.ascontiguousarray(weights[:, used])
    write_vertex_groups(copy, claimed.names, values)
    record(copy, Kind.VERTEX_GROUP, Role.TRANSFER, claimed.names, weights=values)


def _hang_on(copy: bpy.types.Object, parent: bpy.types.Object) -> None:
    """Parent a copy; it stays where it is."""
    place = copy.matrix_world.copy()
    copy.parent = parent
    copy.matrix_parent_inverse = parent.matrix_world.inverted_safe()
    copy.matrix_world = place
