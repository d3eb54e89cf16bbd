"""Classes of whole objects: read from collections or properties, written as properties."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ..errors import DiffusionNetError
from .character import Character, holders_of
from .fingerprint import CONTENT
from .transaction import transaction

CLASS_PROPERTY = "diffusionnet_class"
PROBABILITY_PROPERTY = "diffusionnet_probability"
SORTED = "Classes"
# Marks the collections that objects were sorted into; its value is the class.
MARK = "diffusionnet_class"


def find_collection(name: str) -> bpy.types.Collection:
    """A collection of the open file.

    Raises
    ------
    DiffusionNetError
        If it has none of that name.
    """
    found = bpy.data.collections.get(name)
    if found is None:
        existing = ", ".join(sorted(bpy.data.collections.keys())) or "none"
        raise DiffusionNetError(
            f"There is no collection {name!r} in the file",
            f"Use one of its collections: {existing}.",
        )
    return found


def class_by_collection(obj: bpy.types.Object, root: bpy.types.Collection | None) -> str:
    """Name of the collection that an object is in, below another; "" if it is in none.

    Parameters
    ----------
    obj : bpy.types.Object
    root : bpy.types.Collection, optional
        The collections in it are the classes. Without: the object's own collection is.
    """
    if root is None:
        return obj.users_collection[0].name if obj.users_collection else ""
    return next((c.name for c in root.children if obj in c.all_objects[:]), "")


def class_of_character(character: Character, class_of: Callable[[bpy.types.Object], str]) -> str:
    """The class that members of a character have, or what holds them; "" without any.

    Parameters
    ----------
    character : Character
    class_of : callable
        Gives the class of an object, "" for none.

    Raises
    ------
    DiffusionNetError
        If members are of different classes.
    """
    for objects in (character.members, holders_of(character.members)):
        found = {name: obj for obj in reversed(objects) if (name := class_of(obj))}
        if len(found) > 1:
            (one, its), (other, theirs) = list(found.items())[:2]
            raise DiffusionNetError(
                f"{character.name!r} has the class {one!r} ({its.name}) and {other!r} "
                f"({theirs.name})",
                "Give all of its objects the same, or choose Each Object Alone.",
            )
        if found:
            return next(iter(found))
    return ""


def class_by_property(obj: bpy.types.Object, name: str) -> str:
    """Value of a custom property of an object as text; "" if it has none."""
    value = obj.get(name, "")
    return value if isinstance(value, str) else str(value)


def write_class_of_character(
    character: Character, class_name: str, probability: float, sort_in: bpy.types.Scene | None
) -> list[DiffusionNetError]:
    """Write the class of a character to all of its members, and sort them with what holds them.

    Parameters
    ----------
    character : Character
    class_name : str
    probability : float
    sort_in : bpy.types.Scene, optional
        Whose collections the members and their armatures or parents are linked to, see
        `sort_object`.

    Returns
    -------
    list of DiffusionNetError
        Of members that were not written to.

    Raises
    ------
    DiffusionNetError
        If none was: that of the first.
    """
    written, errors = [], []
    holders = holders_of(character.members)
    with transaction(*character.members, *holders):
        for obj in character.members:
            try:
                write_class(obj, class_name, probability)
            except DiffusionNetError as error:
                errors.append(error)
            else:
                written.append(obj)
        if not written:
            raise errors[0]
        if sort_in is not None:
            for obj in (*written, *holders):
                sort_object(sort_in, obj, class_name)
    return errors


def write_class(obj: bpy.types.Object, class_name: str, probability: float) -> None:
    """Write the class of an object and its probability as custom properties.

    Raises
    ------
    DiffusionNetError
        If the object cannot be written to, or has a class that was set by hand.
    """
    if obj.library or obj.override_library:
        how = "linked" if obj.library else "overridden"
        raise DiffusionNetError(
            f"{obj.name!r} is {how} from another file, and cannot hold new properties",
            "Use Object > Relations > Make Local > Selected Objects.",
        )
    if CLASS_PROPERTY in obj and obj.get(CONTENT) != obj[CLASS_PROPERTY]:
        raise DiffusionNetError(
            f"{obj.name!r} has the class {class_by_property(obj, CLASS_PROPERTY)!r}, which was set "
            "by hand and stays",
            f"Remove its custom property {CLASS_PROPERTY} to have it classified again.",
        )
    obj[CLASS_PROPERTY] = obj[CONTENT] = class_name
    obj[PROBABILITY_PROPERTY] = float(probability)
    obj.id_properties_ui(PROBABILITY_PROPERTY).update(min=0.0, max=1.0, description="Probability")


def sort_object(scene: bpy.types.Scene, obj: bpy.types.Object, class_name: str) -> None:
    """Link an object into the collection of its class; it stays in those that it is in.

    Parameters
    ----------
    scene : bpy.types.Scene
        Its collection "Classes" holds one collection a class, both made where they are missing.
    obj : bpy.types.Object
        Leaves the collection of another class that it was sorted into before.
    class_name : str
    """
    root = _own_collection(scene.collection, SORTED, SORTED)
    target = _own_collection(root, class_name, class_name)
    for collection in root.children:
        if MARK in collection and collection != target and obj in collection.objects[:]:
            if len(obj.users_collection) > 1:
                collection.objects.unlink(obj)
    if obj not in target.objects[:]:
        target.objects.link(obj)


def _own_collection(parent: bpy.types.Collection, name: str, mark: str) -> bpy.types.Collection:
    found = next((c for c in parent.children if c.get(MARK) == mark), None)
    if found is None:
        found = bpy.data.collections.new(name)
        found[MARK] = mark
        parent.children.link(found)
    return found
