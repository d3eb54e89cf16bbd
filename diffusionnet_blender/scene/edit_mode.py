"""Edit Mode: attributes have no length there, so data is written from outside."""

from __future__ import annotations

from collections.abc import Iterator
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
