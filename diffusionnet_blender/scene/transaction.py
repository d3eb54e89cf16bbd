"""All or nothing: what a failed write has changed is put back, and what it has made is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .matches import move_matches
from .results import move_results

# Pointers and names that writers set on modifiers.
_SET_ON_MODIFIERS = ("object", "vertex_group")


class Transaction:
    """Changes to objects, their meshes and the data-blocks of the file, until they are complete.

    A copy of each mesh is kept meanwhile, which costs next to nothing: Blender shares its arrays
    until one of the two is written to.
    """

    def __init__(self) -> None:
        self._existing = {block.session_uid for block in _blocks()}
        self._view = _View()
        self._objects: dict[int, _ObjectState] = {}
        self._discarded: list[bpy.types.ID] = []
        self._undo: list[Callable[[], None]] = []

    def include(self, obj: bpy.types.Object) -> None:
        """Remember the state of an object and its mesh, which must not be in Edit Mode."""
        if obj.session_uid not in self._objects:
            self._objects[obj.session_uid] = _ObjectState(obj)

    def discard(self, block: bpy.types.ID) -> None:
        """Remove a data-block in the end, if all goes well; its name is free at once."""
        name = block.name
        block.name = f"{name} replaced"
        self._undo.append(lambda: setattr(block, "name", name))
        self._discarded.append(block)

    def commit(self) -> None:
        """Make the changes final."""
        for state in self._objects.values():
            state.forget()
        if self._discarded:
            bpy.data.batch_remove(self._discarded)

    def roll_back(self) -> None:
        """Restore everything as it was at the start."""
        self._view.leave_modes()
        for undo in reversed(self._undo):
            undo()
        kept = {uid for state in self._objects.values() for uid in state.restore()}
        made = [b for b in _blocks() if b.session_uid not in self._existing | kept]
        if made:
            bpy.data.batch_remove(made)
        self._view.restore()


_current: Transaction | None = None


@contextmanager
def transaction(*objects: bpy.types.Object) -> Iterator[Transaction]:
    """Changes that are made as a whole or not at all; one inside another joins it.

    Parameters
    ----------
    *objects : bpy.types.Object
        Meshes that are written to, not in Edit Mode.

    Yields
    ------
    Transaction
    """
    global _current
    if _current is not None:
        for obj in objects:
            _current.include(obj)
        yield _current
        return
    _current = Transaction()
    try:
        for obj in objects:
            _current.include(obj)
        yield _current
    except BaseException:
        _current.roll_back()
        raise
    else:
        _current.commit()
    finally:
        _current = None


class _ObjectState:
    """An object as it was: a copy of its mesh, and its own properties that writers set."""

    def __init__(self, obj: bpy.types.Object):
        self._obj = obj
        self._mesh = obj.data if obj.type == "MESH" else None
        self._backup: bpy.types.Mesh | None = None
        if self._mesh is not None and self._mesh.library is None:
            self._backup = self._mesh.copy()
        self._active_key = obj.active_shape_key_index
        self._slots = [(slot.link, slot.material) for slot in obj.material_slots]
        self._modifiers = {m.name: _values(m) for m in obj.modifiers}
        self._properties = {key: obj[key] for key in obj.keys() if key.startswith("diffusionnet_")}
        self._collections = list(obj.users_collection)
        self._hidden = _is_hidden(obj)

    def forget(self) -> None:
        """Remove the copy."""
        if self._backup is not None:
            bpy.data.meshes.remove(self._backup)

    def restore(self) -> set[int]:
        """Put everything back; identifiers of the data-blocks that take the place of others."""
        obj, backup = self._obj, self._backup
        for modifier in [m for m in obj.modifiers if m.name not in self._modifiers]:
            obj.modifiers.remove(modifier)
        if backup is not None:
            name, fake = self._mesh.name, self._mesh.use_fake_user
            before = self._mesh.session_uid
            self._mesh.user_remap(backup)
            bpy.data.meshes.remove(self._mesh)
            backup.name, backup.use_fake_user = name, fake
            move_results(before, backup.session_uid)
            move_matches(before, backup.session_uid)
        for modifier_name, values in self._modifiers.items():
            for name, value in values.items():
                setattr(obj.modifiers[modifier_name], name, value)
        for slot, (link, material) in zip(obj.material_slots, self._slots, strict=True):
            slot.link = link
            if link == "OBJECT":
                slot.material = material
        for key in [key for key in obj.keys() if key.startswith("diffusionnet_")]:
            del obj[key]
        for key, value in self._properties.items():
            obj[key] = value
        for collection in self._collections:
            if obj.name not in collection.objects:
                collection.objects.link(obj)
        for collection in obj.users_collection:
            if collection not in self._collections:
                collection.objects.unlink(obj)
        if _is_hidden(obj) != self._hidden:
            obj.hide_set(self._hidden)
        obj.active_shape_key_index = self._active_key
        if backup is None:
            return set()
        keys = backup.shape_keys
        return {backup.session_uid, *([keys.session_uid] if keys else [])}


class _View:
    """Active object, selection and mode."""

    def __init__(self) -> None:
        layer = bpy.context.view_layer
        self._active = layer.objects.active
        self._selected = [obj for obj in layer.objects.selected if obj]
        self._mode = self._active.mode if self._active else "OBJECT"

    def leave_modes(self) -> None:
        """Return to Object Mode, where data-blocks may be exchanged."""
        active = bpy.context.view_layer.objects.active
        if active and active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")

    def restore(self) -> None:
        """Set all as it was."""
        layer = bpy.context.view_layer
        layer.update()
        for obj in [obj for obj in layer.objects.selected if obj]:
            obj.select_set(False)
        for obj in self._selected:
            obj.select_set(True)
        layer.objects.active = self._active
        if self._active and self._active.mode != self._mode:
            bpy.ops.object.mode_set(mode=self._mode)


def _is_hidden(obj: bpy.types.Object) -> bool:
    return obj.name in bpy.context.view_layer.objects and obj.hide_get()


def _values(modifier: bpy.types.Modifier) -> dict[str, Any]:
    return {name: getattr(modifier, name) for name in _SET_ON_MODIFIERS if hasattr(modifier, name)}


def _blocks() -> Iterator[bpy.types.ID]:
    """All data-blocks of the file, those of windows and of the interface excepted."""
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION" and prop.identifier not in {
            "screens",
            "window_managers",
            "workspaces",
        }:
            yield from getattr(bpy.data, prop.identifier)
