"""Properties: the panel's settings (on the scene) and the legend (on the mesh)."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .network.card import ModelCard
from .preferences import settings
from .tasks.models import is_bundled, list_models

NO_MODEL = "NONE"
DEFAULT_MODEL = "body_parts"
_cards: dict[str, ModelCard] = {}
_bundled: set[str] = set()
# Blender keeps no reference to the strings of dynamic items: without this they are freed.
_model_items: list[tuple[str, str, str, int]] = []


def reload_models() -> None:
    """Read the cards of all models again; nothing that draws ever reads a file."""
    _cards.clear()
    _cards.update({card.name: card for card in list_models([settings().model_folder])})
    _bundled.clear()
    _bundled.update(filter(is_bundled, _cards))
    _model_items[:] = [
        (name, card.title, card.description, number)
        for number, (name, card) in enumerate(_cards.items())
    ] or [(NO_MODEL, "No model found", "Import one, or set the library in the preferences", 0)]


def model_card(name: str) -> ModelCard | None:
    """Card of a model that `reload_models` found."""
    return _cards.get(name)


def known_models() -> list[tuple[ModelCard, bool]]:
    """Card of every model that `reload_models` found, and whether it ships with the extension."""
    return [(card, name in _bundled) for name, card in _cards.items()]


def _items_of_model(self, context):
    return _model_items


def _get_model(self) -> int:
    names = [item[0] for item in _model_items]
    wanted = self.model_name or DEFAULT_MODEL
    return names.index(wanted) if wanted in names else 0


def _set_model(self, number: int) -> None:
    self.model_name = _model_items[number][0]


def _is_mesh(self, obj):
    return obj.type == "MESH"


class OutputProperties:
    """What to write: the same choices for the panel and for the operator's redo panel."""

    attributes: BoolProperty(
        name="Attributes",
        description="Integer attributes with the number of the part, of faces (part) and of "
        "vertices (part_vertex), for geometry nodes and scripts",
        default=True,
        options={"SKIP_SAVE"},
    )
    colours: BoolProperty(
        name="Colors",
        description="Color attribute (part_color) in the colors of the legend, made active",
        default=True,
        options={"SKIP_SAVE"},
    )
    vertex_groups: BoolProperty(
        name="Vertex Groups",
        description="One group a part. A group of the same name that is not from here stays as "
        'it is, and the new one is called "DN ..."',
        default=True,
        options={"SKIP_SAVE"},
    )
    weights: EnumProperty(
        name="Weights",
        description="Weights of the vertex groups",
        items=(
            ("HARD", "Hard", "1 in the group of the part, nothing in the others"),
            ("SOFT", "Soft", "How probable each part is; soft borders"),
        ),
        default="HARD",
        options={"SKIP_SAVE"},
    )
    face_sets: BoolProperty(
        name="Face Sets",
        description="Face sets for Sculpt Mode; they replace those that the mesh has",
        default=False,
        options={"SKIP_SAVE"},
    )
    materials: BoolProperty(
        name="Materials",
        description="A material slot a part, behind those that the object has, and every face "
        "assigned to one of them",
        default=False,
        options={"SKIP_SAVE"},
    )
    confidence: BoolProperty(
        name="Confidence",
        description="Float attribute (part_confidence) that tells how sure the model is at each "
        "vertex, 0 to 1",
        default=False,
        options={"SKIP_SAVE"},
    )


OUTPUT_NAMES = tuple(OutputProperties.__annotations__)


