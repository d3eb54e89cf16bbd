"""Parts of an object: looked up in the legend of its mesh by name or number."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ..errors import DiffusionNetError
from .character import characters_of
from .shown import remembered

# In place of a number: the active part of the legend.
ACTIVE = -1


def segmented_objects(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """The objects that have parts.

    Raises
    ------
    DiffusionNetError
        If none has.
    """
    objects = list(objects)
    found = [obj for obj in objects if obj.type == "MESH" and obj.data.diffusionnet.parts]
    if not found:
        raise DiffusionNetError(f"{objects[0].name!r} has no parts", "Segment it first.")
    return found


def part_number(obj: bpy.types.Object, name: str, index: int) -> int:
    """Number of a part.

    Parameters
    ----------
    obj : bpy.types.Object
    name : str
        Empty: by `index`.
    index : int
        A number, or `ACTIVE`.

    Raises
    ------
    DiffusionNetError
        If the legend has no such part.
    """
    parts = obj.data.diffusionnet.parts
    number = index if index != ACTIVE else obj.data.diffusionnet.active
    if name:
        number = parts.find(name)
    if not 0 <= number < len(parts):
        raise DiffusionNetError(
            f"{obj.name!r} has no part {name or index!r}",
            f"Its parts are {', '.join(part.name for part in parts)}.",
        )
    return number


def part_name(obj: bpy.types.Object, number: int) -> str:
    """Name of a part."""
    return obj.data.diffusionnet.parts[number].name


def with_same_parts(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """An object and the members of its character that have the same parts and can be changed."""
    names = [part.name for part in obj.data.diffusionnet.parts]
    layer, each = bpy.context.view_layer, bpy.context.scene.diffusionnet.each
    key = "parts", each, obj.session_uid
    (character,) = remembered(key, lambda: characters_of([obj], layer, each))
    others = [
        other
        for other in character.members
        if other.data != obj.data
        and other.data.library is None
        and [part.name for part in other.data.diffusionnet.parts] == names
    ]
    return [obj, *others]
