"""What the panels are set to."""

import bpy
from bpy.props import BoolProperty, EnumProperty, PointerProperty, StringProperty

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
from .training import DIFFUSIONNET_PG_training
from .transfer import DIFFUSIONNET_PG_transfer


class DIFFUSIONNET_PG_settings(OutputsOfScene, bpy.types.PropertyGroup):
    """What the panel is set to, saved with the scene."""

    object: PointerProperty(
        type=bpy.types.Object,
        name="Object",
        description="Mesh to segment. Empty: the selected ones",
        poll=is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="Model that names the parts",
        items=items_of_model,
        get=get_model,
        set=set_model,
    )
    # What `model` is stored as: numbers of items change when models come and go.
    model_name: StringProperty(options={"HIDDEN"})
    use_modifiers: BoolProperty(
        name="Use Modifiers",
        description="Look at the mesh as modifiers, armature and shape keys show it. They must "
        "not add or remove vertices",
        default=False,
    )
    use_rest_shape: BoolProperty(
        name="Use Rest Shape",
        description="Compute on the mesh as modelled, without pose, shape keys and transform, so "
        "that every pose of a character after the first is fast. The model still sees the "
        "positions of the pose, where it looks at positions; one that does not, as body_parts, "
        "gives every pose the parts of the rest shape",
        default=False,
    )
    exact: BoolProperty(
        name="Exact if Dense",
        description="Compute on every vertex of a mesh of more than 60,000, which takes several "
        "times longer, and not on a coarse proxy of it, which gives nearly all vertices the same "
        "parts",
        default=False,
    )
    clean: BoolProperty(
        name="Clean Labels",
        description="Straighten borders where the model is in doubt, and give islands to the parts "
        "around them",
        default=True,
    )
    training: PointerProperty(type=DIFFUSIONNET_PG_training)
    classifier: EnumProperty(
        name="Model",
        description="Model that tells what kind of thing a mesh is",
        items=items_of_classifier,
        get=get_classifier,
        set=set_classifier,
    )
    classifier_name: StringProperty(options={"HIDDEN"})
    sort_into_collections: BoolProperty(
        name="Sort into Collections",
        description="Link each object also into a collection of its class, inside the collection "
        "Classes; it stays in those that it is in",
        default=False,
    )
    show_in_viewport: BoolProperty(
        name="Show in Viewport",
        description="Switch the viewport's solid shading to the color attribute afterwards",
        default=True,
    )
    transfer: PointerProperty(type=DIFFUSIONNET_PG_transfer)
