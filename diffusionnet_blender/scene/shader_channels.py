"""What each channel of a material shows: a value, an image read through a UV map, or a graph.

A channel is an input of the surface shader, by the names of the Principled BSDF.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np

from .compat import uses_nodes
from .shader_graph import (
    ALPHA,
    BASE_COLOR,
    DISPLACEMENT,
    NORMAL,
    NORMALS,
    channel_name,
    colour_of,
    nodes_behind,
    output_of,
    source_of,
)
from .shader_mix import VARIES, ShaderMix

FLAT_NORMAL = np.array([0.5, 0.5, 1.0, 1.0], dtype=np.float32)
# Of Blender's surface without a material.
DEFAULT_COLOR = np.array([0.8, 0.8, 0.8, 1.0], dtype=np.float32)
# Values of the Principled BSDF where a shader has no such input; others are 0.
DEFAULTS = {BASE_COLOR: 0.8, ALPHA: 1.0, "Roughness": 0.5, "IOR": 1.5, "Specular IOR Level": 0.5,
            "Specular Tint": 1.0, "Strength": 1.0}  # fmt: skip
NOT_A_CHANNEL = {"Weight", "Tangent", "Position", "Direction"}
PARTS = ("R", "G", "B")
# Nodes, beside those of patterns, that show more than images have texels.
FINER = {"MAPPING", "VECT_MATH", "VECT_TRANSFORM", "VECTOR_ROTATE", "COMBXYZ", "ATTRIBUTE",
         "VERTEX_COLOR"}  # fmt: skip
# Nodes whose values a surface does not have by itself, and on what they depend.
DEPENDENT = {
    "FRESNEL": "the view",
    "LAYER_WEIGHT": "the view",
    "CAMERA": "the view",
    "LIGHT_PATH": "the view",
    "SHADERTORGB": "the light",
    "PARTICLE_INFO": "particles",
    "HAIR_INFO": "hair",
    "SCRIPT": "a script",
}
DEPENDENT_OUTPUTS = {
    ("TEX_COORD", "Camera"): "the view",
    ("TEX_COORD", "Window"): "the view",
    ("TEX_COORD", "Reflection"): "the view",
    ("NEW_GEOMETRY", "Incoming"): "the view",
    ("NEW_GEOMETRY", "Random Per Island"): "chance",
    ("OBJECT_INFO", "Random"): "the name of the object",
}


@dataclass(frozen=True, eq=False)
class Constant:
    """One value everywhere: (4,) float32, scene linear."""

    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Picture:
    """An image, or one part of it, that is read through a UV map of the mesh.

    Attributes
    ----------
    node : str
        Name of the Image Texture node.
    image : bpy.types.Image
    part : {"Color", "R", "G", "B", "Alpha"}
    uv_map : str
    extension : {"REPEAT", "EXTEND", "CLIP", "MIRROR"}
    closest : bool
    frame : str
        UV map whose tangents a normal map is made for.
    """

    node: str
    image: bpy.types.Image
    part: str
    uv_map: str
    extension: str
    closest: bool
    frame: str = ""


@dataclass(frozen=True, eq=False)
class Graph:
    """Anything else, to be baked.

    Attributes
    ----------
    fallback : (4,) float32
        Value if it cannot be baked.
    images : tuple of bpy.types.Image
        That it reads.
    remarks : tuple of str
        On what it depends, beside the surface.
    is_finer : bool
        Whether it may show more than its images have texels: patterns, repeated images.
    """

    fallback: np.ndarray
    images: tuple[bpy.types.Image, ...] = ()
    remarks: tuple[str, ...] = ()
    is_finer: bool = False


Value = Constant | Picture | Graph


@dataclass(frozen=True, eq=False)
class MaterialChannels:
    """The channels of a material.

    Attributes
    ----------
    material : bpy.types.Material or None
    shader : str
        Name of the surface shader if it is a single node; empty for mixes, groups and none.
    values : dict of str to Value
    remarks : tuple of str
    """

    material: bpy.types.Material | None
    shader: str
    values: dict[str, Value]
    remarks: tuple[str, ...] = ()

    def constant(self, channel: str) -> np.ndarray | None:
        """Value of a channel, its default if the material has none; None if it varies."""
        value = self.values.get(channel)
        if value is None:
            return colour_of(DEFAULTS.get(channel, 0.0))
        return value.value if isinstance(value, Constant) else None


def read_channels(material: bpy.types.Material | None, obj: bpy.types.Object) -> MaterialChannels:
    """The channels of a material, as it is seen on an object."""
    if material is None:
        return MaterialChannels(None, "", {BASE_COLOR: Constant(DEFAULT_COLOR)})
    if not uses_nodes(material):
        return MaterialChannels(material, "", _without_nodes(material))
    output = output_of(material.node_tree)
    surface = source_of(output.inputs["Surface"]) if output else None
    if surface is None:
        remark = f"{material.name!r} has no surface shader; its viewport colour is used"
        return MaterialChannels(material, "", _without_nodes(material), (remark,))
    reader = _Reader(material, obj)
    values, shader = reader.mixed(surface), ""
    if values is None:
        values, shader = reader.single(surface.node), surface.node.name
    values.update(reader.displacement(output))
    return MaterialChannels(material, shader, values, tuple(reader.remarks))


def _without_nodes(material: bpy.types.Material) -> dict[str, Value]:
    return {
        BASE_COLOR: Constant(colour_of(material.diffuse_color)),
        "Metallic": Constant(colour_of(material.metallic)),
        "Roughness": Constant(colour_of(material.roughness)),
    }


class _Reader:
    """The channels of one material on one object."""

    def __init__(self, material: bpy.types.Material, obj: bpy.types.Object):
        self._material, self._mesh = material, obj.data
        layers = obj.data.uv_layers
        self._render_map = next((layer.name for layer in layers if layer.active_render), "")
        self.remarks: list[str] = []

    def single(self, shader: bpy.types.Node) -> dict[str, Value]:
        """Channels of a surface that is one shader."""
        found: dict[str, Value] = {}
        for socket in shader.inputs:
            channel = channel_name(socket)
            if not socket.enabled or socket.type == "SHADER" or channel in NOT_A_CHANNEL:
                continue
            if channel in NORMALS:
                found.update(self._normal(socket, channel))
            else:
                found[channel] = self._value(socket, channel)
        base = found.get(BASE_COLOR)
        strength = found.get("Strength") if shader.type == "EMISSION" else None
        if isinstance(base, Constant) and isinstance(strength, Constant):
            found[BASE_COLOR] = Constant(np.clip(base.value * strength.value, 0, 1))
        glow, strength = found.get("Emission Color"), found.get("Emission Strength")
        if isinstance(glow, Constant) and isinstance(strength, Constant) and not strength.value[0]:
            found["Emission Color"] = Constant(colour_of(0.0))
        return found

    def mixed(self, surface: bpy.types.NodeSocket) -> dict[str, Value] | None:
        """Channels of a surface of several shaders, or of a group; None for a single shader."""
        leaf = surface.node
        if leaf.type not in ("MIX_SHADER", "ADD_SHADER", "GROUP") and not leaf.mute:
            return None if leaf.type not in ("BSDF_TRANSPARENT", "HOLDOUT") else {
                BASE_COLOR: Constant(DEFAULT_COLOR), ALPHA: Constant(colour_of(0.0))
            }  # fmt: skip
        nodes = list(nodes_behind(surface))
        leaves = [n for n in nodes if any(s.type == "SHADER" for s in n.outputs)]
        principled = [node for node in leaves if node.type == "BSDF_PRINCIPLED"]
        channels = dict.fromkeys([BASE_COLOR, ALPHA])
        for node in principled or leaves:
            channels.update(
                (channel_name(s), None)
                for s in node.inputs
                if s.type in ("RGBA", "VALUE") and s.enabled and channel_name(s) in DEFAULTS
            )
        for node in principled:
            channels.update(
                (s.name, None) for s in node.inputs if s.type in ("RGBA", "VALUE") and s.enabled
            )
        mix, found = ShaderMix(), {}
        for channel in channels:
            value = None if channel in NOT_A_CHANNEL else mix.value(surface, channel)
            if isinstance(value, np.ndarray):
                found[channel] = Constant(value)
            elif value is VARIES:
                fallback = colour_of(self._material.diffuse_color)
                if channel != BASE_COLOR:
                    fallback = colour_of(DEFAULTS.get(channel, 0.0))
                found[channel] = self._graph(surface, channel, fallback)
        if any(source_of(s) for n in leaves for s in n.inputs if s.name == NORMAL and s.enabled):
            found[NORMAL] = self._graph(surface, NORMAL, FLAT_NORMAL)
        if BASE_COLOR not in found:
            self._remark("has no shader with a colour; its viewport colour is used")
            found[BASE_COLOR] = Constant(colour_of(self._material.diffuse_color))
        return found

    def displacement(self, output: bpy.types.Node) -> dict[str, Value]:
        """The height of the displacement."""
        if source_of(output.inputs["Volume"]):
            self._remark("has a volume, which is not moved")
        source = source_of(output.inputs["Displacement"])
        if source is None or source.node.mute:
            return {}
        if source.node.type != "DISPLACEMENT":
            self._remark("has a displacement without a Displacement node, which is not moved")
            return {}
        value = self._value(source.node.inputs["Height"], DISPLACEMENT)
        return {} if isinstance(value, Constant) else {DISPLACEMENT: value}

    def _value(self, socket: bpy.types.NodeSocket, channel: str) -> Value:
        source = source_of(socket)
        if source is None:
            return Constant(colour_of(socket.default_value))
        if source.node.type in ("RGB", "VALUE") and not source.node.mute:
            return Constant(colour_of(source.default_value))
        picture = self._picture(source)
        return picture or self._graph(source, channel, colour_of(socket.default_value))

    def _normal(self, socket: bpy.types.NodeSocket, channel: str) -> dict[str, Value]:
        """A normal map in tangent space below one bump of an image, or a graph."""
        source = inner = source_of(socket)
        if source is None:
            return {}
        found: dict[str, Value] = {}
        graph = {channel: self._graph(source, channel, FLAT_NORMAL)}
        if source.node.type == "BUMP" and not source.node.mute:
            bump = source.node.inputs
            height, inner = source_of(bump["Height"]), source_of(bump["Normal"])
            picture = self._picture(height) if height else None
            if _any_linked(source.node, {"Height", "Normal"}) or (height and not picture):
                return graph
            if picture:
                found[f"{channel} height"] = picture
        if inner is None:
            return found
        node = inner.node
        if node.type != "NORMAL_MAP" or node.mute or node.space != "TANGENT":
            return graph
        colour = source_of(node.inputs["Color"])
        picture = self._picture(colour, node.uv_map or self._render_map) if colour else None
        if _any_linked(node, {"Color"}) or (colour and not (picture and picture.part == "Color")):
            return graph
        if picture and picture.frame not in self._mesh.uv_layers:
            return graph
        return {channel: picture, **found} if picture else found

    def _picture(self, output: bpy.types.NodeSocket, frame: str = "") -> Picture | None:
        node, part = output.node, "Color"
        if node.type in ("SEPARATE_COLOR", "SEPRGB", "SEPXYZ") and not node.mute:
            if getattr(node, "mode", "RGB") != "RGB":
                return None
            part = PARTS[list(node.outputs).index(output)]
            behind = source_of(node.inputs[0])
            if behind is None or behind.name != "Color":
                return None
            output, node = behind, behind.node
        elif output.name == "Alpha":
            part = "Alpha"
        if node.type != "TEX_IMAGE" or node.mute or node.image is None:
            return None
        if node.image.source not in ("FILE", "GENERATED") or node.projection != "FLAT":
            return None
        mapping = node.texture_mapping
        moved = (*mapping.translation, *mapping.rotation, *(s - 1 for s in mapping.scale))
        uv_map = self._uv_map(node.inputs["Vector"])
        if any(moved) or not uv_map:
            return None
        closest = node.interpolation == "Closest"
        return Picture(node.name, node.image, part, uv_map, node.extension, closest, frame)

    def _uv_map(self, socket: bpy.types.NodeSocket) -> str:
        """Name of the UV map that reaches an input unchanged; empty for anything else."""
        source = source_of(socket)
        if source is None:
            return self._render_map
        node, name = source.node, ""
        if node.mute:
            return ""
        if node.type == "UVMAP" and not node.from_instancer:
            name = node.uv_map or self._render_map
        elif node.type == "TEX_COORD" and source.name == "UV" and not node.from_instancer:
            name = self._render_map
        elif node.type == "ATTRIBUTE" and node.attribute_type == "GEOMETRY":
            name = node.attribute_name if source.name in ("Vector", "Color") else ""
        elif node.type == "MAPPING" and _is_identity(node):
            return self._uv_map(node.inputs["Vector"])
        return name if name in self._mesh.uv_layers else ""

    def _graph(self, source: bpy.types.NodeSocket, channel: str, fallback: np.ndarray) -> Graph:
        images: dict[bpy.types.Image, None] = {}
        reasons: dict[str, None] = {}
        is_finer = False
        for node in nodes_behind(source):
            if node.type == "TEX_IMAGE" and node.image:
                images[node.image] = None
            is_finer |= node.type in FINER or (
                node.type.startswith("TEX_") and node.type not in ("TEX_IMAGE", "TEX_COORD")
            )
            if node.type in DEPENDENT:
                reasons[f"depends on {DEPENDENT[node.type]}"] = None
            for output in node.outputs:
                if output.is_linked and (node.type, output.name) in DEPENDENT_OUTPUTS:
                    reasons[f"depends on {DEPENDENT_OUTPUTS[node.type, output.name]}"] = None
            name = self._missing_attribute(node)
            if name:
                reasons[f"reads {name!r}, which the mesh itself does not have"] = None
        remarks = tuple(f"{channel} of {self._material.name!r} {reason}" for reason in reasons)
        return Graph(fallback, tuple(images), remarks, is_finer)

    def _missing_attribute(self, node: bpy.types.Node) -> str:
        name = ""
        if node.type == "ATTRIBUTE" and node.attribute_type == "GEOMETRY":
            name = node.attribute_name
        elif node.type == "VERTEX_COLOR":
            name = node.layer_name
        elif node.type in ("UVMAP", "NORMAL_MAP", "TANGENT"):
            name = node.uv_map
        return "" if name in self._mesh.attributes else name

    def _remark(self, text: str) -> None:
        self.remarks.append(f"{self._material.name!r} {text}")


def _any_linked(node: bpy.types.Node, but: set[str]) -> bool:
    return any(source_of(socket) for socket in node.inputs if socket.name not in but)


def _is_identity(node: bpy.types.Node) -> bool:
    """Whether a Mapping node changes nothing."""
    neutral: dict[str, Callable[[float], bool]] = {
        "Location": lambda x: x == 0, "Rotation": lambda x: x == 0, "Scale": lambda x: x == 1
    }  # fmt: skip
    return node.vector_type != "NORMAL" and all(
        socket.name == "Vector"
        or (source_of(socket) is None and all(map(neutral[socket.name], socket.default_value)))
        for socket in node.inputs
        if socket.enabled
    )
