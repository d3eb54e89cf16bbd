"""Edit Mode entered and left: attributes cannot be written in it, and its undo is partial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import bpy

from .modes import set_mode
from .targets import select_only


@contextmanager
def outside_edit_mode(mesh: bpy.types.Mesh) -> Iterator[None]:
    """Leave Edit Mode, if the mesh is in it, and enter it again at the end."""
    if not mesh.is_editmode:
        yield
        return
    set_mode("OBJECT")
    try:
        yield
    finally:
        set_mode("EDIT")


@contextmanager
def alone_in_edit_mode(obj: bpy.types.Object) -> Iterator[None]:
    """Enter Edit Mode with an object that is in no collection, whatever else is hidden.

    It is linked to the scene's own collection, which cannot be excluded or hidden, and unlinked
    at the end. Active object and selection are restored.
    """
    layer, home = bpy.context.view_layer, bpy.context.scene.collection
    active, selected = layer.objects.active, [o for o in layer.objects.selected if o]
    obj.hide_viewport = obj.hide_select = False
    home.objects.link(obj)
    try:
        layer.update()
        for other in selected:
            other.select_set(False)
        obj.hide_set(False)
        obj.select_set(True)
        layer.objects.active = obj
        set_mode("EDIT")
        try:
            yield
        finally:
            set_mode("OBJECT")
    finally:
        obj.select_set(False)
        home.objects.unlink(obj)
        for other in selected:
            other.select_set(True)
        layer.objects.active = active


def enter_edit_mode(context, objects: Sequence[bpy.types.Object]) -> None:
    """Enter Edit Mode with these objects alone, in face selection; of point clouds, vertex.

    Parameters
    ----------
    context : bpy.types.Context
    objects : sequence of bpy.types.Object
        The first becomes active.
    """
    select_only(context, objects)
    has_faces = any(len(obj.data.polygons) for obj in objects)
    context.tool_settings.mesh_select_mode = (not has_faces, False, has_faces)
    set_mode("EDIT")


@contextmanager
def whole_undo(objects: Iterable[bpy.types.Object]) -> Iterator[None]:
    """Make undo and redo cover all changes made inside, in Edit Mode too.

    There an undo step holds only the geometry with its attributes and weights, not the names of
    vertex groups, the materials and the legend.
    """
    if not any(obj.type == "MESH" and obj.data.is_editmode for obj in objects):
        yield
        return
    _force_full_undo_step()
    bpy.ops.ed.undo_push(message="Before")
    yield
    _force_full_undo_step()


def _force_full_undo_step() -> None:
    """Make Blender store the whole file before the next undo step.

    It does so if data-blocks were added or removed since the last one.
    """
    bpy.data.texts.remove(bpy.data.texts.new("DN"))
