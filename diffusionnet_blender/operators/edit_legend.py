"""Corrections of the list of parts: merged, added, renamed, recolored, sides swapped."""

import bpy
from bpy.props import FloatVectorProperty, StringProperty

from ..scene import edit
from ..scene.parts import part_name, part_number, segmented_objects
from ..scene.report_text import counted, counted_elements
from .part import PartOperator


class DIFFUSIONNET_OT_merge_parts(PartOperator, bpy.types.Operator):
    """Merge this part into another one."""

    bl_description = (
        "Merge this part into another one. Its vertex group and material slot are removed, and "
        "the following parts in the list move up"
    )

    bl_idname = "diffusionnet.merge_parts"
    bl_label = "Merge Into"

    into: StringProperty(name="Into", description="Part that receives the faces")

    def invoke(self, context, event):
        """Open a dialog."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        """Draw a search field with the parts."""
        self.layout.use_property_split = True
        obj = self.targets(context)[0]
        self.layout.prop_search(self, "into", obj.data.diffusionnet, "parts")

    def correct(self, obj, part):
        """Merge two parts."""
        name = part_name(obj, part)
        edit.merge_parts(obj, part, part_number(obj, self.into, len(obj.data.diffusionnet.parts)))
        return 1, f"{obj.name}: {name} merged into {self.into}"


class DIFFUSIONNET_OT_add_part(PartOperator, bpy.types.Operator):
    """Add a part, and assign the faces selected in Edit Mode to it"""

    bl_idname = "diffusionnet.add_part"
    bl_label = "Add Part"

    name: StringProperty(name="Name", description="Name of the new part", default="part")

    def correct(self, obj, part):
        """Add a part."""
        in_edit_mode = obj.data.is_editmode
        number = edit.add_part(obj, self.name.strip() or "part")
        count = 0
        if in_edit_mode and edit.has_selection(obj):
            count = edit.assign_selected(obj, number)
        added = f"{part_name(obj, number)} added with {counted_elements(obj, count)}"
        return count, f"{obj.name}: {added}"


class DIFFUSIONNET_OT_rename_part(PartOperator, bpy.types.Operator):
    """Rename this part with its vertex group and material"""

    bl_idname = "diffusionnet.rename_part"
    bl_label = "Rename Part"

    name: StringProperty(name="Name", description="New name of the part")

    def invoke(self, context, event):
        """Open a dialog with the current name."""
        obj = segmented_objects(self.targets(context))[0]
        self.name = part_name(obj, part_number(obj, self.part, self.index))
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        """Draw the dialog."""
        self.layout.use_property_split = True
        self.layout.prop(self, "name")

    def correct(self, obj, part):
        """Rename a part."""
        before = part_name(obj, part)
        return 1, f"{obj.name}: {before} is now {edit.rename_part(obj, part, self.name)}"


class DIFFUSIONNET_OT_recolor_part(PartOperator, bpy.types.Operator):
    """Change the color of this part in all outputs"""

    bl_idname = "diffusionnet.recolor_part"
    bl_label = "Recolor Part"

    color: FloatVectorProperty(
        name="Color", description="New color of the part", subtype="COLOR_GAMMA", min=0.0, max=1.0
    )

    def correct(self, obj, part):
        """Recolor a part."""
        edit.require_writable(obj)
        edit.recolour_part(obj, part, self.color)
        return 1, f"{obj.name}: {part_name(obj, part)} recolored"


class DIFFUSIONNET_OT_swap_sides(PartOperator, bpy.types.Operator):
    """Swap left and right parts."""

    bl_description = (
        "Swap all left and right parts (.L and .R), for a character whose sides were mistaken, or "
        "that was mirrored or turned inside out"
    )

    bl_idname = "diffusionnet.swap_sides"
    bl_label = "Swap Sides"

    def correct(self, obj, part):
        """Swap the sides of an object."""
        return 1, f"{obj.name}: {counted(edit.swap_sides(obj), 'pair')} of parts swapped"


CLASSES = (
    DIFFUSIONNET_OT_merge_parts,
    DIFFUSIONNET_OT_add_part,
    DIFFUSIONNET_OT_rename_part,
    DIFFUSIONNET_OT_recolor_part,
    DIFFUSIONNET_OT_swap_sides,
)
