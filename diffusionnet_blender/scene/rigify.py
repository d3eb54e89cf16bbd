"""Rigify, the add-on of Blender that generates a rig with controls from a metarig."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from .modes import set_mode

# Ends of bones nearer to each other than this share of a bone are one joint.
NEAR = 1e-4


def has_rigify() -> bool:
    """Whether Rigify is enabled."""
    return hasattr(bpy.types, "POSE_OT_rigify_generate")


def require_rigify() -> None:
    """Raise DiffusionNetError unless Rigify is enabled; without a window it is enabled.

    The preferences must list it as well: generating fails otherwise.
    """
    if has_rigify():
        return
    if bpy.app.background:
        import addon_utils

        if addon_utils.enable("rigify", default_set=True) is not None and has_rigify():
            return
    raise DiffusionNetError(
        "Rigify is not enabled",
        "Enable it in the preferences under Add-ons, or choose another kind.",
    )


def add_metarig(name: str, metarig: str) -> bpy.types.Object:
    """Add a metarig of Rigify's, of which bones are moved and left out."""
    if bpy.context.mode != "OBJECT":
        set_mode("OBJECT")
    before = set(bpy.data.objects)
    getattr(bpy.ops.object, f"armature_{metarig}_metarig_add")()
    (rig,) = set(bpy.data.objects) - before
    rig.name = rig.data.name = name
    return rig


def loosen_chains(metarig: bpy.types.Object) -> None:
    """Let chains that do not begin where their parent ends begin apart, which is an error else."""
    for bone in metarig.pose.bones:
        parameters = bone.rigify_parameters
        if bone.parent is not None and getattr(parameters, "connect_chain", False):
            ends = (bone.parent.bone.head_local, bone.parent.bone.tail_local)
            reach = NEAR * bone.parent.bone.length
            if min((bone.bone.head_local - end).length for end in ends) > reach:
                parameters.connect_chain = False


def generate(metarig: bpy.types.Object) -> bpy.types.Object:
    """Generate the rig of a metarig.

    Raises
    ------
    DiffusionNetError
        If Rigify refuses.
    """
    require_rigify()
    layer = bpy.context.view_layer
    if bpy.context.mode != "OBJECT":
        set_mode("OBJECT")
    for obj in [obj for obj in layer.objects.selected if obj]:
        obj.select_set(False)
    metarig.hide_set(False)
    metarig.select_set(True)
    layer.objects.active = metarig
    try:
        bpy.ops.pose.rigify_generate()
    except RuntimeError as error:
        raise DiffusionNetError(
            f"Rigify could not generate a rig from {metarig.name!r}: {str(error).strip()}",
            "Undo changes of its bones, or fit the skeleton again.",
        ) from error
    made = metarig.data.rigify_target_rig
    if made is None:
        raise DiffusionNetError(
            f"Rigify generated nothing from {metarig.name!r}", "Fit the skeleton again."
        )
    # Rigify makes it at the world's origin.
    made.matrix_world = metarig.matrix_world.copy()
    layer.update()
    return made
