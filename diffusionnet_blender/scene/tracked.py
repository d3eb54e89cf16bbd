"""References to objects that survive undo, and detect deleted or edited objects."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..errors import DiffusionNetError
from .character import Character
from .read import topology_of


@dataclass(frozen=True)
class Tracked:
    """Reference to an object by session identifiers, which undo keeps.

    Attributes
    ----------
    name : str
        As it was.
    object_uid, mesh_uid : int
        Session identifiers of the object and its data.
    """

    name: str
    object_uid: int
    mesh_uid: int

    @classmethod
    def of(cls, obj: bpy.types.Object) -> Tracked:
        """Reference to an object."""
        return cls(obj.name, obj.session_uid, obj.data.session_uid if obj.data else 0)

    def find(self) -> bpy.types.Object:
        """The object, under any name.

        Raises
        ------
        DiffusionNetError
            If it is gone, or has another mesh now.
        """
        obj = next((o for o in bpy.data.objects if o.session_uid == self.object_uid), None)
        if obj is None:
            raise DiffusionNetError(
                f"{self.name!r} was deleted during the run", "Nothing was written for it."
            )
        if obj.data and obj.data.session_uid != self.mesh_uid:
            raise DiffusionNetError(
                f"{obj.name!r} has a different mesh now", "Run again on the new mesh."
            )
        return obj

    def find_unchanged(self, topology: str) -> bpy.types.Object:
        """The object, if its mesh still has the vertices and faces that were read.

        Raises
        ------
        DiffusionNetError
            If it is gone or was edited.
        """
        obj = self.find()
        if obj.data.is_editmode:
            obj.update_from_editmode()
        if topology_of(obj.data) != topology:
            raise DiffusionNetError(
                f"{obj.name!r} was edited while it was being segmented, so nothing was written",
                "Segment it again.",
            )
        return obj

    def find_mesh(self) -> bpy.types.Mesh | None:
        """The object's mesh, also where the object is gone."""
        return next((m for m in bpy.data.meshes if m.session_uid == self.mesh_uid), None)


@dataclass(frozen=True)
class TrackedCharacter:
    """References to the members of a character.

    Attributes
    ----------
    name : str
    members : tuple of Tracked
    """

    name: str
    members: tuple[Tracked, ...]

    @classmethod
    def of(cls, character: Character) -> TrackedCharacter:
        """References to its members."""
        return cls(character.name, tuple(map(Tracked.of, character.members)))

    def find(self) -> Character:
        """The character, of the members that still exist.

        Raises
        ------
        DiffusionNetError
            If none does: that of the first.
        """
        found, errors = [], []
        for member in self.members:
            try:
                found.append(member.find())
            except DiffusionNetError as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return Character(self.name, "", tuple(found))

    def find_whole(self) -> Character:
        """The character with all members.

        Raises
        ------
        DiffusionNetError
            If one is gone.
        """
        return Character(self.name, "", tuple(member.find() for member in self.members))
