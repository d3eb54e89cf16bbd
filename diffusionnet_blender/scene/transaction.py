"""All or nothing: what a failed write has changed is put back, and what it has made is removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .fits import move_fits
from .matches import move_matches
from .modes import set_mode
from .results import move_results

# Pointers and names that writers set on modifiers.
_SET_ON_MODIFIERS = ("object", "vertex_group", "node_group")


class Transaction:
    """Changes to objects, their meshes and the data-blocks of the file, until they are complete.

    A copy of each mesh is kept meanwhile, which costs next to nothing: Blender shares its arrays
    until one of the two is written to.
    """

    def __init__(self) -> None:
        self._existing = {block.session_uid for block in _blocks()}
        self._view = _View()
        self._objects: dict[int, _ObjectState] = {}
        self._blocks: dict[int, _Backup] = {}
        # With their names as they were.
        self._discarded: dict[int, tuple[bpy.types.ID, str]] = {}

    def include(self, obj: bpy.types.Object) -> None:
        """Remember the state of an object and its mesh, in any mode."""
        if obj.session_uid not in self._objects:
            self._objects[obj.session_uid] = _ObjectState(obj)
            if obj.type == "MESH":
                if obj.data.is_editmode:
                    obj.update_from_editmode()
                self.keep(obj.data)

    def keep(self, block: bpy.types.ID) -> None:
        """Remember a data-block that is about to be changed."""
        is_new = block.session_uid not in self._existing
        if not is_new and block.session_uid not in self._blocks and block.library is None:
            self._blocks[block.session_uid] = _Backup(block)

    def discard(self, block: bpy.types.ID) -> None:
        """Remove a data-block in the end, if all goes well; its name is free at once."""
        self._discarded[block.session_uid] = block, block.name
        block.name = f"{block.name} replaced"

    def copies(self) -> Iterable[_Backup]:
        """Backups of data-blocks."""
        return self._blocks.values()

    def commit(self) -> None:
        """Make the changes final."""
        unused = [block for backup in self._blocks.values() for block in backup.blocks]
        bpy.data.batch_remove([*unused, *(block for block, _ in self._discarded.values())])

    def roll_back(self) -> None:
        """Restore everything as it was at the start."""
        self._view.leave_modes()
        for state in self._objects.values():
            state.remove_modifiers()
        for backup in self._blocks.values():
            backup.restore()
        for state in self._objects.values():
            state.restore()
        kept = {b.session_uid for backup in self._blocks.values() for b in backup.blocks}
        made = [block for block in _blocks() if block.session_uid not in self._existing | kept]
        bpy.data.batch_remove(made)
        # Now that no new data-block has one of them.
        for uid, (block, name) in self._discarded.items():
            if uid not in self._blocks:
                block.name = name
        for backup in self._blocks.values():
            backup.restore_name()
        self._view.restore()


_current: Transaction | None = None


@contextmanager
def transaction(*objects: bpy.types.Object) -> Iterator[Transaction]:
    """Changes that are made as a whole or not at all; one inside another joins it.

    Parameters
    ----------
    *objects : bpy.types.Object
        Those that are written to, in any mode.

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


def keep(block: bpy.types.ID) -> None:
    """Remember a data-block that is about to be changed, if that is part of a transaction."""
    if _current is not None:
        _current.keep(block)


def backups() -> set[bpy.types.ID]:
    """Copies that are kept for the time of the current transaction."""
    if _current is None:
        return set()
    return {block for backup in _current.copies() for block in backup.blocks}


class _Backup:
    """A copy of a data-block, which can take its place."""

    def __init__(self, block: bpy.types.ID):
        self._block, self._copy = block, block.copy()
        self._name, self._fake = block.name, block.use_fake_user

    @property
    def blocks(self) -> list[bpy.types.ID]:
        """The copy, with the shape keys of a mesh."""
        keys = getattr(self._copy, "shape_keys", None)
        return [self._copy, *([keys] if keys else [])]

    def restore(self) -> None:
        """Let the copy take the place of the data-block."""
        block, copy = self._block, self._copy
        before = block.session_uid
        block.user_remap(copy)
        bpy.data.batch_remove([block])
        copy.use_fake_user = self._fake
        move_results(before, copy.session_uid)
        move_matches(before, copy.session_uid)
        move_fits(before, copy.session_uid)

    def restore_name(self) -> None:
        """Give the copy the name."""
        self._copy.name = self._name


class _ObjectState:
    """Properties of an object that writers set, as they were."""

    def __init__(self, obj: bpy.types.Object):
        self._obj = obj
        self._active_key = obj.active_shape_key_index
        self._slots = [(slot.link, slot.material) for slot in obj.material_slots]
        self._modifiers = {m.name: _values(m) for m in obj.modifiers}
        self._properties = {key: obj[key] for key in obj.keys() if key.startswith("diffusionnet_")}
        self._collections = list(obj.users_collection)
        self._hidden = _is_hidden(obj)
        self._parent = obj.parent, obj.parent_type, obj.parent_bone
        self._from_parent = obj.matrix_parent_inverse.copy()

    def remove_modifiers(self) -> None:
        """Remove those that were added."""
        for modifier in [m for m in self._obj.modifiers if m.name not in self._modifiers]:
            self._obj.modifiers.remove(modifier)

    def restore(self) -> None:
        """Put everything back, once the mesh is as it was."""
        obj = self._obj
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
            if obj not in collection.objects[:]:
                collection.objects.link(obj)
        for collection in obj.users_collection:
            if collection not in self._collections:
                collection.objects.unlink(obj)
        if _is_hidden(obj) != self._hidden:
            obj.hide_set(self._hidden)
        if (obj.parent, obj.parent_type, obj.parent_bone) != self._parent:
            obj.parent, obj.parent_type, obj.parent_bone = self._parent
            obj.matrix_parent_inverse = self._from_parent
        obj.active_shape_key_index = self._active_key


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
            set_mode("OBJECT")

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
            set_mode(self._mode)


def _is_hidden(obj: bpy.types.Object) -> bool:
    return obj in bpy.context.view_layer.objects[:] and obj.hide_get()


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
