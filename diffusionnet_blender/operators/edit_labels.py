"""Parts changed by hand; every output that was written follows."""

from dataclasses import replace

import bpy
import numpy as np
from bpy.props import FloatVectorProperty, IntProperty, StringProperty

from ..errors import DiffusionNetError
from ..scene.edit_mode import outside_edit_mode
from ..scene.relabel import (
    face_pairs,
    outputs_on,
    read_labels,
    rename_group,
    write_edited,
    write_result,
)
from ..tasks import face_labels
from .base import ObjectOperator, counted


class PartOperator(ObjectOperator):
    """Changes the labels of one object's faces; a subclass gives `change`."""

    bl_options = {"REGISTER", "UNDO"}
    # What happened, for the report.
    done = "changed"

    index: IntProperty(name="Number", description="Number of the part in the legend", min=0)

    def run(self, context):
        """Read, change, write."""
        obj = self.targets(context)[0]
        before = read_labels(obj)
        self.require_part(obj, before)
        with outside_edit_mode(obj.data):
            labels = self.change(obj, before)
        soft = context.scene.diffusionnet.weights == "SOFT"
        count = write_edited(obj, before, labels, soft)
        self.report({"INFO"}, f"{obj.name}: {counted(count, 'face')} {self.done}")
        return {"FINISHED"}

    def require_part(self, obj, before) -> None:
        """Raise DiffusionNetError if the legend has no such part."""
        if self.index >= len(before.class_names):
            raise DiffusionNetError(
                f"{obj.name!r} has no part {self.index}",
                f"It has the parts 0 to {len(before.class_names) - 1}.",
            )


class DIFFUSIONNET_OT_assign_faces(PartOperator, bpy.types.Operator):
    """Make the selected faces part of this part"""

    bl_idname = "diffusionnet.assign_faces"
    bl_label = "Assign Selected Faces"
    done = "assigned"

    def change(self, obj, before):
        """Labels with those of the selected faces replaced."""
        selected = np.empty(len(obj.data.polygons), dtype=bool)
        obj.data.polygons.foreach_get("select", selected)
        if not selected.any():
            raise DiffusionNetError("No face is selected", "Select faces in Edit Mode.")
        return np.where(selected, self.index, before.polygon_labels)


class DIFFUSIONNET_OT_grow_part(PartOperator, bpy.types.Operator):
    """Let this part take the faces around it"""

    bl_idname = "diffusionnet.grow_part"
    bl_label = "Grow"

    def change(self, obj, before):
        """Labels of the grown part."""
        return face_labels.grow(before.polygon_labels, face_pairs(obj.data), self.index)


class DIFFUSIONNET_OT_shrink_part(PartOperator, bpy.types.Operator):
    """Give the faces at the border of this part to its neighbours"""

    bl_idname = "diffusionnet.shrink_part"
    bl_label = "Shrink"

    def change(self, obj, before):
        """Labels of the shrunk part."""
        count = len(before.class_names)
        return face_labels.shrink(before.polygon_labels, face_pairs(obj.data), self.index, count)


class DIFFUSIONNET_OT_merge_parts(PartOperator, bpy.types.Operator):
    """Give all faces of this part to another one"""

    bl_idname = "diffusionnet.merge_parts"
    bl_label = "Merge Into"
    done = "merged"

    into: StringProperty(name="Into", description="Name of the part that takes the faces")

    def invoke(self, context, event):
        """Ask which."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        """Offer the parts."""
        mesh = self.targets(context)[0].data
        self.layout.prop_search(self, "into", mesh.diffusionnet, "parts")

    def change(self, obj, before):
        """Labels with this part's replaced."""
        if self.into not in before.class_names:
            raise DiffusionNetError(
                f"{obj.name!r} has no part {self.into!r}",
                f"Its parts are {', '.join(before.class_names)}.",
            )
        labels = before.polygon_labels
        return np.where(labels == self.index, before.class_names.index(self.into), labels)


class DIFFUSIONNET_OT_smooth_parts(PartOperator, bpy.types.Operator):
    """Straighten the borders between parts: faces go with most of their neighbours"""

    bl_idname = "diffusionnet.smooth_parts"
    bl_label = "Smooth Borders"

    iterations: IntProperty(name="Iterations", default=3, min=1, max=100)

    def change(self, obj, before):
        """Labels with smooth borders."""
        count = len(before.class_names)
        pairs = face_pairs(obj.data)
        return face_labels.smooth(before.polygon_labels, pairs, count, self.iterations)


class DIFFUSIONNET_OT_edit_part(PartOperator, bpy.types.Operator):
    """Give this part another name and color, in every output that is written"""

    bl_idname = "diffusionnet.edit_part"
    bl_label = "Name and Color"

    name: StringProperty(name="Name")
    colour: FloatVectorProperty(name="Color", subtype="COLOR_GAMMA", min=0.0, max=1.0)

    def invoke(self, context, event):
        """Ask, beginning with what they are."""
        part = self.targets(context)[0].data.diffusionnet.parts[self.index]
        self.name, self.colour = part.name, part.colour
        return context.window_manager.invoke_props_dialog(self)

    def run(self, context):
        """Write the labels with the new name and colour."""
        obj = self.targets(context)[0]
        before = read_labels(obj)
        self.require_part(obj, before)
        names, colours = list(before.class_names), before.class_colours.copy()
        if self.properties.is_property_set("name"):
            names[self.index] = self.name.strip()
        if self.properties.is_property_set("colour"):
            colours[self.index] = self.colour
        if not names[self.index] or len(set(names)) < len(names):
            raise DiffusionNetError(
                f"A part cannot be called {names[self.index]!r}",
                "Give a name that no other part has; to join two parts, merge them.",
            )
        result = replace(before, class_names=tuple(names), class_colours=colours)
        with outside_edit_mode(obj.data):
            outputs = outputs_on(obj, before, context.scene.diffusionnet.weights == "SOFT")
        rename_group(obj, obj.data.diffusionnet.parts[self.index], names[self.index])
        write_result(obj, result, outputs)
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_assign_faces,
    DIFFUSIONNET_OT_grow_part,
    DIFFUSIONNET_OT_shrink_part,
    DIFFUSIONNET_OT_merge_parts,
    DIFFUSIONNET_OT_smooth_parts,
    DIFFUSIONNET_OT_edit_part,
)
