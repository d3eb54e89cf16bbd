"""A source and a target, each a character, as match and transfer need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .character import Character, as_character
from .edit_mode import outside_edit_mode
from .read import read_object
from .targets import characters_for
from .write import require_writable

# Ratio of the largest scale of an object to its smallest above which it has no inside.
FLATTEST = 1e6

Pair = tuple[Character, Character]


def required_pair(
    context,
    source: bpy.types.Object | None,
    target: bpy.types.Object | None,
    each: bool | None = None,
) -> Pair:
    """Characters of two objects, which must be a pair: see `pair_of` and `require_pair`."""
    if source is None or target is None or source.type != "MESH" or target.type != "MESH":
        # Reading what is no mesh raises an error with the fix for its type.
        require_pair(source, target)
    found = pair_of(context, source, target, each)
    require_pair(*found)
    return found


def pair_of(
    context, source: bpy.types.Object, target: bpy.types.Object, each: bool | None = None
) -> Pair:
    """Characters of two objects that were picked.

    Each is alone where both belong to one character, as a body and a garment, or where it is left
    out of its own.

    Parameters
    ----------
    context : bpy.types.Context
    source, target : bpy.types.Object
    each : bool, optional
        Each object alone; by default as in the panel.
    """
    found = [character_for(context, obj, each) for obj in (source, target)]
    meshes = [{member.data for member in character.members} for character in found]
    if target in found[0].members or source in found[1].members or meshes[0] == meshes[1]:
        return as_character(source), as_character(target)
    return found[0], found[1]


def character_for(context, obj: bpy.types.Object, each: bool | None = None) -> Character:
    """The character of an object; the object alone where it is left out of its own."""
    (found,) = characters_for(context, [obj], each)
    return found if obj in found.members else as_character(obj)


def require_pair(
    source: bpy.types.Object | Character | None, target: bpy.types.Object | Character | None
) -> None:
    """Raise DiffusionNetError unless these are two shapes, one of which can be written to.

    Of a character, one member has to be usable; see `usable` for the others.
    """
    for shape, what in ((source, "source"), (target, "target")):
        if shape is None:
            raise DiffusionNetError(f"No {what} is chosen", "Pick one in the Transfer panel.")
    one, other = as_character(source), as_character(target)
    if one.members == other.members:
        raise DiffusionNetError(
            f"{one.name!r} is both source and target", "Choose two different objects."
        )
    if {obj.data for obj in other.members} <= {obj.data for obj in one.members}:
        raise writable(other, one)[1][0]
    for character in (one, other):
        found, errors = usable(character)
        if not found.members:
            raise errors[0]
    found, errors = writable(other, one)
    if not found.members:
        raise errors[0]


def usable(character: Character) -> tuple[Character, list[DiffusionNetError]]:
    """Members with a surface, and the errors of the others."""
    return _sorted_out(character, _require_surface)


def writable(
    target: Character, source: Character | None = None
) -> tuple[Character, list[DiffusionNetError]]:
    """Members of a shape that data can be written to, and the errors of the others.

    A mesh that is one of the source's, or of an earlier member, is none of its own.
    """
    taken = {member.data: member for member in reversed(source.members if source else ())}

    def require(obj: bpy.types.Object) -> None:
        if taken.setdefault(obj.data, obj) != obj:
            raise DiffusionNetError(
                f"{taken[obj.data].name!r} and {obj.name!r} share the same mesh",
                "Make the mesh of the target a single-user copy.",
            )
        require_writable(obj)

    return _sorted_out(target, require)


def _sorted_out(
    character: Character, require: Callable[[bpy.types.Object], None]
) -> tuple[Character, list[DiffusionNetError]]:
    """Members that pass a check, and the errors of the others."""
    found, errors = [], []
    for obj in character.members:
        try:
            require(obj)
        except DiffusionNetError as error:
            errors.append(error)
        else:
            found.append(obj)
    return replace(character, members=tuple(found)), errors


def _require_surface(obj: bpy.types.Object) -> None:
    if read_object(obj).surface.is_point_cloud:
        raise DiffusionNetError(
            f"{obj.name!r} has no faces", "Choose a mesh; a point cloud cannot be matched."
        )
    linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
    if np.linalg.cond(linear) > FLATTEST:
        raise DiffusionNetError(
            f"{obj.name!r} has a scale of zero along an axis", "Set a scale above zero."
        )


@contextmanager
def outside_edit_modes(*objects: bpy.types.Object) -> Iterator[None]:
    """Leave Edit Mode for several objects, and come back at the end."""
    with ExitStack() as stack:
        for obj in objects:
            stack.enter_context(outside_edit_mode(obj.data))
        yield
