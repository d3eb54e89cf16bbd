"""Preview of a match: position and confidence as colours, uncertain vertices selected."""

from __future__ import annotations

from functools import partial

import bmesh
import bpy
import numpy as np

from .attributes import VERTEX_COLOURS, VERTEX_VALUES, read_values, show_colours, write_attribute
from .character import Character, as_character
from .character_read import read_character
from .matches import Match, Shape
from .ownership import Kind, Role, claim, is_still_ours, record
from .pair import usable, writable
from .transaction import transaction

POSITION = "match_position"
CONFIDENCE = "match_confidence"
CONFIDENCE_COLOUR = "match_confidence_color"
CONFIDENT, UNCERTAIN = np.array([0.20, 0.65, 0.32]), np.array([0.85, 0.18, 0.15])


def write_preview(source: Shape, target: Shape, match: Match, show: str) -> list[str]:
    """Colour both shapes by position on the source, and the target by confidence.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
        Meshes, not in Edit Mode. Members that cannot be written to are passed over.
    match : Match
    show : {"POSITION", "CONFIDENCE"}
        Which colours become active.

    Returns
    -------
    list of str
        Names of the attributes.
    """
    one, other = (usable(as_character(shape))[0] for shape in (source, target))
    read = read_character(one, own=True)
    surface, found = read.placed.surface, match.correspondence
    low, extent = surface.vertices.min(axis=0), np.ptp(surface.vertices, axis=0)
    position = 0.1 + 0.85 * (surface.vertices - low) / np.maximum(extent, 1e-30)
    moved = found.target_to_source.interpolate(position, surface.faces)
    confidence = found.confidence[:, None]
    colour = confidence * CONFIDENT + (1 - confidence) * UNCERTAIN
    on_target = (
        (POSITION, VERTEX_COLOURS, _opaque(moved)),
        (CONFIDENCE, VERTEX_VALUES, found.confidence),
        (CONFIDENCE_COLOUR, VERTEX_COLOURS, _opaque(colour)),
    )
    shown = POSITION if show == "POSITION" else CONFIDENCE_COLOUR
    objects = [_writable(one), _writable(other)]
    names: dict[str, None] = {}
    with transaction(*objects[0], *objects[1]):
        _write_members(one, objects[0], ((POSITION, VERTEX_COLOURS, _opaque(position)),), POSITION)
        for written in _write_members(other, objects[1], on_target, shown):
            names.update(dict.fromkeys(written))
    return list(names)


def _writable(shape: Character) -> list[bpy.types.Object]:
    found, errors = writable(shape)
    if not found.members:
        raise errors[0]
    return list(found.members)


def _write_members(shape: Character, writable, layers, shown: str) -> list[list[str]]:
    """Write to each writable member its share of values at all vertices."""
    ends = np.cumsum([len(obj.data.vertices) for obj in shape.members])[:-1]
    shares = [np.split(values, ends) for _, _, values in layers]
    return [
        _write(
            obj,
            [(name, kind, own[n]) for (name, kind, _), own in zip(layers, shares, strict=True)],
            shown,
        )
        for n, obj in enumerate(shape.members)
        if obj in writable
    ]


def _write(obj, layers, shown: str) -> list[str]:
    mesh = obj.data
    names = claim(obj, Kind.ATTRIBUTE, Role.PREVIEW, [name for name, _, _ in layers]).names
    for name, (wanted, kind, values) in zip(names, layers, strict=True):
        write_attribute(mesh, name, kind, values)
        if wanted == shown:
            active = name
    record(obj, Kind.ATTRIBUTE, Role.PREVIEW, names)
    show_colours(mesh, active, partial(is_still_ours, obj, Kind.ATTRIBUTE))
    mesh.update()
    return list(names)


def _opaque(colours: np.ndarray) -> np.ndarray:
    return np.concatenate([colours, np.ones((len(colours), 1))], axis=1)


def select_in_character(shape: Character, chosen: np.ndarray) -> int:
    """Select vertices of the members that are `pair.usable`, (V,) bool of all; how many."""
    members = usable(shape)[0].members
    ends = np.cumsum([len(obj.data.vertices) for obj in members])[:-1]
    return sum(
        select_uncertain(obj, own)
        for obj, own in zip(members, np.split(chosen, ends), strict=True)
        if not obj.data.library
    )


def select_uncertain(obj: bpy.types.Object, chosen: np.ndarray) -> int:
    """Select vertices, and nothing else; how many.

    Parameters
    ----------
    obj : bpy.types.Object
        In any mode.
    chosen : (V,) bool
    """
    mesh = obj.data
    if mesh.is_editmode:
        bm = bmesh.from_edit_mesh(mesh)
        bm.select_mode |= {"VERT"}
        bm.verts.ensure_lookup_table()
        for elements in (bm.faces, bm.edges, bm.verts):
            for element in elements:
                element.select = False
        for index in np.flatnonzero(chosen):
            bm.verts[index].select = not bm.verts[index].hide
        bm.select_flush_mode()
        bmesh.update_edit_mesh(mesh, loop_triangles=False, destructive=False)
        return int(chosen.sum())
    ends = read_values(mesh.edges, "vertices", np.int32, 2)
    corners = read_values(mesh.loops, "vertex_index", np.int32)
    starts = read_values(mesh.polygons, "loop_start", np.int32)
    mesh.vertices.foreach_set("select", chosen)
    mesh.edges.foreach_set("select", chosen[ends].all(axis=1))
    if len(starts):
        mesh.polygons.foreach_set("select", np.logical_and.reduceat(chosen[corners], starts))
    mesh.update()
    return int(chosen.sum())
