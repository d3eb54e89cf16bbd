"""Corrections of parts: their faces, and whether they are shown."""

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

from ..scene import edit
from ..scene.parts import part_name
from ..scene.report_text import counted, counted_elements
from .part import PartOperator


class DIFFUSIONNET_OT_assign_part(PartOperator, bpy.types.Operator):
    """Assign the selected faces and their vertices to this part"""

    bl_idname = "diffusionnet.assign_part"
    bl_label = "Assign"

    def concerns(self, obj):
        """Objects without a selection are none of the artist's choice."""
        return edit.has_selection(obj)

    def correct(self, obj, part):
        """Assign the selection of an object."""
        count = edit.assign_selected(obj, part)
        return count, f"{part_name(obj, part)}: {counted_elements(obj, count)} assigned"


class RingOperator(PartOperator):
    """Moves the border of a part by rings of faces."""

    steps: IntProperty(
        name="Steps", description="Number of rings of faces", min=1, default=1, soft_max=20
    )


class DIFFUSIONNET_OT_grow_part(RingOperator, bpy.types.Operator):
    """Extend this part by the faces along its border"""

    bl_idname = "diffusionnet.grow_part"
    bl_label = "Grow"

    def correct(self, obj, part):
        """Grow a part."""
        count = edit.grow_part(obj, part, self.steps)
        return count, f"{part_name(obj, part)}: {counted_elements(obj, count)} added"


class DIFFUSIONNET_OT_shrink_part(RingOperator, bpy.types.Operator):
    """Assign the faces along the border of this part to its neighbors"""

    bl_idname = "diffusionnet.shrink_part"
    bl_label = "Shrink"

    def correct(self, obj, part):
        """Shrink a part."""
        count = edit.shrink_part(obj, part, self.steps)
        return count, f"{part_name(obj, part)}: {counted_elements(obj, count)} removed"


class DIFFUSIONNET_OT_smooth_parts(PartOperator, bpy.types.Operator):
    """Straighten the borders between parts, and remove small islands"""

    bl_idname = "diffusionnet.smooth_parts"
    bl_label = "Smooth Borders"

    steps: IntProperty(
        name="Smoothing",
        description="Number of smoothing steps. 0: borders stay in place",
        min=0,
        default=4,
        soft_max=10,
    )
    islands: FloatProperty(
        name="Islands",
        description="Islands smaller than this fraction of the largest island of their part join "
        "the surrounding parts. Loose parts of the mesh stay",
        subtype="FACTOR",
        min=0,
        max=1,
        default=0.1,
    )
    all_parts: BoolProperty(
        name="All Parts",
        description="Smooth the borders of all parts. Off: of the active part only",
        default=True,
    )

    def correct(self, obj, part):
        """Smooth the borders of an object."""
        only = None if self.all_parts else part
        count = edit.smooth_parts(obj, self.steps, self.islands, only)
        return count, f"{obj.name}: {counted_elements(obj, count)} changed"


class DIFFUSIONNET_OT_mask_part(PartOperator, bpy.types.Operator):
    """Hide or show this part with a Mask modifier. Ctrl: show only this part, or all parts"""

    bl_idname = "diffusionnet.mask_part"
    bl_label = "Mask Part"

    isolate: BoolProperty(
        name="Alone",
        description="Show only this part. If it is the only one shown, show all parts",
    )

    def run(self, context):
        """Mask a part of each target."""
        self._hidden = None
        return super().run(context)

    def invoke(self, context, event):
        """Ctrl isolates, as in the Outliner."""
        self.isolate = event.ctrl
        return self.execute(context)

    def correct(self, obj, part):
        """Mask a part, on all members of a character as on the first."""
        if self._hidden is None:
            after = edit.isolated if self.isolate else edit.toggled
            self._hidden = after(obj, part)
        count = edit.hide_parts(obj, self._hidden)
        return count, f"{obj.name}: {counted(count, 'part')} shown"


CLASSES = (
    DIFFUSIONNET_OT_assign_part,
    DIFFUSIONNET_OT_grow_part,
    DIFFUSIONNET_OT_shrink_part,
    DIFFUSIONNET_OT_smooth_parts,
    DIFFUSIONNET_OT_mask_part,
)
