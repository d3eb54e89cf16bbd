"""Materials of objects that are made for samples and measurements."""

from __future__ import annotations

import bpy


def plain_material(
    name: str, colour: tuple[float, float, float], roughness: float
) -> bpy.types.Material:
    """A new material of one colour."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    return material


def image_material(name: str, image: bpy.types.Image, roughness: float) -> bpy.types.Material:
    """A new material whose base colour is an image, through the UV map that renders."""
    material = plain_material(name, (1.0, 1.0, 1.0), roughness)
    nodes = material.node_tree.nodes
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    material.node_tree.links.new(
        texture.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"]
    )
    return material
