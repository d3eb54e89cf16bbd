"""Rigging: joints found in the worker, a skeleton, and the meshes bound to it."""

from time import perf_counter

import bpy
from bpy.props import BoolProperty

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..properties.model_lists import rig_model
from ..properties.rig import BindingProperties, BonesProperties, draw_binding, draw_bones
from ..scene.armatures import armatures_of
from ..scene.binding import bind, require_unbound
from ..scene.edit_mode import whole_undo
from ..scene.fits import Fit, fit_with
from ..scene.joints import snap_joints
from ..scene.options import Binding
from ..scene.report_text import counted, listed
from ..scene.rig_check import write_check
from ..scene.rig_jobs import RigJobs
from ..scene.skeletons import figure_of, write_skeleton
from ..session.trouble import forget_trouble
from ..settings import settings
from ..tasks.rig.kinds import kind_for
from ..tasks.rig.request import Bones
from .background import JobOperator
from .base import ObjectOperator


class FigureOperator(ObjectOperator):
    """Processes characters; a skeleton stands for the character that it was made for."""

    def targets(self, context) -> list[bpy.types.Object]:
        """Meshes, those of skeletons among them."""
        found = [figure_of(obj) or obj for obj in super().targets(context)]
        return list(dict.fromkeys(found))

    def fits(self, context) -> list[Fit]:
        """Joints of the characters.

        Raises
        ------
        DiffusionNetError
            If those of one are not known in this session.
        """
        found: dict[int, Fit] = {}
        for obj in self.targets(context):
            fit = self.fit_of(obj)
            found[id(fit)] = fit
        return list(found.values())

    @staticmethod
    def fit_of(obj: bpy.types.Object) -> Fit:
        """Joints of the character of a mesh; raise DiffusionNetError where they are not known."""
        fit = fit_with(obj)
        if fit is None:
            raise DiffusionNetError(
                f"The joints of {obj.name!r} have not been found in this session",
                "Press Fit Skeleton. A skeleton that you have changed stays, and is bound "
                "while it is selected.",
            )
        return fit


class DIFFUSIONNET_OT_rig(BonesProperties, JobOperator, FigureOperator, bpy.types.Operator):
    """Find the joints of the character, make a skeleton, and bind the meshes to it"""

    bl_idname = "diffusionnet.rig"
    bl_label = "Rig"
    # It ends with `write_skeleton` and `bind_skeleton`, an undo step each.
    bl_options = set()

    bind: BoolProperty(
        name="Bind",
        description="Bind the meshes at once. Off: the skeleton can be dragged into place first",
        default=True,
        options={"SKIP_SAVE"},
    )

    def jobs(self, context) -> RigJobs:
        """One job for each character."""
        self._start = perf_counter()
        preferences = settings()
        animals = rig_model(context)
        bones = self.chosen_options(Bones, context.scene.diffusionnet.rig)
        # Before anything is computed.
        kind_for(bones["kind"], animals is not None)
        characters = self.characters(context)
        self._left_out = [out for character in characters for out in character.told]
        for character in characters:
            require_unbound(character)
        model = {} if animals is None else {"model": animals.name}
        return RigJobs(characters, cache=preferences.cache, **model, **preferences.compute)

    def finish(self, context, run):
        """Make the skeletons, and bind."""
        fits = list(run.jobs.fits.values())
        if not fits:
            raise run.failed[0]
        names = [{"name": fit.members()[0].name_full} for fit in fits]
        bones = self.chosen_options(Bones, context.scene.diffusionnet.rig)
        self._call(bpy.ops.diffusionnet.write_skeleton, names, **bones)
        if self.bind:
            binding = values_of(Binding, context.scene.diffusionnet.rig)
            self._call(bpy.ops.diffusionnet.bind_skeleton, names, **binding)
        self.report_errors(run.failed, failed=False)
        seconds = perf_counter() - self._start
        for fit in fits:
            text = f"{fit.name}: {'rigged' if self.bind else 'skeleton fitted'} in {seconds:.1f} s"
            if self._left_out:
                text += f" (left out: {listed(self._left_out)})"
            self.report({"INFO"}, text)
            if fit.fitted.doubts:
                self.report(
                    {"WARNING"},
                    f"{fit.name}: look at {', '.join(fit.fitted.doubts)}; drag the bones into "
                    "place, and bind again",
                )
        return {"FINISHED"}

    def _call(self, operator, names, **options) -> None:
        try:
            operator("EXEC_DEFAULT", True, objects=names, **options)
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error


