"""What is moved from which mesh to which, along which pins."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .model_lists import get_match_model, items_of_match_model, set_match_model
from .polls import is_mesh


class TransferProperties:
    """What to move, and how: the same choices for the panel and the operator's redo panel."""

    texture: BoolProperty(
        name="Texture",
        description="Bake the images of the source's materials anew into the target's own UV map "
        "(unwrapped, if it has none), and give the target a copy of the material with them",
        default=True,
        options={"SKIP_SAVE"},
    )
    uv: BoolProperty(
        name="UV Map",
        description="Copy the source's UV map: one island for each face, and seams marked where "
        "the layout is cut",
        default=False,
        options={"SKIP_SAVE"},
    )
    weights: BoolProperty(
        name="Vertex Groups",
        description="Skin weights and masks. Groups of the same name are replaced, unless they "
        "are locked",
        default=True,
        options={"SKIP_SAVE"},
    )
    shape_keys: BoolProperty(
        name="Shape Keys",
        description="Shape keys with their ranges and values. Keys of the same name are replaced",
        default=False,
        options={"SKIP_SAVE"},
    )
    colors: BoolProperty(
        name="Colors",
        description="Color attributes of vertices and of face corners",
        default=False,
        options={"SKIP_SAVE"},
    )
    attributes: BoolProperty(
        name="Attributes",
        description="All other attributes of vertices, corners and faces: numbers and vectors "
        "blended, integers and booleans by majority",
        default=False,
        options={"SKIP_SAVE"},
    )
    materials: BoolProperty(
        name="Materials",
        description="The source's material slots, and for each face the one that most of it has "
        "there. With Texture, copies of them with the new images",
        default=False,
        options={"SKIP_SAVE"},
    )
    labels: BoolProperty(
        name="Part Labels",
        description="Parts that the source was segmented into, written as chosen under Outputs",
        default=False,
        options={"SKIP_SAVE"},
    )
    armature: BoolProperty(
        name="Armature",
        description="A copy of the source's armature, at rest, each joint carried by the skin "
        "around it, which the target then follows. It needs Vertex Groups to move anything",
        default=False,
        options={"SKIP_SAVE"},
    )
    texture_size: IntProperty(
        name="Size (0: Same)",
        description="Width and height of the new images. 0: as large as the source's",
        min=0,
        max=16384,
        default=0,
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    dilation: IntProperty(
        name="Margin",
        description="Pixels by which islands grow beyond their rim",
        min=0,
        soft_max=64,
        default=16,
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    groups: EnumProperty(
        name="Groups",
        description="Which vertex groups",
        items=(
            ("ALL", "All", "Every vertex group of the source"),
            ("DEFORM", "Deforming", "Those that belong to a bone of the source's armature"),
            ("ACTIVE", "Active", "The one that is highlighted on the source"),
        ),
        default="ALL",
        options={"SKIP_SAVE"},
    )
    limit: IntProperty(
        name="Limit",
        description="Most bones that a vertex follows. 0: any number",
        min=0,
        soft_max=16,
        default=4,
        options={"SKIP_SAVE"},
    )
    least_confidence: FloatProperty(
        name="Sure Above",
        description="Where the match is less sure than this, weights are not copied but filled in "
        "smoothly from around",
        min=0.0,
        max=1.0,
        default=0.3,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
    )
    small_keys: BoolProperty(
        name="Small Keys",
        description="Turn and scale the offsets of each vertex, which is fast and suits small "
        "facial keys. Off: deformation transfer, for keys that move whole limbs",
        default=False,
        options={"SKIP_SAVE"},
    )


TRANSFER_NAMES = tuple(TransferProperties.__annotations__)


class DIFFUSIONNET_PG_pin(bpy.types.PropertyGroup):
    """A point of the source and the point of the target that belongs to it."""

    source_object: PointerProperty(type=bpy.types.Object, name="Source")
    target_object: PointerProperty(type=bpy.types.Object, name="Target")
    source_empty: PointerProperty(type=bpy.types.Object, name="Empty on the Source")
    target_empty: PointerProperty(type=bpy.types.Object, name="Empty on the Target")
    source_vertex: IntProperty(name="Vertex of the Source", default=-1)
    target_vertex: IntProperty(name="Vertex of the Target", default=-1)


class DIFFUSIONNET_PG_transfer(TransferProperties, bpy.types.PropertyGroup):
    """What the Transfer panel is set to, saved with the scene."""

    source: PointerProperty(
        type=bpy.types.Object,
        name="Source",
        description="Mesh that gives",
        poll=is_mesh,
    )
    target: PointerProperty(
        type=bpy.types.Object,
        name="Target",
        description="Mesh that is given",
        poll=is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="How the two shapes are matched",
        items=items_of_match_model,
        get=get_match_model,
        set=set_match_model,
    )
    model_name: StringProperty(options={"HIDDEN"})
    fit: BoolProperty(
        name="Fit to Pair",
        description="Also fit a network to these two shapes, without any labels, and take its map "
        "where it is judged better. Needs PyTorch, and takes as long again",
        default=False,
    )
    pins: CollectionProperty(type=DIFFUSIONNET_PG_pin)
    active_pin: IntProperty(name="Active Pin", min=0)
