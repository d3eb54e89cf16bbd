"""Training sets: characters with the labels on their members, or with a class each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import bpy
import numpy as np

from ..errors import DiffusionNetError, NoLabels
from ..surface.surface import Surface
from ..tasks.train.training_set import (
    UNLABELLED,
    LabelledSurface,
    NamedLabels,
    TrainingSet,
    checked,
    gathered,
    gathered_shapes,
    pooled_labels,
)
from .attachments import carried_members
from .bone_weights import read_bone_weights
from .character import Character, alone, characters_of, shapes_of
from .character_read import read_character
from .classes import class_by_collection, class_by_property, class_of_character
from .label_sources import read_label_source
from .options import LabelSource
from .read import ObjectGeometry, read_object
from .report_text import listed
from .targets import selected_objects

# Gives the class of an object, "" for none.
ClassOf: TypeAlias = Callable[[bpy.types.Object], str]


def training_meshes(context) -> list[bpy.types.Object]:
    """The meshes of the collection that the panel names, or the selected ones."""
    return [obj for obj in _training_objects(context) if obj.type == "MESH"]


def _training_objects(context) -> list[bpy.types.Object]:
    collection = context.scene.diffusionnet.training.collection
    objects = list(collection.all_objects) if collection else selected_objects(context)
    return [obj for obj in objects if obj and obj.type in {"MESH", "ARMATURE"}]


def training_characters(context) -> list[Character]:
    """The characters of these meshes and of the armatures beside them; as the panel says."""
    settings = context.scene.diffusionnet.training
    objects, layer = _training_objects(context), context.view_layer
    each = context.scene.diffusionnet.each
    if settings.learn == "PARTS":
        found = characters_of(objects, layer, each)
    else:
        found = whole_characters(objects, layer, each, _class_of(settings))
    # An armature may deform nothing.
    return [one for one in found if one.members[0].type == "MESH"]


def read_training_set(context, told: list[DiffusionNetError] | None = None) -> TrainingSet:
    """Training set of the panel, checked.

    Parameters
    ----------
    context : bpy.types.Context
    told : list of DiffusionNetError, optional
        Takes the errors of single members.

    Raises
    ------
    DiffusionNetError
        If there is no mesh, or the labels are unsuitable.
    """
    settings = context.scene.diffusionnet.training
    told = [] if told is None else told
    context.view_layer.update()
    characters = training_characters(context)
    if not characters:
        place = f"the collection {settings.collection.name!r}" if settings.collection else ""
        raise DiffusionNetError(
            f"There is no mesh in {place}" if place else "No mesh is selected",
            "Select the training meshes, or choose their collection.",
        )
    by_property = settings.learn == "SHAPES" and settings.class_source == "PROPERTY"
    if by_property and not settings.property_name:
        raise DiffusionNetError(
            "No custom property is chosen",
            "Enter the name of the property with the class of each object.",
        )
    if settings.learn == "SHAPES":
        class_of = _class_of(settings)
        return checked(gathered_shapes([read_whole(one, class_of, told) for one in characters]))
    read = partial(read_label_source, where=LabelSource(settings.source, settings.attribute))
    return checked(gathered([read_labelled(one, read, told) for one in characters]))


def _class_of(settings) -> ClassOf:
    """Gives the class of an object, by the panel."""

    def class_of(obj: bpy.types.Object) -> str:
        if settings.class_source == "PROPERTY":
            return class_by_property(obj, settings.property_name)
        return class_by_collection(obj, settings.collection)

    return class_of


def whole_characters(
    objects: Sequence[bpy.types.Object],
    layer: bpy.types.ViewLayer,
    each: bool,
    class_of: ClassOf,
) -> list[Character]:
    """Characters of meshes; what only lies together and has different classes is several."""
    found: list[Character] = []
    for one in shapes_of(objects, layer, each):
        lies_together = len(one.members) > 1 and not one.owner
        classes = {class_of(obj) for obj in one.members} - {""} if lies_together else set()
        found += map(alone, one.members) if len(classes) > 1 else [one]
    return found


def read_labelled(
    character: Character,
    read: Callable[[bpy.types.Object, ObjectGeometry], NamedLabels],
    told: list[DiffusionNetError],
) -> tuple[str, Surface, NamedLabels]:
    """A character as a segmentation sees it, with the labels on its members.

    Vertices of members without labels are not labelled.

    Parameters
    ----------
    character : Character
    read : callable
        Gives the labels of an object, see `label_sources.read_label_source`.
    told : list of DiffusionNetError
        Takes the errors of single members, and classes that nothing but carried things has.

    Raises
    ------
    DiffusionNetError
        If no member can be read, or none has labels: that of the first.
    """
    geometry = read_character(character)
    objects = [member.find() for member in geometry.members]
    told += geometry.errors
    parts: list[NamedLabels] = []
    errors: list[DiffusionNetError] = []
    for obj, own in zip(objects, geometry.seen, strict=True):
        try:
            parts.append(read(obj, read_object(obj)))
        except DiffusionNetError as error:
            errors.append(error)
            parts.append(NamedLabels(np.full(len(own.base.coordinates), UNLABELLED), ()))
    if len(errors) == len(parts):
        raise errors[0]
    told += [error for error in errors if not isinstance(error, NoLabels)]
    named = pooled_labels(parts)
    held = [read_bone_weights(obj) for obj in objects]
    carried = carried_members(held, geometry.seen, geometry.placed)
    labels = geometry.from_base(named.labels)
    seen = LabelledSurface.of(character.name, geometry.placed, labels, carried)
    lost = np.setdiff1d(named.labels, [*np.unique(seen.labels), UNLABELLED])
    if len(lost):
        names = listed([named.class_names[label] for label in lost])
        told.append(
            DiffusionNetError(
                f"{character.name!r}: only what it carries has the labels {names}, and is not "
                "learned from",
                "Segment gives it the part that carries it. To learn it, choose Each Object Alone.",
            )
        )
    return character.name, seen.surface, replace(named, labels=seen.labels)


def read_whole(
    character: Character,
    class_of: ClassOf,
    told: list[DiffusionNetError],
) -> tuple[str, Surface, str]:
    """A character as one shape, and its class, "" for none.

    Parameters
    ----------
    character : Character
    class_of : callable
    told : list of DiffusionNetError
        Takes the errors of single members.

    Raises
    ------
    DiffusionNetError
        If no member can be read, or members have different classes.
    """
    geometry = read_character(character)
    told += geometry.errors
    name = class_of_character(character, class_of)
    return character.name, geometry.placed.surface, name
