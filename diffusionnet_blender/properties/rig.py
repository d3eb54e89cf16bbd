"""Settings of Rig: the kind of skeleton, and how meshes are bound to it."""

import bpy

from ..scene.options import Binding
from ..tasks.rig.request import Bones
from .from_options import ONE_CALL, properties_of


class BonesProperties:
    """Which skeleton: for the operator's redo panel."""

    __annotations__ = properties_of(Bones, **ONE_CALL)


class BindingProperties:
    """How meshes are bound: for the operator's redo panel."""

    __annotations__ = properties_of(Binding, **ONE_CALL)


class RigChoices:
    """All of them, for the panel."""

    __annotations__ = properties_of(Bones) | properties_of(Binding)


class DIFFUSIONNET_PG_rig(RigChoices, bpy.types.PropertyGroup):
    """Settings of the Rig panel, saved with the scene."""


def is_of_rigify(kind: str) -> bool:
    """Whether Rigify makes the rig of a kind that is chosen."""
    return kind.startswith("rigify")


def draw_bones(layout, chosen, four_legs: bool = False) -> None:
    """Draw the kind of skeleton and its groups of bones, which animals do not have."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop(chosen, "kind")
    column = layout.column(heading="Bones")
    column.active = not four_legs
    column.prop(chosen, "fingers")
    toes = column.row()
    toes.active = chosen.kind != "rigify"
    toes.prop(chosen, "toes")
    face = column.row()
    face.active = chosen.kind not in ("rigify", "unreal")
    face.prop(chosen, "face")


def draw_binding(layout, chosen, kind: str) -> None:
    """Draw how meshes are bound to a kind of skeleton; of any kind with ""."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    if is_of_rigify(kind) or not kind:
        column.prop(chosen, "generate")
    column.prop(chosen, "smooth")
    column.prop(chosen, "overwrite")
