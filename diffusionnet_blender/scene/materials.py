"""Material slots with the colours of the palette, one material a class."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from .attributes import FACE_LABELS, read_values, write_attribute
from .compat import node_tree
from .fingerprint import CONTENT, of_block
from .ownership import PREFIX, is_unchanged, mark, users_of
from .srgb import srgb_to_linear
from .transaction import keep

# Marks the materials that are ours; its value is the class.
MARK = "diffusionnet_part"
# The attribute behind `MeshPolygon.material_index`; far faster than the property.
MATERIAL_INDEX = "material_index"


def write_materials(
    mesh: bpy.types.Mesh,
    class_names: Sequence[str],
    colours: np.ndarray,
    labels: np.ndarray,
    overwrite: bool = False,
) -> None:
    """Assign to each face the material of its class; slots are added after the existing ones.

    A material of a class that the artist has edited stays that of the class, as it is. Faces to
    which the artist gave another material since the first time keep it.

    Parameters
    ----------
    mesh : bpy.types.Mesh
        Not in Edit Mode.
    class_names : sequence of C str
    colours : (C, 3) float
        sRGB, 0 to 1.
    labels : (P,) int
    overwrite : bool
        Assign to all faces.
    """
    before, ours = material_indices(mesh), list(part_slots(mesh).values())
    kept = ~np.isin(before, ours) & bool(ours) & (not overwrite)
    slots = []
    for name, colour in zip(class_names, colours, strict=True):
        material = _material(mesh, name, colour)
        slots.append(slot_of(mesh, material))
    indices = np.where(kept, before, np.array(slots, dtype=np.int32)[labels])
    write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, indices)


def slot_of(mesh: bpy.types.Mesh, material: bpy.types.Material) -> int:
    """Slot of a mesh that has a material, added if missing."""
    # By the material itself: a linked one may have the name of a local one.
    slot = next((number for number, m in enumerate(mesh.materials) if m == material), None)
    if slot is None:
        mesh.materials.append(material)
        slot = len(mesh.materials) - 1
    return slot


def part_slots(mesh: bpy.types.Mesh) -> dict[str, int]:
    """Slots of a mesh that hold a material of ours: number of the slot by name of the class."""
    return {
        material[MARK]: slot
        for slot, material in reversed(list(enumerate(mesh.materials)))
        if material and MARK in material
    }


def rename_material(mesh: bpy.types.Mesh, class_name: str, new: str) -> None:
    """Rename our material of a class, if the mesh has one; an edited one keeps its name."""
    material = _single(mesh, class_name)
    if material is None:
        return
    is_ours = is_unchanged(material, of_block)
    keep(material)
    material[MARK] = new
    if is_ours:
        material.name = f"{PREFIX} {new}"
        mark(material, of_block(material))


def recolour_material(mesh: bpy.types.Mesh, class_name: str, srgb: np.ndarray) -> None:
    """Change the colour of our material of a class, if the mesh has one that was not edited."""
    slot = part_slots(mesh).get(class_name)
    if slot is not None and is_unchanged(mesh.materials[slot], of_block):
        _paint(_single(mesh, class_name), srgb)


def _single(mesh: bpy.types.Mesh, class_name: str) -> bpy.types.Material | None:
    """The material of a class on a mesh, to change; a copy takes its place where others use it."""
    slot = part_slots(mesh).get(class_name)
    if slot is None:
        return None
    material = mesh.materials[slot]
    if users_of(material) - {mesh}:
        is_ours = is_unchanged(material, of_block)
        mesh.materials[slot] = material = material.copy()
        if is_ours:
            mark(material, of_block(material))
    return material


def remove_material(mesh: bpy.types.Mesh, class_name: str) -> None:
    """Remove the slot of a class if no face is assigned to it and its material is unchanged."""
    slot = part_slots(mesh).get(class_name)
    if slot is None or slot in material_indices(mesh):
        return
    if is_unchanged(mesh.materials[slot], of_block):
        mesh.materials.pop(index=slot)


def material_indices(mesh: bpy.types.Mesh) -> np.ndarray:
    """Slot of each face, (P,) int32."""
    return read_values(mesh.polygons, "material_index", np.int32)


def _material(mesh: bpy.types.Mesh, class_name: str, srgb: np.ndarray) -> bpy.types.Material:
    """Our material of a class, made if missing, in the colour of the palette."""
    slot = part_slots(mesh).get(class_name)
    if slot is not None:
        material = mesh.materials[slot]
        if is_unchanged(material, of_block) and not _has_colour(material, srgb):
            material = _single(mesh, class_name)
            _paint(material, srgb)
        return material
    name = f"{PREFIX} {class_name}"
    # Of another mesh, so that a crowd has one material a part.
    for material in bpy.data.materials:
        is_candidate = material.get(MARK) == class_name and material.name.startswith(name)
        if is_candidate and is_unchanged(material, of_block) and _has_colour(material, srgb):
            return material
    material = bpy.data.materials.new(name)
    material[MARK] = class_name
    _paint(material, srgb)
    return material


def is_edited(material: bpy.types.Material) -> bool:
    """Whether a material of ours has become the artist's."""
    return MARK in material and not is_unchanged(material, of_block)


def adopt_materials(mesh: bpy.types.Mesh) -> None:
    """Note the content of materials of ours that a file has brought, and that were not edited."""
    for slot in part_slots(mesh).values():
        if CONTENT in mesh.materials[slot]:
            mark(mesh.materials[slot], of_block(mesh.materials[slot]))


def slots_of_polygons(obj: bpy.types.Object) -> np.ndarray:
    """Material slot of each polygon, (P,) int32, as Blender shows it: the last for any beyond."""
    return np.minimum(material_indices(obj.data), max(len(obj.material_slots) - 1, 0))


def _linear(srgb: np.ndarray) -> tuple[float, ...]:
    return (*srgb_to_linear(np.asarray(srgb)).tolist(), 1.0)


def _has_colour(material: bpy.types.Material, srgb: np.ndarray) -> bool:
    return bool(np.allclose(material.diffuse_color, _linear(srgb), atol=1e-5))


def _paint(material: bpy.types.Material, srgb: np.ndarray) -> None:
    """Set the colour of a material of ours, in the viewport and in renders."""
    keep(material)
    colour = _linear(srgb)
    material.diffuse_color = colour
    for node in node_tree(material).nodes:
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            node.inputs["Base Color"].default_value = colour
    mark(material, of_block(material))
