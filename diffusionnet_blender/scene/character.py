"""Which objects form a character.

An armature with the meshes that it deforms or that hang on its bones; else the meshes under one
parent; else those of a collection, or of the selection, that lie together in space; else one mesh.
`belonging` finds them, and `leaving_out` those that are not processed with the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy

from .armatures import hold_of, top_armature
from .belonging import Belonging
from .boxes import Boxes
from .leaving_out import LeavingOut, LeftOut

# Members whose names begin alike, as a share, that give the character its name.
_NAMED_ALIKE = 0.5


@dataclass(frozen=True)
class Character:
    """Objects that are one character.

    Attributes
    ----------
    name : str
        Of the only member; else the word that the names of most members begin with, or the name
        of what they belong to.
    owner : str
        Name of the armature, parent or collection that the members belong to; empty for others.
    members : tuple of bpy.types.Object
        Meshes, at least one, in the order of the view layer.
    left_out : tuple of LeftOut
    """

    name: str
    owner: str
    members: tuple[bpy.types.Object, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def told(self) -> list[str]:
        """Objects that are left out, with the reasons, for a report."""
        return [f"{out.obj.name} ({out.reason})" for out in self.left_out]


def alone(obj: bpy.types.Object) -> Character:
    """A character of one object, whatever it is."""
    return Character(obj.name, "", (obj,))


def as_character(shape: bpy.types.Object | Character) -> Character:
    """A character as it is, and an object as one of one object."""
    return shape if isinstance(shape, Character) else alone(shape)


def characters_of(
    objects: Iterable[bpy.types.Object], layer: bpy.types.ViewLayer, each: bool = False
) -> list[Character]:
    """Characters that some objects belong to, one of those that share all of their meshes.

    Parameters
    ----------
    objects : iterable of bpy.types.Object
        Meshes, of which those of one character count once; an armature counts for its meshes.
    layer : bpy.types.ViewLayer
        Whose objects may be members.
    each : bool
        Each mesh alone.

    Returns
    -------
    list of Character
        In the order of their first objects.
    """
    found = shapes_of(objects, layer, each)
    by_meshes = {frozenset(obj.data for obj in one.members): one for one in reversed(found)}
    return list(reversed(by_meshes.values()))


def shapes_of(
    objects: Iterable[bpy.types.Object], layer: bpy.types.ViewLayer, each: bool = False
) -> list[Character]:
    """As `characters_of`, with all that share their meshes: classes are on objects."""
    objects, boxes = list(dict.fromkeys(objects)), Boxes()
    belonging, leaving_out = Belonging(layer, objects, boxes), LeavingOut(layer, boxes)
    found: list[Character] = []
    taken: set[bpy.types.Object] = set()
    for obj in objects:
        if each and obj.type == "MESH":
            found.append(alone(obj))
        elif obj not in taken:
            owner, whole = belonging.whole(obj)
            taken |= {obj, *whole}
            character = _character(obj, owner, *leaving_out.sorted_out(whole, obj))
            found += map(alone, character.members) if each else [character]
    return list({one.members: one for one in found}.values())


def _character(
    obj: bpy.types.Object,
    owner: bpy.types.ID | None,
    members: Sequence[bpy.types.Object],
    left_out: Sequence[LeftOut],
) -> Character:
    """The character of an object, which stands for itself where it has no mesh.

    Reading it raises an error with the fix for its type.
    """
    if not members:
        return alone(obj)
    name = members[0].name if len(members) == 1 else _common_name(members, owner)
    title = owner.name if owner is not None else ""
    return Character(name, title, tuple(members), tuple(left_out))


def holders_of(members: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """What the members of a character hang on: its armatures, without one the parents."""
    found: dict[bpy.types.Object, None] = {}
    for obj in members:
        hold = hold_of(obj)
        top = top_armature(hold.rig) if hold else None
        above = hold.rig if hold else obj.parent
        while above is not None:
            found[above] = None
            above = None if above == top else above.parent
    return [obj for obj in found if obj not in members]


def _common_name(members: Sequence[bpy.types.Object], owner: bpy.types.ID | None) -> str:
    """The word that the names of most members begin with, else the name of their owner."""
    first = [re.split(r"[ ._-]", obj.name, maxsplit=1)[0] for obj in members]
    most = max(dict.fromkeys(first), key=first.count)
    if len(most) > 1 and first.count(most) > max(1, _NAMED_ALIKE * len(first)):
        return most
    return owner.name if owner is not None else members[0].name
