"""Parts corrected by hand; every output that was written follows."""

import bpy
from bpy.props import BoolProperty, FloatProperty, FloatVectorProperty, IntProperty, StringProperty

from ..errors import DiffusionNetError
from ..scene import edit
from ..scene.edit_mode import whole_undo
from ..scene.targets import has_parts
from ..translations import worded
from .base import ObjectOperator, counted

# The part that is highlighted in the legend.
ACTIVE = -1


class PartOperator(ObjectOperator):
    """Corrects one part of each target; a subclass does so in `correct`."""

    bl_options = {"REGISTER", "UNDO"}

    part: StringProperty(name="Part", description="Name of the part; takes the place of its number")
    index: IntProperty(
        name="Number",
        description="Number of the part in the legend; -1: the one that is highlighted there",
        min=ACTIVE,
        default=ACTIVE,
    )

    @classmethod
    def poll(cls, context) -> bool:
        """Something must have parts; whether it is the target, only `run` knows."""
        if not super().poll(context):
            return False
        if not has_parts(context):
            cls.poll_message_set(worded("No mesh has parts yet; segment one"))
            return False
        return True

    def run(self, context):
        """Correct each target, and report on all in one line."""
        targets = segmented(self.targets(context))
        numbers = [number_of(obj, self.part, self.index) for obj in targets]
        lines, failed = [], []
        with whole_undo(targets):
            for obj, number in zip(targets, numbers, strict=True):
                try:
                    lines.append(self.correct(obj, number))
                except DiffusionNetError as error:
                    failed.append(error)
        if not lines:
            raise failed[0]
        for error in failed:
            self.report({"WARNING"}, str(error))
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}


class DIFFUSIONNET_OT_assign_part(PartOperator, bpy.types.Operator):
    """Make the selected faces belong to this part, with all their vertices"""

    bl_idname = "diffusionnet.assign_part"
    bl_label = "Assign"

    def correct(self, obj, part):
        """Assign."""
        count = edit.assign_selected(obj, part)
        return f"{name_of(obj, part)}: {faces_of(obj, count)} assigned"


class DIFFUSIONNET_OT_grow_part(PartOperator, bpy.types.Operator):
    """Let this part take the faces around it"""

    bl_idname = "diffusionnet.grow_part"
    bl_label = "Grow"

    steps: IntProperty(name="Steps", description="Rings of faces", min=1, default=1, soft_max=20)

    def correct(self, obj, part):
        """Grow."""
        count = edit.grow_part(obj, part, self.steps)
        return f"{name_of(obj, part)}: {faces_of(obj, count)} gained"


class DIFFUSIONNET_OT_shrink_part(PartOperator, bpy.types.Operator):
    """Give the faces at the border of this part to its neighbors"""

    bl_idname = "diffusionnet.shrink_part"
    bl_label = "Shrink"

    steps: IntProperty(name="Steps", description="Rings of faces", min=1, default=1, soft_max=20)

    def correct(self, obj, part):
        """Shrink."""
        count = edit.shrink_part(obj, part, self.steps)
        return f"{name_of(obj, part)}: {faces_of(obj, count)} given away"


class DIFFUSIONNET_OT_smooth_parts(PartOperator, bpy.types.Operator):
    """Straighten the borders between parts, and remove small islands"""

    bl_idname = "diffusionnet.smooth_parts"
    bl_label = "Smooth Borders"

    steps: IntProperty(
        name="Smoothing",
        description="How far borders may move; 0: not at all",
        min=0,
        default=4,
        soft_max=10,
    )
    islands: FloatProperty(
        name="Islands",
        description="Pieces of a part that are smaller than this share of its largest one go to "
        "the parts around them. Loose parts of the mesh stay",
        subtype="FACTOR",
        min=0,
        max=1,
        default=0.1,
    )
    all_parts: BoolProperty(
        name="All Parts", description="Otherwise the borders of one part alone", default=True
    )

    def correct(self, obj, part):
        """Smooth."""
        chosen = None if self.all_parts else part
        count = edit.smooth_parts(obj, self.steps, self.islands, chosen)
        return f"{obj.name}: {faces_of(obj, count)} changed"


