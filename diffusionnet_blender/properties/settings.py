"""Settings of the panels."""

import bpy
from bpy.props import BoolProperty, EnumProperty, PointerProperty, StringProperty

from ..scene.options import Grouping, ReadOptions
from ..tasks.segment.request import SegmentRequest
from .conform import DIFFUSIONNET_PG_conform
from .from_options import properties_of
from .model_lists import (
    get_classifier,
    get_model,
    items_of_classifier,
    items_of_model,
    set_classifier,
    set_model,
)
from .outputs import OutputsOfScene
from .polls import is_mesh
from .refit import DIFFUSIONNET_PG_refit
from .rig import DIFFUSIONNET_PG_rig
from .training import DIFFUSIONNET_PG_training
from .transfer import DIFFUSIONNET_PG_transfer


class SegmentChoices:
    """Options of a segmentation."""

    __annotations__ = (
        properties_of(SegmentRequest, ["model"])
        | properties_of(Grouping)
        | properties_of(ReadOptions)
    )


class DIFFUSIONNET_PG_settings(SegmentChoices, OutputsOfScene, bpy.types.PropertyGroup):
    """Settings of the panels, saved with the scene."""

    object: PointerProperty(
        type=bpy.types.Object,
        name="Object",
        description="Mesh to segment. Empty: the selected meshes",
        poll=is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="Model that labels the parts",
        items=items_of_model,
        get=get_model,
        set=set_model,
    )
    # Stored value of `model`: numbers of items change when models are added or removed.
    model_name: StringProperty(options={"HIDDEN"})
    training: PointerProperty(type=DIFFUSIONNET_PG_training)
    classifier: EnumProperty(
        name="Model",
        description="Model that classifies whole shapes",
        items=items_of_classifier,
        get=get_classifier,
        set=set_classifier,
    )
    classifier_name: StringProperty(options={"HIDDEN"})
    sort_into_collections: BoolProperty(
        name="Sort into Collections",
        description="Also link the objects of each character, and their armature, to a collection "
        "of its class, inside the collection Classes",
        default=False,
    )
    show_in_viewport: BoolProperty(
        name="Show in Viewport",
        description="Show the color attribute in Solid shading after the run",
        default=True,
    )
    transfer: PointerProperty(type=DIFFUSIONNET_PG_transfer)
    rig: PointerProperty(type=DIFFUSIONNET_PG_rig)
    conform: PointerProperty(type=DIFFUSIONNET_PG_conform)
    refit: PointerProperty(type=DIFFUSIONNET_PG_refit)
