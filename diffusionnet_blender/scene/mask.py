"""Mask modifier that hides parts in the viewport and in renders.

The modifier works on a vertex group that holds the vertices of the faces to show; the groups of
the parts would not do, since of two parts only one has the vertices of the border between them.
"""

from __future__ import annotations

from collections.abc import Collection

import bpy
import numpy as np

from ..tasks.labels import Labels
from .attributes import read_values
from .ownership import Kind, Role, claim, own_name, record, release, still_ours
from .vertex_groups import write_vertex_groups

MASK = "part_mask"


def mask_parts(obj: bpy.types.Object, result: Labels, hidden: Collection[int]) -> None:
    """Hide these parts of an object and show the others.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    result : Labels
        The labels on it.
    hidden : collection of int
        Numbers in the legend. None: the modifier is taken off.
    """
    mesh = obj.data
    for number, part in enumerate(mesh.diffusionnet.parts):
        part.hidden = number in hidden
    if not hidden:
        _remove(obj)
        return
    modifier = part_mask(obj)
    name = claim(obj, Kind.VERTEX_GROUP, Role.MASK, [MASK]).names[0]
    _fill(obj, name, result)
    modifier = modifier or obj.modifiers.new("Parts", "MASK")
    modifier.vertex_group = name
    record(obj, Kind.VERTEX_GROUP, Role.MASK, [name])


def renew_mask(obj: bpy.types.Object, result: Labels) -> None:
    """Let the mask, where there is one, follow labels that have changed."""
    name = _group(obj)
    if name and still_ours(obj, Kind.VERTEX_GROUP, Role.MASK, [name]):
        _fill(obj, name, result)
        record(obj, Kind.VERTEX_GROUP, Role.MASK, [name])


def part_mask(obj: bpy.types.Object) -> bpy.types.Modifier | None:
    """The modifier that hides parts of an object, if there is one."""
    masks = [m for m in obj.modifiers if m.type == "MASK"]
    name = _group(obj) if masks else None
    return next((m for m in masks if m.vertex_group == name), None)


def _fill(obj, name: str, result: Labels) -> None:
    mesh = obj.data
    hidden = np.array([part.hidden for part in mesh.diffusionnet.parts])
    shown = ~hidden[result.vertex_labels]
    if len(result.polygon_labels):
        corner_vertex = read_values(mesh.loops, "vertex_index", np.int32)
        corners = read_values(mesh.polygons, "loop_total", np.int32)
        shown = np.zeros(len(shown), dtype=bool)
        shown[corner_vertex[np.repeat(~hidden[result.polygon_labels], corners)]] = True
    write_vertex_groups(obj, [name], shown[:, None].astype(np.float32))


def _group(obj) -> str | None:
    return own_name(obj.data, Kind.VERTEX_GROUP, Role.MASK, MASK)


def _remove(obj) -> None:
    modifier = part_mask(obj)
    if modifier:
        obj.modifiers.remove(modifier)
    name = _group(obj)
    if name and still_ours(obj, Kind.VERTEX_GROUP, Role.MASK, [name]):
        obj.vertex_groups.remove(obj.vertex_groups[name])
        release(obj.data, Kind.VERTEX_GROUP, name)