class DIFFUSIONNET_OT_merge_parts(PartOperator, bpy.types.Operator):
    """Add this part to another one."""

    bl_description = (
        "Add this part to another one. Its vertex group and material slot are removed, and the "
        "parts behind it in the legend move up"
    )

    bl_idname = "diffusionnet.merge_parts"
    bl_label = "Merge Into"

    into: StringProperty(name="Into", description="Name of the part that takes the faces")

    def invoke(self, context, event):
        """Ask which."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        """Offer the parts."""
        self.layout.use_property_split = True
        obj = self.targets(context)[0]
        self.layout.prop_search(self, "into", obj.data.diffusionnet, "parts")

    def correct(self, obj, part):
        """Merge."""
        name = name_of(obj, part)
        edit.merge_parts(obj, part, number_of(obj, self.into, len(obj.data.diffusionnet.parts)))
        return f"{obj.name}: {name} merged into {self.into}"


class DIFFUSIONNET_OT_add_part(PartOperator, bpy.types.Operator):
    """Add a part, and assign the faces that are selected in Edit Mode to it"""

    bl_idname = "diffusionnet.add_part"
    bl_label = "Add Part"

    name: StringProperty(name="Name", description="Name of the new part", default="part")

    def correct(self, obj, part):
        """Add."""
        in_edit_mode = obj.data.is_editmode
        number = edit.add_part(obj, self.name.strip() or "part")
        count = 0
        if in_edit_mode and edit.has_selection(obj):
            count = edit.assign_selected(obj, number)
        return f"{obj.name}: {name_of(obj, number)} added with {faces_of(obj, count)}"


class DIFFUSIONNET_OT_rename_part(PartOperator, bpy.types.Operator):
    """Give this part another name; its vertex group and material are renamed, too"""

    bl_idname = "diffusionnet.rename_part"
    bl_label = "Rename Part"

    name: StringProperty(name="Name", description="Name that the part gets")

    def invoke(self, context, event):
        """Ask, beginning with the name it has."""
        obj = segmented(self.targets(context))[0]
        self.name = name_of(obj, number_of(obj, self.part, self.index))
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context):
        """Ask for the name."""
        self.layout.use_property_split = True
        self.layout.prop(self, "name")

    def correct(self, obj, part):
        """Rename."""
        before = name_of(obj, part)
        return f"{obj.name}: {before} is now {edit.rename_part(obj, part, self.name)}"


class DIFFUSIONNET_OT_recolour_part(PartOperator, bpy.types.Operator):
    """Give this part another color, in every output that shows it"""

    bl_idname = "diffusionnet.recolour_part"
    bl_label = "Recolor Part"

    colour: FloatVectorProperty(
        name="Color", description="Color of the part", subtype="COLOR_GAMMA", min=0.0, max=1.0
    )

    def correct(self, obj, part):
        """Recolour."""
        edit.require_writable(obj)
        edit.recolour_part(obj.data, part, self.colour)
        return f"{obj.name}: {name_of(obj, part)} recolored"


class DIFFUSIONNET_OT_swap_sides(PartOperator, bpy.types.Operator):
    """Exchange left and right."""

    bl_description = (
        "Exchange left and right in all parts whose names tell the side (.L and .R), for a "
        "character that was mirrored or turned inside out"
    )

    bl_idname = "diffusionnet.swap_sides"
    bl_label = "Swap Sides"

    def correct(self, obj, part):
        """Swap."""
        return f"{obj.name}: {counted(edit.swap_sides(obj), 'pair')} of parts swapped"


class DIFFUSIONNET_OT_mask_part(PartOperator, bpy.types.Operator):
    """Hide this part by a Mask modifier, or show it again. Ctrl: show it alone, or all"""

    bl_idname = "diffusionnet.mask_part"
    bl_label = "Mask Part"

    isolate: BoolProperty(
        name="Alone", description="Show this part alone; if it is alone already, show all"
    )

    def invoke(self, context, event):
        """Ctrl isolates, as in the Outliner."""
        self.isolate = event.ctrl
        return self.execute(context)

    def correct(self, obj, part):
        """Mask."""
        parts = obj.data.diffusionnet.parts
        hidden = {number for number, p in enumerate(parts) if p.hidden}
        others = set(range(len(parts))) - {part}
        if self.isolate:
            hidden = set() if hidden == others else others
        else:
            hidden ^= {part}
        edit.mask(obj, hidden)
        return f"{obj.name}: {counted(len(parts) - len(hidden), 'part')} shown"


def segmented(targets) -> list[bpy.types.Object]:
    """Those of the targets that have parts.

    Raises
    ------
    DiffusionNetError
        If none has.
    """
    found = [obj for obj in targets if obj.type == "MESH" and obj.data.diffusionnet.parts]
    if not found:
        raise DiffusionNetError(f"{targets[0].name!r} has no parts", "Segment it first.")
    return found


def number_of(obj, name: str, index: int) -> int:
    """Number of a part by its name, or else by a number.

    Raises
    ------
    DiffusionNetError
        If the legend has no such part.
    """
    parts = obj.data.diffusionnet.parts
    number = index if index != ACTIVE else obj.data.diffusionnet.active
    if name:
        number = parts.find(name)
    if not 0 <= number < len(parts):
        raise DiffusionNetError(
            f"{obj.name!r} has no part {name or index!r}",
            f"Its parts are {', '.join(part.name for part in parts)}.",
        )
    return number


def name_of(obj, number: int) -> str:
    """Name of a part."""
    return obj.data.diffusionnet.parts[number].name


def faces_of(obj, count: int) -> str:
    """A number of faces, or of vertices where the object has none."""
    return counted(count, "face" if len(obj.data.polygons) else "vertex")


CLASSES = (
    DIFFUSIONNET_OT_assign_part,
    DIFFUSIONNET_OT_grow_part,
    DIFFUSIONNET_OT_shrink_part,
    DIFFUSIONNET_OT_smooth_parts,
    DIFFUSIONNET_OT_merge_parts,
    DIFFUSIONNET_OT_add_part,
    DIFFUSIONNET_OT_rename_part,
    DIFFUSIONNET_OT_recolour_part,
    DIFFUSIONNET_OT_swap_sides,
    DIFFUSIONNET_OT_mask_part,
)