class DIFFUSIONNET_PG_settings(OutputProperties, bpy.types.PropertyGroup):
    """What the panel is set to, saved with the scene."""

    object: PointerProperty(
        type=bpy.types.Object,
        name="Object",
        description="Mesh to segment. Empty: the selected ones",
        poll=_is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="Model that names the parts",
        items=_items_of_model,
        get=_get_model,
        set=_set_model,
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
    show_in_viewport: BoolProperty(
        name="Show in Viewport",
        description="Switch the viewport's solid shading to the color attribute afterwards",
        default=True,
    )


def _number_of(part) -> int:
    return next(i for i, p in enumerate(part.id_data.diffusionnet.parts) if p == part)


def _recolour(self, colour) -> None:
    from .scene.edit import recolour_part

    recolour_part(self.id_data, _number_of(self), colour)


def _rename(self, name: str) -> None:
    from .scene.edit import rename_part

    # Vertex groups are reached through an object only, whichever has the mesh.
    obj = next((obj for obj in bpy.data.objects if obj.data == self.id_data), None)
    if obj and name.strip():
        rename_part(obj, _number_of(self), name)


class DIFFUSIONNET_PG_part(bpy.types.PropertyGroup):
    """A line of the legend; its name is that of the class."""

    colour: FloatVectorProperty(
        name="Color",
        description="Color of this part, in everything that shows it",
        subtype="COLOR_GAMMA",
        min=0.0,
        max=1.0,
        get=lambda self: self.stored_colour,
        set=_recolour,
    )
    stored_colour: FloatVectorProperty(options={"HIDDEN"})
    title: StringProperty(
        name="Name",
        description="Name of this part. Double-click to change it; its vertex group and material "
        "are renamed, too",
        get=lambda self: self.name,
        set=_rename,
    )
    hidden: BoolProperty(name="Hidden", description="Masked on the object", options={"HIDDEN"})
    area: FloatProperty(name="Area", unit="AREA", description="World area of the part's faces")
    share: FloatProperty(
        name="Share", description="Share of the whole area, or of the points of a point cloud"
    )
    face_count: IntProperty(name="Faces", description="Faces of this part")
    vertex_count: IntProperty(name="Vertices", description="Vertices of this part")
    vertex_group: StringProperty(name="Vertex Group", description="Group of this part, if written")


class DIFFUSIONNET_PG_owned(bpy.types.PropertyGroup):
    """A name on the mesh that was given here, see `scene.names`."""

    kind: StringProperty()


class DIFFUSIONNET_PG_legend(bpy.types.PropertyGroup):
    """Which parts a mesh was cut into, saved with the mesh: `mesh.diffusionnet`."""

    model: StringProperty(name="Model", description="Model that named the parts")
    face_attribute: StringProperty(name="Faces", description="Attribute of the faces' classes")
    vertex_attribute: StringProperty(
        name="Vertices", description="Attribute of the vertices' classes"
    )
    parts: CollectionProperty(type=DIFFUSIONNET_PG_part)
    active: IntProperty(name="Active Part", description="Part that the buttons work on", min=0)
    owned: CollectionProperty(type=DIFFUSIONNET_PG_owned)


class DIFFUSIONNET_PG_run(bpy.types.PropertyGroup):
    """What DiffusionNet is doing right now: `window_manager.diffusionnet`, never saved."""

    running: BoolProperty(name="Running", options={"SKIP_SAVE"})
    factor: FloatProperty(name="Done", subtype="FACTOR", min=0, max=1, options={"SKIP_SAVE"})
    text: StringProperty(name="Progress", options={"SKIP_SAVE"})


CLASSES = (
    DIFFUSIONNET_PG_settings,
    DIFFUSIONNET_PG_part,
    DIFFUSIONNET_PG_owned,
    DIFFUSIONNET_PG_legend,
    DIFFUSIONNET_PG_run,
)


def register() -> None:
    """Hang the properties on Blender's types."""
    bpy.types.Scene.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_settings)
    bpy.types.Mesh.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_legend)
    bpy.types.WindowManager.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_run)
    reload_models()


def unregister() -> None:
    """Take them back."""
    del bpy.types.WindowManager.diffusionnet
    del bpy.types.Mesh.diffusionnet
    del bpy.types.Scene.diffusionnet
    _cards.clear()
    _bundled.clear()
    _model_items.clear()
