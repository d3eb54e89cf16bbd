"""Edit Mode: attributes have no length there, so data is written from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def outside_edit_mode(mesh: bpy.types.Mesh) -> Iterator[None]:
    """Leave Edit Mode where the mesh is in it, and come back at the end."""
    if not mesh.is_editmode:
        yield
        return
    bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        bpy.ops.object.mode_set(mode="EDIT")


@contextmanager
def whole_undo(objects: Iterable[bpy.types.Object]) -> Iterator[None]:
    """Let undo and redo take back all that is changed in here, in Edit Mode too.

    There a step of undo holds nothing but the geometry with its attributes and weights: names of
    vertex groups, materials and the legend would stay as they are.
    """
    if not any(obj.type == "MESH" and obj.data.is_editmode for obj in objects):
        yield
        return
    _ask_for_whole_step()
    bpy.ops.ed.undo_push(message="Before")
    yield
    _ask_for_whole_step()


def _ask_for_whole_step() -> None:
    """Have Blender put a step of everything before the next step of undo.

    It does so where data-blocks have come or gone since the last one.
    """
    bpy.data.texts.remove(bpy.data.texts.new("DN"))
