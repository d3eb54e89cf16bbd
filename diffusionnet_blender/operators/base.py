"""Bases of all operators: errors become reports, and targets are objects by name or selection."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..errors import DiffusionNetError, NothingToWrite
from ..properties.from_options import properties_of, values_of
from ..scene.character import Character, shapes_of
from ..scene.legend import share_out
from ..scene.options import Grouping
from ..scene.targets import characters_for, named_object, target_meshes
from ..session.trouble import note_trouble, write_report
from ..translations import worded

# Set in tests: unexpected errors are raised instead of reported.
RERAISE = "DIFFUSIONNET_RERAISE"


class ReportingOperator:
    """Turns errors into reports; a subclass does its work in `run(context)`."""

    @classmethod
    def poll(cls, context) -> bool:
        """Subclasses have conditions of their own."""
        return True

    def execute(self, context) -> set[str]:
        """Run, and report errors."""
        return self.reporting(lambda: self.run(context))

    def report_errors(self, errors: Iterable[DiffusionNetError], failed: bool) -> None:
        """Report the errors of single objects as warnings, or raise the first if all `failed`."""
        for error in errors:
            if failed:
                raise error
            self.report({"WARNING"}, str(error))

    def reporting(self, work: Callable[[], set[str]]) -> set[str]:
        """Call a function, and report its errors."""
        try:
            return work()
        except NothingToWrite as error:
            note_trouble(error)
            self.report({"WARNING"}, str(error))
        except DiffusionNetError as error:
            note_trouble(error)
            self.report({"ERROR"}, str(error))
        except Exception as error:
            note_trouble(error)
            if os.environ.get(RERAISE):
                raise
            self.report(
                {"ERROR"},
                f"{type(error).__name__}: {error}. This is a bug in the extension; please report "
                f"it with the file {write_report(self.bl_idname)}",
            )
        return {"CANCELLED"}

    def chosen_options(self, kind: type, panel) -> dict[str, Any]:
        """Values of the options of a dataclass: those set by a script, else those of the panel.

        Parameters
        ----------
        kind : type
        panel : bpy_struct
            Properties of the panel.
        """
        own = values_of(kind, self.properties)
        return {
            **values_of(kind, panel),
            **{name: value for name, value in own.items() if self.is_set(name)},
        }

    def is_set(self, name: str) -> bool:
        """Whether a script has set a property; an empty text counts as not set."""
        return self.properties.is_property_set(name) and getattr(self, name) != ""


class GroupingOperator(ReportingOperator):
    """Takes an object for the character that it belongs to, or alone."""

    __annotations__ = properties_of(Grouping, options={"HIDDEN", "SKIP_SAVE"})

    def each_alone(self, context) -> bool:
        """As a script has set it, else as in the panel."""
        is_set = self.properties.is_property_set("each")
        return self.each if is_set else context.scene.diffusionnet.each


class ObjectOperator(GroupingOperator):
    """Processes meshes: one by name, or the selected ones, or the one picked in the panel.

    Each stands for the character that it belongs to.
    """

    object_name: StringProperty(
        name="Object",
        description="Mesh object to process. Empty: the selected meshes, or the one picked in "
        "the panel",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    # Blender's type for a list of names.
    objects: CollectionProperty(
        type=bpy.types.OperatorFileListElement,
        name="Objects",
        description="Names of several mesh objects to process",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        """The view layer must have a mesh; `targets` finds which."""
        if any(obj and obj.type == "MESH" for obj in context.view_layer.objects):
            return True
        cls.poll_message_set(worded("No mesh in the view layer; add or import one"))
        return False

    def targets(self, context) -> list[bpy.types.Object]:
        """Objects to process.

        Raises
        ------
        DiffusionNetError
            If there is none, or the named one does not exist.
        """
        names = [self.object_name] if self.object_name else [item.name for item in self.objects]
        found = [named_object(context.scene.objects, name) for name in names]
        if None in found:
            raise DiffusionNetError(
                f"There is no object {names[found.index(None)]!r} in the scene",
                "Give the name of a mesh object.",
            )
        return found or target_meshes(context)

    def characters(self, context) -> list[Character]:
        """Characters of the targets; every object alone where `each` is chosen."""
        # Places of what was just made or moved are known with an update only.
        context.view_layer.update()
        return characters_for(context, self.targets(context), self.each_alone(context))

    def shapes(self, context) -> list[Character]:
        """These characters, with those that share their meshes."""
        context.view_layer.update()
        return shapes_of(self.targets(context), context.view_layer, self.each_alone(context))

    def members(self, context) -> list[bpy.types.Object]:
        """Members of these characters, one for each mesh."""
        found: dict[bpy.types.Mesh, bpy.types.Object] = {}
        for character in self.characters(context):
            for obj in character.members:
                found.setdefault(obj.data, obj)
        return list(found.values())

    def share_out(self, context, objects: Iterable[bpy.types.Object]) -> None:
        """Let the legends of each character have the shares of the whole."""
        for members in self.grouped(context, objects):
            share_out([obj.data for obj in members])

    def grouped(self, context, objects: Iterable[bpy.types.Object]) -> list[list[bpy.types.Object]]:
        """Objects by the characters that they belong to."""
        objects = list(objects)
        return [
            [obj for obj in character.members if obj in objects]
            for character in characters_for(context, objects, self.each_alone(context))
        ]