class DIFFUSIONNET_OT_write_skeleton(BonesProperties, FigureOperator, bpy.types.Operator):
    """Make a skeleton of another kind at the joints that were found"""

    bl_idname = "diffusionnet.write_skeleton"
    bl_label = "Write Skeleton"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Make the armature of each character."""
        forget_trouble()
        fits = self.fits(context)
        chosen = self.chosen_options(Bones, context.scene.diffusionnet.rig)
        for name, value in chosen.items():
            setattr(self, name, value)
        for fit in fits:
            with whole_undo(fit.members()):
                rig = write_skeleton(fit, Bones(**chosen))
            self.report({"INFO"}, f"{fit.name}: {counted(len(rig.data.bones), 'bone')}")
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        draw_bones(self.layout, self)


class DIFFUSIONNET_OT_snap_joints(FigureOperator, bpy.types.Operator):
    """Move selected joints to the middle of the limb around each; with X-mirror on both sides"""

    bl_idname = "diffusionnet.snap_joints"
    bl_label = "Snap to Middle"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Move the joints of the skeleton that is edited."""
        forget_trouble()
        rig = context.view_layer.objects.active
        figure = figure_of(rig) if rig else None
        if figure is None or rig.mode != "EDIT":
            raise DiffusionNetError(
                "No skeleton is being edited",
                "Select one that Fit Skeleton has made, and press Tab to edit its bones.",
            )
        moved, left = snap_joints(rig, self.fit_of(figure))
        self.report({"INFO"}, f"{rig.name}: {counted(moved, 'joint')} moved")
        if left:
            self.report({"WARNING"}, f"{counted(left, 'joint')} without a limb around")
        return {"FINISHED"} if moved else {"CANCELLED"}


class DIFFUSIONNET_OT_bind_skeleton(BindingProperties, FigureOperator, bpy.types.Operator):
    """Bind the meshes to the skeleton as it lies now, with weights from the parts of the body"""

    bl_idname = "diffusionnet.bind_skeleton"
    bl_label = "Bind"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Bind each character."""
        forget_trouble()
        start = perf_counter()
        chosen = self.chosen_options(Binding, context.scene.diffusionnet.rig)
        for name, value in chosen.items():
            setattr(self, name, value)
        for fit in self.fits(context):
            with whole_undo(fit.members()):
                rig = bind(fit, Binding(**chosen))
            seconds = perf_counter() - start
            self.report({"INFO"}, f"{fit.name}: bound to {rig.name} in {seconds:.1f} s")
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        draw_binding(self.layout, self, "")


class DIFFUSIONNET_OT_check_rig(FigureOperator, bpy.types.Operator):
    """Write a short animation that raises the arms, bends elbows and knees, and turns the head"""

    bl_idname = "diffusionnet.check_rig"
    bl_label = "Check Rig"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Animate the rig of each character."""
        active = context.view_layer.objects.active
        if active is not None and active.type == "ARMATURE":
            rigs = [active]
        else:
            members = [obj for one in self.characters(context) for obj in one.members]
            rigs = list(dict.fromkeys(rig for obj in members for rig in armatures_of(obj)))
        if not rigs:
            raise DiffusionNetError("The character has no rig", "Press Rig first.")
        for rig in rigs:
            poses = write_check(rig)
            self.report({"INFO"}, f"{rig.name}: {', '.join(poses[1:-1])}")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_rig,
    DIFFUSIONNET_OT_write_skeleton,
    DIFFUSIONNET_OT_snap_joints,
    DIFFUSIONNET_OT_bind_skeleton,
    DIFFUSIONNET_OT_check_rig,
)
