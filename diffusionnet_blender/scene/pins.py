"""Pins: pairs of corresponding points of two meshes, set by the artist."""

from __future__ import annotations

import bmesh
import bpy
import numpy as np
from mathutils import Vector

from ..errors import DiffusionNetError
from .attributes import read_values
from .character import Character, alone
from .pair import usable

# Largest distance of an empty from its mesh, as a fraction of the size of the mesh.
FARTHEST = 0.1


def add_pins_by_empties(
    settings, source: Character, target: Character, empties: list[bpy.types.Object]
) -> int:
    """Pair two empties, each on one of the two shapes: the one that it is nearer to.

    Parameters
    ----------
    settings : DIFFUSIONNET_PG_transfer
    source, target : Character
    empties : list of two bpy.types.Object

    Raises
    ------
    DiffusionNetError
        If there are not two, or both are on one object.
    """
    if len(empties) != 2:
        raise DiffusionNetError(
            f"{len(empties)} empties are selected",
            "Select two, one on the source and one on the target.",
        )
    nearest = [
        [
            min((_distance(obj, empty), n) for n, obj in enumerate(shape.members))
            for empty in empties
        ]
        for shape in (source, target)
    ]
    nearer = [one[0] < other[0] for one, other in zip(*nearest, strict=True)]
    if nearer[0] == nearer[1]:
        wrong = source.name if nearer[0] else target.name
        raise DiffusionNetError(
            f"Both empties are on {wrong!r}", "Place one on the source and one on the target."
        )
    first, second = (0, 1) if nearer[0] else (1, 0)
    pin = settings.pins.add()
    pin.name = empties[first].name
    pin.source_empty, pin.target_empty = empties[first], empties[second]
    pin.source_object = source.members[nearest[0][first][1]]
    pin.target_object = target.members[nearest[1][second][1]]
    settings.active_pin = len(settings.pins) - 1
    return 1


def add_pins_by_vertices(settings, source: Character, target: Character) -> int:
    """Pair vertices that were selected one after the other on both shapes, in that order.

    Parameters
    ----------
    settings : DIFFUSIONNET_PG_transfer
    source, target : Character

    Raises
    ------
    DiffusionNetError
        If none are selected, or not as many on both, or on several objects of one.
    """
    objects, found = zip(*map(_selected_on_one, (source, target)), strict=True)
    if len(found[0]) != len(found[1]) or not found[0]:
        raise DiffusionNetError(
            f"{len(found[0])} vertices are selected one by one on {source.name!r} and "
            f"{len(found[1])} on {target.name!r}",
            "In Edit Mode, click as many vertices on both with Shift held, in the same order.",
        )
    for on_source, on_target in zip(*found, strict=True):
        pin = settings.pins.add()
        pin.source_vertex, pin.target_vertex = on_source, on_target
        pin.name = f"{on_source} - {on_target}"
        pin.source_object, pin.target_object = objects
    settings.active_pin = len(settings.pins) - 1
    return len(found[0])


def _selected_on_one(shape: Character) -> tuple[bpy.types.Object, list[int]]:
    """The member with vertices selected in order, and these."""
    found = [(obj, own) for obj in shape.members if (own := selected_in_order(obj))]
    if len(found) > 1:
        raise DiffusionNetError(
            f"Vertices are selected on {found[0][0].name!r} and on {found[1][0].name!r}, and in "
            "which order is not known",
            "Select those of one object of each character at a time.",
        )
    return found[0] if found else (shape.members[0], [])


def selected_in_order(obj: bpy.types.Object) -> list[int]:
    """Vertices in the order in which they were selected, as Edit Mode remembers it."""
    if obj.data.is_editmode:
        history = bmesh.from_edit_mesh(obj.data).select_history
        return [item.index for item in history if isinstance(item, bmesh.types.BMVert)]
    work = bmesh.new()
    try:
        work.from_mesh(obj.data)
        return [item.index for item in work.select_history if isinstance(item, bmesh.types.BMVert)]
    finally:
        work.free()


