"""Training set of the panel: the objects, and the labels on them."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from ..tasks.train.training_set import TrainingSet, checked, gathered, gathered_shapes
from .classes import class_by_collection, class_by_property
from .label_sources import read_label_source
from .options import LabelSource
from .read import read_object
from .targets import selected_objects


def training_meshes(context) -> list[bpy.types.Object]:
    """The meshes of the collection that the panel names, or the selected ones."""
    collection = context.scene.diffusionnet.training.collection
    objects = list(collection.all_objects) if collection else selected_objects(context)
    return [obj for obj in objects if obj and obj.type == "MESH"]


def read_training_set(context) -> TrainingSet:
    """Training set of the panel, checked.

    Raises
    ------
    DiffusionNetError
        If there is no mesh, or the labels are unsuitable.
    """
    settings = context.scene.diffusionnet.training
    objects = training_meshes(context)
    if not objects:
        place = f"the collection {settings.collection.name!r}" if settings.collection else ""
        raise DiffusionNetError(
            f"There is no mesh in {place}" if place else "No mesh is selected",
            "Select the training meshes, or choose their collection.",
        )
    context.view_layer.update()
    if settings.learn == "SHAPES":
        return checked(_shapes(settings, objects))
    where = LabelSource(settings.source, settings.attribute)
    meshes = []
    # Parts are on the mesh; several objects that share one are one.
    for obj in {obj.data: obj for obj in reversed(objects)}.values():
        geometry = read_object(obj)
        labels = read_label_source(obj, geometry, where)
        meshes.append((obj.name, geometry.surface, labels))
    return checked(gathered(meshes[::-1]))


def _shapes(settings, objects) -> TrainingSet:
    if settings.class_source == "PROPERTY" and not settings.property_name:
        raise DiffusionNetError(
            "No custom property is chosen",
            "Enter the name of the property with the class of each object.",
        )
    shapes = []
    for obj in objects:
        name = (
            class_by_property(obj, settings.property_name)
            if settings.class_source == "PROPERTY"
            else class_by_collection(obj, settings.collection)
        )
        shapes.append((obj.name, read_object(obj).surface, name))
    return gathered_shapes(shapes)
