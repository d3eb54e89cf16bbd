"""Properties: the panel's settings (on the scene) and the legend (on the mesh)."""

from collections.abc import Callable

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
from .tasks.training_sizes import SIZES

NO_MODEL = "NONE"
DEFAULT_MODEL = "body_parts"
DEFAULT_MATCH_MODEL = "body_match"
_cards: dict[str, ModelCard] = {}
_bundled: set[str] = set()
# Blender keeps no reference to the strings of dynamic items: without this they are freed.
_model_items: list[tuple[str, str, str, int]] = []
_classifier_items: list[tuple[str, str, str, int]] = []
_match_items: list[tuple[str, str, str, int]] = []


def reload_models() -> None:
    """Read the cards of all models again; nothing that draws ever reads a file."""
    _cards.clear()
    _cards.update({card.name: card for card in list_models([settings().model_folder])})
    _bundled.clear()
    _bundled.update(filter(is_bundled, _cards))
    _model_items[:] = _items(_labels_vertices) or [
        (NO_MODEL, "No model found", "Import one, or set the library in the preferences", 0)
    ]
    _classifier_items[:] = _items(_classifies) or [
        (NO_MODEL, "None yet", "Train one on whole shapes, or import one", 0)
    ]
    _match_items[:] = [
        *_items(_matches),
        (
            NO_MODEL,
            "None",
            "For shapes that no model knows, such as animals and props: by distances along the "
            "surface alone, which suits two of a kind. Set three pins or more where it is wrong",
            len(_cards),
        ),
    ]


def _matches(card: ModelCard) -> bool:
    return not card.class_names


def _classifies(card: ModelCard) -> bool:
    return not _matches(card) and card.architecture.output_at == "shape"


def _labels_vertices(card: ModelCard) -> bool:
    return not _matches(card) and not _classifies(card)


def _items(wanted: Callable[[ModelCard], bool]) -> list[tuple[str, str, str, int]]:
    return [
        (name, card.title, card.description, number)
        for number, (name, card) in enumerate(_cards.items())
        if wanted(card)
    ]


def model_card(name: str) -> ModelCard | None:
    """Card of a model that `reload_models` found."""
    return _cards.get(name)


def known_models() -> list[tuple[ModelCard, bool]]:
    """Card of every model that `reload_models` found, and whether it ships with the extension."""
    return [(card, name in _bundled) for name, card in _cards.items()]


def _items_of_model(self, context):
    return _model_items


def _items_of_match_model(self, context):
    return _match_items


def _number_in(items, wanted: str) -> int:
    return next((number for name, _, _, number in items if name == wanted), items[0][3])


def _name_of(items, wanted: int) -> str:
    return next(name for name, _, _, number in items if number == wanted)


def _get_model(self) -> int:
    return _number_in(_model_items, self.model_name or DEFAULT_MODEL)


def _set_model(self, number: int) -> None:
    self.model_name = _name_of(_model_items, number)


def _get_match_model(self) -> int:
    return _number_in(_match_items, self.model_name or DEFAULT_MATCH_MODEL)


def _set_match_model(self, number: int) -> None:
    self.model_name = _name_of(_match_items, number)


def _items_of_classifier(self, context):
    return _classifier_items


def _get_classifier(self) -> int:
    return _number_in(_classifier_items, self.classifier_name)


def _set_classifier(self, number: int) -> None:
    self.classifier_name = _name_of(_classifier_items, number)


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


class DIFFUSIONNET_PG_training(bpy.types.PropertyGroup):
    """What a new model is to learn, saved with the scene."""

    collection: PointerProperty(
        type=bpy.types.Collection,
        name="Meshes",
        description="Collection of the meshes to learn from. Empty: the selected ones",
    )
    learn: EnumProperty(
        name="Learn",
        description="What the new model is to tell",
        items=(
            ("PARTS", "Parts", "Which part of a mesh is where"),
            ("SHAPES", "Whole Shapes", "What kind of thing a mesh is"),
        ),
    )
    source: EnumProperty(
        name="Labels",
        description="Where the labels are on the meshes. Parts are called alike on all meshes; "
        "vertices without a label are not learned from",
        items=(
            ("PARTS", "Parts", "Those of this extension, as you have corrected them"),
            ("VERTEX_GROUPS", "Vertex Groups", "The group with the highest weight; none: no label"),
            ("FACE_SETS", "Face Sets", "Those of Sculpt Mode, by their numbers"),
            ("MATERIALS", "Materials", "By their names; an empty slot: no label"),
            ("ATTRIBUTE", "Integer Attribute", "Of vertices or faces; below 0: no label"),
            ("COLOUR", "Color Attribute", "One color a part; transparent: no label"),
        ),
    )
    attribute: StringProperty(
        name="Attribute", description="Name of the attribute. Empty: the active one"
    )
    class_source: EnumProperty(
        name="Classes",
        description="What says which class an object is of",
        items=(
            ("COLLECTION", "Collections", "The collections inside the one chosen above"),
            ("PROPERTY", "Custom Property", "A custom property of the objects"),
        ),
    )
    property_name: StringProperty(name="Property", description="Name of the custom property")
    model_name: StringProperty(
        name="Name", description="Name of the new model and of its files", default="my_parts"
    )
    replace: BoolProperty(
        name="Replace",
        description="Replace a model of your own that has this name, once the new one is done",
        default=False,
    )
    subject: EnumProperty(
        name="Subject",
        description="What the network knows before it learns",
        items=(
            (
                "CHARACTER",
                "Character",
                "People and all that is built like them: it starts from body_parts, and needs "
                "few labels",
            ),
            ("ANYTHING", "Anything Else", "Animals, props: it starts from nothing"),
        ),
    )
    size: EnumProperty(
        name="Size",
        description="How long it learns, and how large the network is where it starts from nothing",
        items=tuple(
            (key, size.title, f"{size.steps:,} steps on {size.copies} varied copies")
            for key, size in SIZES.items()
        ),
        default="balanced",
    )
    validation_share: FloatProperty(
        name="Held Out",
        description="Share of the meshes, rounded down, that is not learned from but used to "
        "choose the best weights. Where that is none, copies of the meshes are",
        subtype="FACTOR",
        min=0.0,
        max=0.5,
        default=0.1,
    )


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
    texture_size: IntProperty(
        name="Size",
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
        name="Least Confidence",
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
        poll=_is_mesh,
    )
    target: PointerProperty(
        type=bpy.types.Object,
        name="Target",
        description="Mesh that is given",
        poll=_is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="How the two shapes are matched",
        items=_items_of_match_model,
        get=_get_match_model,
        set=_set_match_model,
    )
    model_name: StringProperty(options={"HIDDEN"})
    pins: CollectionProperty(type=DIFFUSIONNET_PG_pin)
    active_pin: IntProperty(name="Active Pin", min=0)


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
        items=_items_of_classifier,
        get=_get_classifier,
        set=_set_classifier,
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
    DIFFUSIONNET_PG_training,
    DIFFUSIONNET_PG_pin,
    DIFFUSIONNET_PG_transfer,
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
    _classifier_items.clear()
    _match_items.clear()
