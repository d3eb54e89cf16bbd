"""The body of a character, and what it wears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy

from ..errors import DiffusionNetError
from ..tasks.refit.kinds import is_body, is_of_face
from .character import Character, alone
from .character_read import read_character
from .pair import usable


@dataclass(frozen=True)
class Wardrobe:
    """A character divided.

    Attributes
    ----------
    body : bpy.types.Object
    garments : tuple of bpy.types.Object
    of_face : tuple of bpy.types.Object
        Eyes, teeth and the like, which stay: every body has its own.
    errors : tuple of DiffusionNetError
        Of meshes without a surface, which are left out.
    """

    body: bpy.types.Object
    garments: tuple[bpy.types.Object, ...]
    of_face: tuple[bpy.types.Object, ...]
    errors: tuple[DiffusionNetError, ...] = ()


def wardrobe_of(source: Character, body: bpy.types.Object | None = None) -> Wardrobe:
    """Divide a character.

    Parameters
    ----------
    source : Character
    body : bpy.types.Object, optional
        Its body, which may be an object that is no member; by default it is found.

    Raises
    ------
    DiffusionNetError
        If the body is not clear, or there is nothing that it wears.
    """
    if body is not None:
        found, unusable = usable(alone(body))
        if not found.members:
            raise unusable[0]
    members, errors = usable(source)
    worn = [obj for obj in members.members if obj != body]
    of_face = [obj for obj in worn if _is_of_face(obj)]
    worn = [obj for obj in worn if obj not in of_face]
    if body is None and len(worn) < 2:
        raise DiffusionNetError(
            f"{source.name!r} has no garments: it is a single mesh",
            "Pick a character of several objects as source, or choose the body that it lies on "
            "(Body in the Refit panel, --body on the command line).",
        )
    if body is None:
        body = _body_among(
            source,
            worn,
            'Choose it (Body in the panel, --body on the command line), or call it "Body".',
        )
        worn.remove(body)
    if not worn:
        raise DiffusionNetError(
            f"{source.name!r} wears nothing", "Pick one of the garments as source."
        )
    return Wardrobe(body, tuple(worn), tuple(of_face), tuple(errors))


def body_of(target: Character) -> bpy.types.Object:
    """The body of a character that garments are fitted to.

    Raises
    ------
    DiffusionNetError
        If there is none, or it is not clear which mesh it is.
    """
    members, errors = usable(target)
    if not members.members:
        raise errors[0]
    found = [obj for obj in members.members if not _is_of_face(obj)]
    if not found:
        raise DiffusionNetError(
            f"{target.name!r} has no body", "Pick a character with a body as target."
        )
    return _body_among(target, found, 'Call it "Body".')


def _is_of_face(obj: bpy.types.Object) -> bool:
    return is_of_face(obj.name, [m.name for m in obj.data.materials if m])


def _body_among(
    character: Character, objects: Sequence[bpy.types.Object], fix: str
) -> bpy.types.Object:
    """The body among some members: by its name, or because the others lie on it."""
    from ..tasks.refit.body import innermost

    if len(objects) == 1:
        return objects[0]
    named = [obj for obj in objects if is_body(obj.name)]
    if len(named) == 1:
        return named[0]
    read = read_character(replace(character, members=tuple(objects)), own=True)
    number = innermost(read.placed.members)
    if number is None:
        raise DiffusionNetError(f"Which object of {character.name!r} is its body is not clear", fix)
    return read.members[number].find()
