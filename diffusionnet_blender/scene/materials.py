"""Material slots with the colours of the palette, one material a class."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from .attributes import FACE_LABELS, write_attribute
from .compat import node_tree
from .names import PREFIX

# Marks the materials that are ours; its value is the class.
MARK = "diffusionnet_part"
# The attribute behind `MeshPolygon.material_index`; far faster than the property.
MATERIAL_INDEX = "material_index"


def write_materials(
    mesh: bpy.types.Mesh, class_names: Sequence[str], colours: np.ndarray, labels: np.ndarray
) -> None:
    """Give each face the material of its class; slots are added behind those that exist.

    Parameters
    ----------
    mesh : bpy.types.Mesh
        Not in Edit Mode.
    class_names : sequence of C str
    colours : (C, 3) float
        sRGB, 0 to 1.
    labels : (P,) int
    """
    slots = []
    for name, colour in zip(class_names, colours, strict=True):
        material = _material(name, colour)
        slot = mesh.materials.find(material.name)
        if slot < 0:
            mesh.materials.append(material)
            slot = len(mesh.materials) - 1
        slots.append(slot)
    write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, np.array(slots, dtype=np.int32)[labels])


def _material(class_name: str, srgb: np.ndarray) -> bpy.types.Material:
    """Our material of a class, made if missing, in the colour of the palette."""
    name = f"{PREFIX} {class_name}"
    material = next(
        (
            m
            for m in bpy.data.materials
            if m.library is None and m.get(MARK) == class_name and m.name.startswith(name)
        ),
        None,
    )
    if material is None:
        material = bpy.data.materials.new(name)
        material[MARK] = class_name
    colour = (*srgb_to_linear(np.asarray(srgb)).tolist(), 1.0)
    material.diffuse_color = colour
    for node in node_tree(material).nodes:
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            node.inputs["Base Color"].default_value = colour
    return material


def srgb_to_linear(srgb: np.ndarray) -> np.ndarray:
    """Scene linear values of sRGB ones, both 0 to 1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
