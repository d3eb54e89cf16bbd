"""What all operators share: errors become one line, and targets are found in one way."""

import os
import platform
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..scene.targets import meshes_to_work_on
from ..session.trouble import note_trouble
from ..settings import settings
from ..translations import worded

# Set in tests: an error that nobody foresaw is raised instead of reported.
RERAISE = "DIFFUSIONNET_RERAISE"


class ReportingOperator:
    """Turns errors into reports; a subclass does its work in `run`."""

    @classmethod
    def poll(cls, context) -> bool:
        """Subclasses have their conditions."""
        return True

    def execute(self, context) -> set[str]:
        """Run, and report what goes wrong."""
        return self.reporting(lambda: self.run(context))

    def reporting(self, work: Callable[[], set[str]]) -> set[str]:
        """Do some work, and report what goes wrong."""
        try:
            return work()
        except DiffusionNetError as error:
            note_trouble(error)
            self.report({"ERROR"}, str(error))
        except Exception as error:
            note_trouble(error)
            if os.environ.get(RERAISE):
                raise
            self.report(
                {"ERROR"},
                f"{type(error).__name__}: {error}. This is a fault of the add-on; please report "
                f"it with the file {write_report(self.bl_idname)}",
            )
        return {"CANCELLED"}

    def chosen(self, kind: type, panel) -> dict[str, Any]:
        """Values of the options of a dataclass: those that a script gives, else the panel's.

        Parameters
        ----------
        kind : type
        panel : bpy_struct
            Properties of the panel.
        """
        given = values_of(kind, self.properties)
        return {
            **values_of(kind, panel),
            **{name: value for name, value in given.items() if self.is_given(name)},
        }

    def is_given(self, name: str) -> bool:
        """Whether a script gives a property; an empty text stands for none."""
        return self.properties.is_property_set(name) and getattr(self, name) != ""


class ObjectOperator(ReportingOperator):
    """Works on meshes: one by name, or the selected ones, or the one picked in the panel."""

    object_name: StringProperty(
        name="Object",
        description="Mesh object to work on. Empty: the selected ones, or if none is selected "
        "the one picked in the panel",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    # The type that Blender has for a list of names.
    objects: CollectionProperty(
        type=bpy.types.OperatorFileListElement,
        name="Objects",
        description="Names of several mesh objects to work on",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        """There must be a mesh at all; which one, only `run` knows."""
        if any(obj and obj.type == "MESH" for obj in context.view_layer.objects):
            return True
        cls.poll_message_set(worded("There is no mesh in the view layer; add or import one"))
        return False

    def targets(self, context) -> list[bpy.types.Object]:
        """The objects to work on, one for each mesh.

        Raises
        ------
        DiffusionNetError
            If there is none, or the one named does not exist.
        """
        names = [self.object_name] if self.object_name else [item.name for item in self.objects]
        found = [context.scene.objects.get(name) for name in names]
        if None in found:
            raise DiffusionNetError(
                f"There is no object {names[found.index(None)]!r} in the scene",
                "Give the name of a mesh object.",
            )
        return found or meshes_to_work_on(context)


def counted(number: int, what: str) -> str:
    """A number and its noun: "1 face", "1,200 faces"."""
    plural = {"mesh": "meshes", "vertex": "vertices"}.get(what, f"{what}s")
    return f"{number:,} {what if number == 1 else plural}"


def write_report(idname: str) -> Path:
    """Write the traceback at hand and what it ran on to a file."""
    folder = settings().report_folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now():%Y-%m-%d_%H-%M-%S}.txt"
    lines = [
        f"Operator: {idname}",
        f"Blender: {bpy.app.version_string} ({bpy.app.build_hash.decode()})",
        f"Python: {sys.version}",
        f"System: {platform.platform()}",
        "",
        traceback.format_exc(),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
