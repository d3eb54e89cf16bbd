"""Target objects of operators: the selected ones, the one picked in the panel, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy

from ..errors import DiffusionNetError
from .character import Character, characters_of
from .modes import set_mode


def target_meshes(context) -> list[bpy.types.Object]:
    """Selected meshes, then selected armatures; or else the object picked in the panel.

    A script chooses others by `temp_override`: by `selected_objects`, or by `object` or
    `active_object` alone.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    selected = selected_objects(context)
    given = _given_object(context)
    if given is not None and (not selected or set(selected) == set(_selected_in_layer(context))):
        selected = selected if given in selected else [given]
    picked = context.scene.diffusionnet.object
    meshes = [obj for obj in selected if obj.type == "MESH"]
    rigs = [obj for obj in selected if obj.type == "ARMATURE"]
    if picked and not meshes:
        return [picked]
    if meshes or rigs:
        return [*meshes, *rigs]
    if selected:
        # Reading a curve raises an error with the fix for its type.
        return selected[:1]
    raise DiffusionNetError("No mesh is selected", "Select one, or pick one in the panel.")


def selected_objects(context) -> list[bpy.types.Object]:
    """Selected objects, those of `temp_override` if a script has given some."""
    # Without a window, as in a timer, the context has none.
    given = getattr(context, "selected_objects", None)
    return _selected_in_layer(context) if given is None else [obj for obj in given if obj]


def _selected_in_layer(context) -> list[bpy.types.Object]:
    """Selected objects; one that was just deleted is listed as None until an update."""
    return [obj for obj in context.view_layer.objects.selected if obj]


def _given_object(context) -> bpy.types.Object | None:
    """Object that a script has put in the place of the active one."""
    active = context.view_layer.objects.active
    found = (getattr(context, name, None) for name in ("active_object", "object"))
    return next((obj for obj in found if obj not in (None, active)), None)


def named_object(objects: Iterable[bpy.types.Object], name: str) -> bpy.types.Object | None:
    """The object of a name: of several, the local one.

    Parameters
    ----------
    objects : iterable of bpy.types.Object
    name : str
        That of an object, or its full name with the library: "Ada [characters.blend]".

    Raises
    ------
    DiffusionNetError
        If several libraries have one, and the file itself has none.
    """
    objects = list(objects)
    whole = [obj for obj in objects if obj.name_full == name]
    found = whole or [obj for obj in objects if obj.name == name]
    if len(found) > 1:
        raise DiffusionNetError(
            f"There are {len(found)} linked objects {name!r}",
            f"Name one of them as {found[0].name_full!r}.",
        )
    return found[0] if found else None


def select_only(context, objects: Sequence[bpy.types.Object]) -> None:
    """Select these objects and no others, in Object Mode; the first becomes active."""
    if context.mode != "OBJECT":
        set_mode("OBJECT")
    for obj in _selected_in_layer(context):
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
    context.view_layer.objects.active = objects[0]


def characters_for(
    context, objects: Sequence[bpy.types.Object], each: bool | None = None
) -> list[Character]:
    """Characters of some objects, in the view layer of a context.

    Parameters
    ----------
    context : bpy.types.Context
    objects : sequence of bpy.types.Object
    each : bool, optional
        Each object alone; by default as in the panel.
    """
    if each is None:
        each = context.scene.diffusionnet.each
    return characters_of(objects, context.view_layer, each)


def other_characters(
    context,
    source: Character,
    objects: Sequence[bpy.types.Object] | None = None,
    each: bool | None = None,
) -> list[Character]:
    """Characters of some meshes and armatures, without a source.

    Parameters
    ----------
    context : bpy.types.Context
    source : Character
    objects : sequence of bpy.types.Object, optional
        By default the selected ones.
    each : bool, optional
        As of `characters_for`.
    """
    if objects is None:
        objects = [o for o in selected_objects(context) if o.type in {"MESH", "ARMATURE"}]
    found = characters_for(context, objects, each)
    return [one for one in found if not set(one.members) & set(source.members)]


def has_parts(context) -> bool:
    """Whether any mesh in the view layer has been segmented."""
    objects = (obj for obj in context.view_layer.objects if obj and obj.type == "MESH")
    return any(obj.data.diffusionnet.parts for obj in objects)
