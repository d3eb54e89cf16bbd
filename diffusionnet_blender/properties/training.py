"""Training set and options of a new model."""

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from ..scene.options import LabelSource
from ..tasks.train.request import TrainRequest
from .from_options import properties_of


class TrainChoices:
    """Options of a training; `subject` decides what it starts from."""

    __annotations__ = properties_of(TrainRequest, ["start"]) | properties_of(LabelSource)


class DIFFUSIONNET_PG_training(TrainChoices, bpy.types.PropertyGroup):
    """Training set and options of a new model, saved with the scene."""

    collection: PointerProperty(
        type=bpy.types.Collection,
        name="Meshes",
        description="Collection of the meshes to train on. Empty: the selected ones",
    )
    learn: EnumProperty(
        name="Learn",
        description="Kind of the new model",
        items=(
            ("PARTS", "Parts", "It labels the parts of a mesh"),
            ("SHAPES", "Whole Shapes", "It classifies whole meshes"),
        ),
    )
    class_source: EnumProperty(
        name="Classes",
        description="Where the class of an object comes from",
        items=(
            ("COLLECTION", "Collections", "The collections inside the one chosen above"),
            ("PROPERTY", "Custom Property", "A custom property of the objects"),
        ),
    )
    property_name: StringProperty(name="Property", description="Name of the custom property")
    subject: EnumProperty(
        name="Subject",
        description="Kind of meshes, which decides what the training starts from",
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
