"""Settings of Match and Transfer: source, target, pins, and the data to transfer."""

import bpy
from bpy.props import (
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..tasks.match.request import MatchRequest
from ..tasks.transfer.extent import Extent
from ..tasks.transfer.kinds import KINDS, Kinds
from ..tasks.transfer.request import TransferRequest
from .from_options import ONE_CALL, properties_of
from .model_lists import get_match_model, items_of_match_model, set_match_model
from .polls import is_mesh


class TransferProperties:
    """Data to transfer, and its options: for the panel and the operator's redo panel."""

    __annotations__ = (
        properties_of(Kinds, **ONE_CALL)
        | properties_of(Extent, **ONE_CALL)
        | properties_of(TransferRequest, **ONE_CALL)
    )


TRANSFER_NAMES = tuple(TransferProperties.__annotations__)
# Options drawn below a kind of data that is chosen.
DETAILS = {
    "texture": ("texture_size", "dilation"),
    "weights": ("groups", "limit", "least_confidence"),
    "shape_keys": ("small_keys",),
}

# Of the kinds of data, where there is no room for their names.
KIND_ICONS = {
    "texture": "TEXTURE",
    "uv": "UV",
    "weights": "GROUP_VERTEX",
    "shape_keys": "SHAPEKEY_DATA",
    "colors": "COLOR",
    "attributes": "SPREADSHEET",
    "materials": "MATERIAL",
    "labels": "MOD_EXPLODE",
    "armature": "ARMATURE_DATA",
}


class DIFFUSIONNET_PG_pin(bpy.types.PropertyGroup):
    """A pair of corresponding points on source and target, each an empty or a vertex."""

    source_object: PointerProperty(type=bpy.types.Object, name="Source", options={"HIDDEN"})
    target_object: PointerProperty(type=bpy.types.Object, name="Target", options={"HIDDEN"})
    source_empty: PointerProperty(
        type=bpy.types.Object, name="Empty on the Source", options={"HIDDEN"}
    )
    target_empty: PointerProperty(
        type=bpy.types.Object, name="Empty on the Target", options={"HIDDEN"}
    )
    source_vertex: IntProperty(name="Vertex of the Source", default=-1, options={"HIDDEN"})
    target_vertex: IntProperty(name="Vertex of the Target", default=-1, options={"HIDDEN"})


class MatchChoices:
    """Options of a match."""

    __annotations__ = properties_of(MatchRequest, ["model"])


class DIFFUSIONNET_PG_transfer(MatchChoices, TransferProperties, bpy.types.PropertyGroup):
    """Settings of the Transfer panel, saved with the scene."""

    source: PointerProperty(
        type=bpy.types.Object,
        name="Source",
        description="Mesh to copy from",
        poll=is_mesh,
    )
    target: PointerProperty(
        type=bpy.types.Object,
        name="Target",
        description="Mesh that receives the data",
        poll=is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="Model whose features match the two meshes",
        items=items_of_match_model,
        get=get_match_model,
        set=set_match_model,
    )
    model_name: StringProperty(options={"HIDDEN"})
    pins: CollectionProperty(type=DIFFUSIONNET_PG_pin)
    active_pin: IntProperty(name="Active Pin", min=0)
    # Rows of the lists of groups and keys.
    active_group: IntProperty(name="Active Vertex Group", min=0)
    active_key: IntProperty(name="Active Shape Key", min=0)


def draw_transfer(layout, properties) -> None:
    """Draw the data to transfer, in the redo panel and the sidebar."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column(heading="Data")
    for name in KINDS:
        column.prop(properties, name)
        if getattr(properties, name):
            for detail in DETAILS.get(name, ()):
                column.prop(properties, detail)
    column.prop(properties, "accept_uncertain")
    layout.prop(properties, "overwrite")


def draw_extent(layout, properties, target=None) -> None:
    """Draw where data is moved and how much of it, in the redo panel and the sidebar.

    Parameters
    ----------
    layout : bpy.types.UILayout
    properties : bpy_struct
    target : bpy.types.Object, optional
        Whose groups and parts can be searched.
    """
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    column.prop(properties, "region")
    if target and properties.region == "GROUP":
        column.prop_search(properties, "region_name", target, "vertex_groups")
    elif target and properties.region == "PART":
        column.prop_search(properties, "region_name", target.data.diffusionnet, "parts")
    elif properties.region in ("GROUP", "PART"):
        column.prop(properties, "region_name")
    if properties.region != "ALL":
        column.prop(properties, "edge")
    column.prop(properties, "mix")
