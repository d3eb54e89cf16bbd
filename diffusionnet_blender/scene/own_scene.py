"""A scene of its own, for copies of objects: nothing of the user's notices it."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, TypeVar

import bpy
import numpy as np
from mathutils import Matrix

Made = TypeVar("Made", bound=bpy.types.ID)


class Temporary:
    """Context with whose end data-blocks are removed that were made in it."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, bpy.types.ID]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for collection, made in reversed(self._made):
            # What Blender has removed with another one is no longer there.
            with contextlib.suppress(ReferenceError):
                collection.remove(made)
        self._made.clear()

    def keep(self, collection: Any, made: Made) -> Made:
        """Let a data-block of a collection of `bpy.data` end with the context."""
        self._made.append((collection, made))
        return made


class OwnScene(Temporary):
    """Context with a scene, at the frame of the user's, for copies of objects.

    Parameters
    ----------
    name : str

    Attributes
    ----------
    scene : bpy.types.Scene
    layer : bpy.types.ViewLayer
        Its `update` writes the keyed values of whatever it evaluates over those without keys:
        nothing that is the user's may depend on it then.
    """

    def __init__(self, name: str):
        super().__init__()
        here = bpy.context.scene
        self.scene = self.keep(bpy.data.scenes, bpy.data.scenes.new(name))
        self.scene.frame_current = here.frame_current
        self.scene.frame_subframe = here.frame_subframe
        self.layer = self.scene.view_layers[0]

    def copied(self, obj: bpy.types.Object, place: np.ndarray | None = None) -> bpy.types.Object:
        """A copy of an object with a copy of its mesh, without what animates or moves it.

        Modifiers stay, and shape keys with the values of now. It is not linked to the scene yet.

        Parameters
        ----------
        obj : bpy.types.Object
            A mesh; it may be linked.
        place : (4, 4) float, optional
            Transform to the world; by default that of the object.
        """
        mesh = self.keep(bpy.data.meshes, obj.data.copy())
        copy = self.keep(bpy.data.objects, obj.copy())
        copy.data = mesh
        for block in (copy, mesh, mesh.shape_keys):
            if block is not None:
                block.animation_data_clear()
        copy.constraints.clear()
        to_world = obj.matrix_world.copy() if place is None else Matrix(place)
        copy.parent = None
        copy.matrix_world = to_world
        copy.instance_type = "NONE"
        copy.hide_render = copy.hide_viewport = copy.hide_select = False
        return copy


class InOwnScene(ABC):
    """Context of work in a scene of its own, which goes at its end and if it cannot be set up."""

    name: ClassVar[str]

    def __enter__(self) -> Self:
        self._own = OwnScene(self.name)
        try:
            self._set_up(self._own)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._own.__exit__()

    @abstractmethod
    def _set_up(self, own: OwnScene) -> None:
        """Put into the scene what the work needs."""


def remove_keys(obj: bpy.types.Object) -> None:
    """Remove the shape keys of a copy: `shape_key_clear` would leave them in the file."""
    if obj.data.shape_keys:
        bpy.data.batch_remove([obj.data.shape_keys])