def pinned_vertices(
    settings, source: Character | None = None, target: Character | None = None
) -> np.ndarray:
    """Vertices of source and target that are pinned, (P, 2) int64.

    Parameters
    ----------
    settings : DIFFUSIONNET_PG_transfer
    source, target : Character, optional
        Of which vertices are numbered, one member after the other; by default the objects of the
        panel.

    Raises
    ------
    DiffusionNetError
        If a pin is on another object, or its empty or vertex is missing.
    """
    one, other = source or alone(settings.source), target or alone(settings.target)
    found = []
    for number, pin in enumerate(settings.pins, start=1):
        row = []
        for shape, owner, empty, vertex in (
            (one, pin.source_object, pin.source_empty, pin.source_vertex),
            (other, pin.target_object, pin.target_empty, pin.target_vertex),
        ):
            if owner not in shape.members:
                on = "a deleted object" if owner is None else repr(owner.name)
                raise DiffusionNetError(
                    f"Pin {number} was set on {on}, not on {shape.name!r}",
                    "Remove the pin, or choose its objects as source and target.",
                )
            before = shape.members[: shape.members.index(owner)]
            start = sum(len(obj.data.vertices) for obj in before)
            row.append(start + _vertex_of(owner, number, empty, vertex))
        found.append(row)
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def pins_of_pair(settings, source: Character, target: Character) -> np.ndarray:
    """Pinned vertices of two shapes, (P, 2) int64; none unless they are those of the panel.

    Parameters
    ----------
    settings : DIFFUSIONNET_PG_transfer
    source, target : Character
    """
    if settings.source not in source.members or settings.target not in target.members:
        return np.zeros((0, 2), dtype=np.int64)
    if not settings.pins:
        return np.zeros((0, 2), dtype=np.int64)
    return pinned_vertices(settings, usable(source)[0], usable(target)[0])


def swap_pair(settings) -> None:
    """Swap source and target of the panel, and both ends of each pin.

    Parameters
    ----------
    settings : DIFFUSIONNET_PG_transfer
    """
    settings.source, settings.target = settings.target, settings.source
    for pin in settings.pins:
        for kind in ("object", "empty", "vertex"):
            ends = getattr(pin, f"source_{kind}"), getattr(pin, f"target_{kind}")
            setattr(pin, f"target_{kind}", ends[0])
            setattr(pin, f"source_{kind}", ends[1])


def _vertex_of(obj, number: int, empty, vertex: int) -> int:
    if vertex >= 0:
        if vertex >= len(obj.data.vertices):
            raise DiffusionNetError(
                f"Pin {number} is on vertex {vertex}, which does not exist on {obj.name!r}",
                "The mesh has changed; remove the pin and set it again.",
            )
        return vertex
    if empty is None:
        raise DiffusionNetError(
            f"The empty of pin {number} on {obj.name!r} was deleted", "Remove the pin."
        )
    away = _distance(obj, empty)
    if away > FARTHEST * _size(obj):
        raise DiffusionNetError(
            f"Pin {number}: {empty.name!r} is {away:.3g} away from {obj.name!r}",
            "Move the empty onto the surface.",
        )
    positions = read_values(obj.data.vertices, "co", np.float32, 3)
    linear = np.array(obj.matrix_world.to_3x3())
    at = np.array(empty.matrix_world.translation - obj.matrix_world.translation)
    return int(np.square(positions @ linear.T - at).sum(axis=1).argmin())


def _distance(obj: bpy.types.Object, empty: bpy.types.Object) -> float:
    """From an empty to the surface of an object, in the world."""
    at = empty.matrix_world.translation
    found, point, _, _ = obj.closest_point_on_mesh(obj.matrix_world.inverted_safe() @ at)
    return (obj.matrix_world @ point - at).length if found else float("inf")


def _size(obj: bpy.types.Object) -> float:
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    return max((one - other).length for one in corners for other in corners)
