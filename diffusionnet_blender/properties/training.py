"""What a new model is to learn."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from ..tasks.train.sizes import SIZES


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
