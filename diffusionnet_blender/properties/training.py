"""Training set and options of a new model."""

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from ..scene.options import LabelSource
from ..tasks.train.request import TrainRequest
from .from_options import properties_of


class TrainChoices:
    """Options of a training; `subject` sets the initial weights."""

    __annotations__ = properties_of(TrainRequest, ["start"]) | properties_of(LabelSource)


class DIFFUSIONNET_PG_training(TrainChoices, bpy.types.PropertyGroup):
    """Training set and options of a new model, saved with the scene."""

    collection: PointerProperty(
        type=bpy.types.Collection,
        name="Meshes",
        description="Collection of the meshes to train on. Empty: the selected meshes",
    )
    learn: EnumProperty(
        name="Learn",
        description="Task of the new model",
        items=(
            ("PARTS", "Parts", "Segment meshes into parts"),
            ("SHAPES", "Whole Shapes", "Classify whole meshes"),
        ),
    )
    class_source: EnumProperty(
        name="Classes",
        description="Source of each object's class",
        items=(
            ("COLLECTION", "Collections", "Collections inside the chosen one, one for each class"),
            ("PROPERTY", "Custom Property", "Custom property of the objects, or of their armature"),
        ),
    )
    property_name: StringProperty(name="Property", description="Name of the custom property")
    subject: EnumProperty(
        name="Subject",
        description="Kind of meshes, which sets the initial weights of the training",
        items=(
            (
                "CHARACTER",
                "Character",
                "People and humanoid characters. Starts from the weights of body_parts and "
                "needs few labels",
            ),
            (
                "ANYTHING",
                "Anything Else",
                "Animals, props and other shapes. Starts from random weights",
            ),
        ),
    )
