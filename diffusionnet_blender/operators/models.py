"""Models imported into the library, renamed and removed."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..properties.from_options import properties_of, values_of
from ..properties.model_lists import reload_models
from ..scene.jobs import OneJob
from ..settings import settings
from ..tasks.import_model import job as import_job
from ..tasks.models import remove_model, rename_model
from ..translations import worded
from .background import JobOperator
from .base import ReportingOperator


class DIFFUSIONNET_OT_reload_models(ReportingOperator, bpy.types.Operator):
    """Read the model library again, for example after files were added to it"""

    bl_idname = "diffusionnet.reload_models"
    bl_label = "Reload Models"

    def run(self, context):
        """Read the library."""
        reload_models()
        return {"FINISHED"}


class ImportProperties:
    """Options of an import."""

    __annotations__ = properties_of(import_job.ImportRequest)


class DIFFUSIONNET_OT_import_model(ImportProperties, JobOperator, bpy.types.Operator):
    """Copy a model into the library."""

    bl_idname = "diffusionnet.import_model"
    bl_label = "Import Model"
    bl_description = (
        "Copy a model (.safetensors with its .json card) or published weights (.pth, converted "
        "by PyTorch) into the library"
    )

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default="*.safetensors;*.pth;*.pt", options={"HIDDEN"})
    card: StringProperty(
        name="Card",
        description="JSON file with part names, colors and input features of a .pth file. "
        "Empty: parts are numbered, and features are derived from the weights",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context, event):
        """Open the file browser, unless a file is set."""
        if self.filepath:
            return super().invoke(context, event)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        """Begin after the choice of a file; without a window, import at once."""
        if bpy.app.background or context.window is None:
            return super().execute(context)
        return self.reporting(lambda: self._begin(context))

    def draw(self, context):
        """Draw the options in the file browser."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "card")
        row = layout.row()
        row.active = not self.card
        row.prop(self, "output_at")

    def jobs(self, context) -> OneJob:
        """One job, in the worker, which has PyTorch if any process has."""
        request = import_job.ImportRequest(
            file=Path(bpy.path.abspath(self.filepath)),
            folder=settings().model_folder,
            card=Path(bpy.path.abspath(self.card)) if self.card else None,
            **values_of(import_job.ImportRequest, self),
        )
        text = worded("Importing {name}", name=request.file.name)
        return OneJob(import_job, text, request)

    def finish(self, context, run):
        """Choose the model in the list."""
        name = run.result.name
        reload_models()
        context.scene.diffusionnet.model = name
        self.report({"INFO"}, f"{name} added to the library")
        return {"FINISHED"}


class LibraryOperator(ReportingOperator):
    """Changes one of the user's models."""

    model: StringProperty(
        name="Model",
        description="Name of one of your own models in the library",
        options={"HIDDEN", "SKIP_SAVE"},
    )


class DIFFUSIONNET_OT_rename_model(LibraryOperator, bpy.types.Operator):
    """Rename one of your own models"""

    bl_idname = "diffusionnet.rename_model"
    bl_label = "Rename Model"

    new_name: StringProperty(
        name="Name", description="Name of the model's files, used in scripts. Empty: unchanged"
    )
    title: StringProperty(
        name="Title", description="Title in lists of models. Empty: same as the name"
    )

    def invoke(self, context, event):
        """Open a dialog."""
        return context.window_manager.invoke_props_dialog(self)

    def run(self, context):
        """Rename the model, also in the scenes of this file that use it."""
        name = self.new_name.strip() or self.model
        folder = settings().model_folder
        rename_model(self.model, folder, name, self.title.strip() or name)
        for scene in bpy.data.scenes:
            if scene.diffusionnet.model_name == self.model:
                scene.diffusionnet.model_name = name
        reload_models()
        return {"FINISHED"}


class DIFFUSIONNET_OT_remove_model(LibraryOperator, bpy.types.Operator):
    """Delete one of your own models from the library. This cannot be undone"""

    bl_idname = "diffusionnet.remove_model"
    bl_label = "Remove Model"

    def invoke(self, context, event):
        """Ask for confirmation."""
        return context.window_manager.invoke_confirm(self, event)

    def run(self, context):
        """Delete the files of the model."""
        remove_model(self.model, settings().model_folder)
        reload_models()
        self.report({"INFO"}, f"{self.model} deleted")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_reload_models,
    DIFFUSIONNET_OT_import_model,
    DIFFUSIONNET_OT_rename_model,
    DIFFUSIONNET_OT_remove_model,
)
