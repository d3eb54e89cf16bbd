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
    """Assign to each face the material of its class; slots are added after the existing ones.

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
        material = _material(mesh, name, colour)
        slot = mesh.materials.find(material.name)
        if slot < 0:
            mesh.materials.append(material)
            slot = len(mesh.materials) - 1
        slots.append(slot)
    write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, np.array(slots, dtype=np.int32)[labels])


def part_slots(mesh: bpy.types.Mesh) -> dict[str, int]:
    """Slots of a mesh that hold a material of ours: number of the slot by name of the class."""
    return {
        material[MARK]: slot
        for slot, material in reversed(list(enumerate(mesh.materials)))
        if material and MARK in material
    }


def single_material(mesh: bpy.types.Mesh, class_name: str) -> bpy.types.Material | None:
    """Our material of a class on a mesh, to change; a copy takes its place where others use it."""
    slot = part_slots(mesh).get(class_name)
    if slot is None:
        return None
    if mesh.materials[slot].users - mesh.materials[slot].use_fake_user > 1:
        mesh.materials[slot] = mesh.materials[slot].copy()
    return mesh.materials[slot]


def rename_material(mesh: bpy.types.Mesh, class_name: str, new: str) -> None:
    """Rename our material of a class, if the mesh has one."""
    material = single_material(mesh, class_name)
    if material:
        material.name = f"{PREFIX} {new}"
        material[MARK] = new


def remove_material(mesh: bpy.types.Mesh, class_name: str) -> None:
    """Remove the slot of a class if it is there and no face is assigned to it."""
    slot = part_slots(mesh).get(class_name)
    if slot is not None and slot not in material_indices(mesh):
        mesh.materials.pop(index=slot)


def material_indices(mesh: bpy.types.Mesh) -> np.ndarray:
    """Slot of each face, (P,) int32."""
    indices = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", indices)
    return indices


def _material(mesh: bpy.types.Mesh, class_name: str, srgb: np.ndarray) -> bpy.types.Material:
    """Our material of a class, made if missing, in the colour of the palette."""
    slot = part_slots(mesh).get(class_name)
    if slot is not None:
        material = mesh.materials[slot]
        if material.library is None:
            paint_material(material, srgb)
        return material
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
    paint_material(material, srgb)
    return material


def paint_material(material: bpy.types.Material, srgb: np.ndarray) -> None:
    """Set the colour of a material, in the viewport and in renders."""
    colour = (*srgb_to_linear(np.asarray(srgb)).tolist(), 1.0)
    material.diffuse_color = colour
    for node in node_tree(material).nodes:
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            node.inputs["Base Color"].default_value = colour


def srgb_to_linear(srgb: np.ndarray) -> np.ndarray:
    """Scene linear values of sRGB ones, both 0 to 1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
