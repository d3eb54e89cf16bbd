"""Paint a character so that its texture can be followed to another.

Each of its parts has a colour of its own (left lighter than right), under a checker whose squares
are as large everywhere, in space; the own left eye is a red spot, the right eye a blue one, and the
mouth a black one.
"""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from demo import studio
from diffusionnet_blender.scene.character import Character
from diffusionnet_blender.scene.labels import read_labels
from diffusionnet_blender.scene.palette import safe_colours

COLOUR, PLACE = "pattern_colour", "pattern_place"
# Of the checker on a figure of height 1, and its darker squares.
SQUARES, DARK = 21.0, 0.45
# Of the height of the head: of eyes and mouth, and aside from the middle; and their radius.
EYES, MOUTH, ASIDE, SPOT = 0.48, 0.2, 0.16, 0.075
LEFT, RIGHT, BLACK = (0.9, 0.01, 0.01), (0.01, 0.05, 0.9), (0.0, 0.0, 0.0)


def paint(character: Character, shown: list[bpy.types.Object], turn: float) -> None:
    """Give all members of a character the pattern as their material.

    Parameters
    ----------
    character : Character
    shown : list of objects
        Members that have the face.
    turn : float
        Degrees about the vertical until it faces -y.
    """
    bpy.ops.diffusionnet.segment("EXEC_DEFAULT", object_name=character.members[0].name)
    matrix = _to_places(shown, turn)
    for obj in character.members:
        _write(obj, _places(obj, matrix))
    material = _material(_spots(shown, matrix))
    for obj in character.members:
        obj.data.materials.clear()
        obj.data.materials.append(material)


def _to_places(shown: list[bpy.types.Object], turn: float) -> Matrix:
    """From the world to a figure of height 1 that faces -y."""
    low, high = studio.bounds(shown)
    scale = Matrix.Scale(1 / (high.z - low.z), 4)
    return scale @ Matrix.Rotation(radians(turn), 4, "Z") @ Matrix.Translation(-low)


def _places(obj: bpy.types.Object, matrix: Matrix) -> np.ndarray:
    """Vertices (V, 3) of an object's own mesh in the space of the pattern."""
    own = np.empty(3 * len(obj.data.vertices), np.float32)
    obj.data.vertices.foreach_get("co", own)
    whole = np.array(matrix @ obj.matrix_world)
    return own.reshape(-1, 3) @ whole[:3, :3].T + whole[:3, 3]


def _write(obj: bpy.types.Object, places: np.ndarray) -> None:
    labels = read_labels(obj)
    of_part = [studio.srgb_to_linear(c) for c in safe_colours(labels.class_names).ravel()]
    of_part = np.array(of_part).reshape(-1, 3)
    counts = np.empty(len(obj.data.polygons), np.int32)
    obj.data.polygons.foreach_get("loop_total", counts)
    corners = np.repeat(of_part[labels.polygon_labels], counts, axis=0)
    mesh = obj.data
    colour = mesh.color_attributes.new(COLOUR, "FLOAT_COLOR", "CORNER")
    colour.data.foreach_set("color", np.c_[corners, np.ones(len(corners))].ravel())
    place = mesh.attributes.new(PLACE, "FLOAT_VECTOR", "POINT")
    place.data.foreach_set("vector", places.astype(np.float32).ravel())


def _spots(shown: list[bpy.types.Object], matrix: Matrix) -> list[tuple[Vector, float, tuple]]:
    """Middle, radius and colour of the eyes and the mouth, which lie on the face."""
    vertices, triangles, of_head = [], [], []
    for obj in shown:
        start = sum(map(len, vertices))
        vertices.append(_places(obj, matrix))
        triangles += [[start + v for v in polygon.vertices] for polygon in obj.data.polygons]
        labels = read_labels(obj)
        head = [i for i, name in enumerate(labels.class_names) if name.startswith("head")]
        of_head.append(np.isin(labels.vertex_labels, head))
    places, is_head = np.concatenate(vertices), np.concatenate(of_head)
    tree = BVHTree.FromPolygons(places.tolist(), triangles)
    head = places[is_head]
    low, high = np.percentile(head[:, 2], (1, 99))
    middle, tall = np.median(head[:, 0]), high - low
    found = []
    # It faces -y: its left is at +x.
    for aside, up, colour in ((1, EYES, LEFT), (-1, EYES, RIGHT), (0, MOUTH, BLACK)):
        before = Vector((middle + aside * ASIDE * tall, -10.0, low + up * tall))
        hit = tree.ray_cast(before, Vector((0.0, 1.0, 0.0)))[0]
        if hit is not None:
            found.append((hit, SPOT * tall, colour))
    return found


def _material(spots: list[tuple[Vector, float, tuple]]) -> bpy.types.Material:
    material = studio.matte("Pattern", (1.0, 1.0, 1.0))
    nodes, link = material.node_tree.nodes, material.node_tree.links.new

    def attribute(name: str) -> bpy.types.Node:
        node = nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return node

    place = attribute(PLACE)
    checker = nodes.new("ShaderNodeTexChecker")
    checker.inputs["Color1"].default_value = (1.0, 1.0, 1.0, 1.0)
    checker.inputs["Color2"].default_value = (DARK, DARK, DARK, 1.0)
    checker.inputs["Scale"].default_value = SQUARES
    link(place.outputs["Vector"], checker.inputs["Vector"])
    result = _mixed(nodes, link, "MULTIPLY", attribute(COLOUR).outputs["Color"], 1.0)
    link(checker.outputs["Color"], result.inputs["Color2"])
    for middle, radius, colour in spots:
        away = nodes.new("ShaderNodeVectorMath")
        away.operation = "DISTANCE"
        away.inputs[1].default_value = middle
        link(place.outputs["Vector"], away.inputs[0])
        inside = nodes.new("ShaderNodeMath")
        inside.operation = "LESS_THAN"
        inside.inputs[1].default_value = radius
        link(away.outputs["Value"], inside.inputs[0])
        result = _mixed(nodes, link, "MIX", result.outputs["Color"], inside.outputs["Value"])
        result.inputs["Color2"].default_value = (*colour, 1.0)
    link(result.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return material


def _mixed(nodes, link, way: str, below, factor) -> bpy.types.Node:
    """A node that lays a second colour over a first."""
    node = nodes.new("ShaderNodeMixRGB")
    node.blend_type = way
    link(below, node.inputs["Color1"])
    if isinstance(factor, float):
        node.inputs["Fac"].default_value = factor
    else:
        link(factor, node.inputs["Fac"])
    return node
