"""New images, and copies of materials that show them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np

from .compat import node_tree
from .fingerprint import of_block, of_image
from .ownership import mark
from .shader_channels import Constant, MaterialChannels, Picture
from .shader_graph import (
    DISPLACEMENT,
    HEIGHT,
    NORMALS,
    channel_input,
    nodes_behind,
    output_of,
    source_of,
)
from .textures import SourceTexture, SourceTextures, Storage

# Inputs of a mixed surface that its replacement has no use for.
NOT_SET = {"Strength"}


def new_image(name: str, pixels: np.ndarray, storage: Storage) -> bpy.types.Image:
    """A new image, packed into the file.

    Parameters
    ----------
    name : str
    pixels : (H, W, 4) float32
    storage : Storage
    """
    image = _unpacked(name, pixels, storage)
    image.alpha_mode = storage.alpha_mode
    image.pack()
    mark(image, of_image(image))
    return image


def new_tiled_image(
    name: str, tiles: Mapping[int, np.ndarray], storage: Storage
) -> bpy.types.Image:
    """A new image of UDIM tiles, packed into the file.

    Parameters
    ----------
    name : str
    tiles : mapping of int to (H, W, 4) float32
        By UDIM number.
    storage : Storage
    """
    suffix, kind = ("exr", "OPEN_EXR") if storage.is_float else ("png", "PNG")
    # Blender fills further tiles from files alone.
    with tempfile.TemporaryDirectory() as folder:
        for number, pixels in tiles.items():
            # As it is: an image of a space would be converted on its way to the file.
            tile = _unpacked(name, pixels, Storage("Non-Color", storage.is_float))
            tile.file_format = kind
            tile.filepath_raw = str(Path(folder, f"tile.{number}.{suffix}"))
            tile.save()
            bpy.data.images.remove(tile)
        first = Path(folder, f"tile.{min(tiles)}.{suffix}")
        image = bpy.data.images.load(str(first))
        image.name = name
        image.source = "TILED"
        image.filepath = str(Path(folder, f"tile.<UDIM>.{suffix}"))
        present = {tile.number for tile in image.tiles}
        for number in sorted(set(tiles) - present):
            image.tiles.new(tile_number=number)
        image.colorspace_settings.name = storage.space
        image.alpha_mode = storage.alpha_mode
        image.pack()
    # Its folder is gone; unpacked, it would go beside the .blend file.
    image.filepath_raw = f"//{bpy.path.clean_name(name)}.<UDIM>.{suffix}"
    mark(image, of_image(image))
    return image


def textured_material(
    found: SourceTextures,
    slot: int,
    name: str,
    uv_map: str,
    images: Mapping[str, bpy.types.Image],
    everything: bool,
) -> tuple[bpy.types.Material, list[str]]:
    """A copy of a material with the new images in it.

    Parameters
    ----------
    found : SourceTextures
    slot : int
        Of the material.
    name : str
    uv_map : str
        Of the mesh that gets the copy.
    images : mapping of str to bpy.types.Image
        By the name of the texture.
    everything : bool
        Whether it shows the textures of all other materials as well.

    Returns
    -------
    material : bpy.types.Material
    remarks : list of str
        Textures that it cannot show.
    """
    read = found.materials[slot]
    made = read.material.copy() if read.material else bpy.data.materials.new(name)
    made.name = name
    editor = _Editor(node_tree(made), read, uv_map)
    remarks = []
    for texture in found.textures:
        value = texture.values.get(slot)
        if value is None and not everything:
            continue
        if isinstance(value, Picture) and texture.in_place:
            editor.replace(value.node, images[texture.name])
        else:
            missing = editor.add(texture, images[texture.name], value is None)
            remarks += [f"{made.name!r} has no input for {channel}" for channel in missing]
    editor.clean()
    mark(made, content_of(made))
    return made, remarks


def images_in(material: bpy.types.Material) -> list[bpy.types.Image]:
    """The images in the nodes of a material, each once."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    found = [node.image for node in nodes if node.type == "TEX_IMAGE" and node.image]
    return list(dict.fromkeys(found))


def content_of(material: bpy.types.Material) -> str:
    """Fingerprint of a material and the pixels of its images."""
    return " ".join([of_block(material), *map(of_image, images_in(material))])


def differing_constants(found: SourceTextures) -> list[str]:
    """Channels that differ between the materials and that no texture holds."""
    held = {channel for texture in found.textures for channel in texture.parts}
    channels = dict.fromkeys(c for read in found.materials.values() for c in read.values)
    differing = []
    for channel in channels:
        values = [read.values.get(channel) for read in found.materials.values()]
        values = [value.value for value in values if isinstance(value, Constant)]
        if channel not in held and any(not np.allclose(values[0], v) for v in values[1:]):
            differing.append(channel)
    return differing


def _unpacked(name: str, pixels: np.ndarray, storage: Storage) -> bpy.types.Image:
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=storage.is_float)
    image.colorspace_settings.name = storage.space
    image.pixels.foreach_set(np.ascontiguousarray(pixels, dtype=np.float32).ravel())
    image.update()
    return image


class _Editor:
    """The nodes of a copied material."""

    def __init__(self, tree: bpy.types.NodeTree, read: MaterialChannels, uv_map: str):
        self._tree, self._uv_map = tree, uv_map
        self._used = self._reached()
        self._output = output_of(tree) or self._new("ShaderNodeOutputMaterial", (300, 300))
        if read.shader:
            self._shader = tree.nodes[read.shader]
        else:
            self._shader = self._replaced_surface(read)
        x, y = self._shader.location
        self._reader = self._new("ShaderNodeUVMap", (x - 900, y))
        self._reader.uv_map = uv_map
        self._next = [x - 600, y]

    def replace(self, node_name: str, image: bpy.types.Image) -> None:
        """Show another image in a node."""
        node = self._tree.nodes[node_name]
        node.image = image
        # The target's layout may leave the unit square, where its image repeats.
        node.extension = "REPEAT"
        self._tree.links.new(self._reader.outputs["UV"], node.inputs["Vector"])

    def add(self, texture: SourceTexture, image: bpy.types.Image, is_new: bool) -> list[str]:
        """Lead a new image to the channels of a texture; those that the shader does not have.

        `is_new`: the channels of this material had one value.
        """
        node = self._new("ShaderNodeTexImage", tuple(self._next))
        self._next[1] -= 300
        node.label = texture.name
        self.replace(node.name, image)
        separate = None
        missing = []
        for channel, part in texture.parts.items():
            socket = self._input(channel, texture, is_new)
            if socket is None:
                missing.append(channel)
                continue
            if part in ("Color", "Alpha"):
                source = node.outputs[part]
            else:
                if separate is None:
                    separate = self._new("ShaderNodeSeparateColor", tuple(node.location))
                    separate.location.x += 300
                    self._tree.links.new(node.outputs["Color"], separate.inputs[0])
                source = separate.outputs["RGB".index(part)]
            self._tree.links.new(source, socket)
        return missing

    def clean(self) -> None:
        """Remove nodes that nothing shows any more; read normal maps by the target's UV map."""
        for node in self._used - self._reached():
            self._tree.nodes.remove(node)
        for node in self._tree.nodes:
            if node.type == "NORMAL_MAP":
                node.uv_map = self._uv_map

    def _replaced_surface(self, read: MaterialChannels) -> bpy.types.Node:
        """A Principled BSDF with the constants of a surface that is no single shader."""
        x, y = self._output.location
        shader = self._new("ShaderNodeBsdfPrincipled", (x - 400, y))
        self._tree.links.new(shader.outputs[0], self._output.inputs["Surface"])
        for channel, value in read.values.items():
            socket = channel_input(shader, channel)
            if socket is None or channel in NOT_SET or not isinstance(value, Constant):
                continue
            colour = value.value
            socket.default_value = colour if socket.type == "RGBA" else float(colour[0])
        return shader

    def _input(
        self, channel: str, texture: SourceTexture, is_new: bool
    ) -> bpy.types.NodeSocket | None:
        if channel == DISPLACEMENT:
            socket = self._output.inputs["Displacement"]
            return self._between("ShaderNodeDisplacement", "DISPLACEMENT", socket, "").inputs[
                "Height"
            ]
        if channel == HEIGHT or channel in NORMALS:
            socket = channel_input(self._shader, channel.removesuffix(" height"))
            if socket is None:
                return None
            if channel == HEIGHT:
                return self._between("ShaderNodeBump", "BUMP", socket, "Normal").inputs["Height"]
            baked = not any(isinstance(v, Picture) for v in texture.values.values())
            source = source_of(socket)
            if source and source.node.type == "BUMP" and not baked:
                socket = source.node.inputs["Normal"]
            elif baked and not is_new:
                for link in list(socket.links):
                    self._tree.links.remove(link)
            node = self._between("ShaderNodeNormalMap", "NORMAL_MAP", socket, "")
            return node.inputs["Color"]
        return channel_input(self._shader, channel)

    def _between(
        self, kind: str, node_type: str, socket: bpy.types.NodeSocket, through: str
    ) -> bpy.types.Node:
        """The node of a type that feeds an input; a new one, that passes on the old, if missing."""
        source = source_of(socket)
        if source and source.node.type == node_type and not source.node.mute:
            return source.node
        node = self._new(kind, tuple(socket.node.location))
        node.location.x -= 250
        if source and through:
            self._tree.links.new(source, node.inputs[through])
        self._tree.links.new(node.outputs[0], socket)
        return node

    def _new(self, kind: str, place: Sequence[float]) -> bpy.types.Node:
        node = self._tree.nodes.new(kind)
        node.location = place
        return node

    def _reached(self) -> set[bpy.types.Node]:
        """Nodes of the tree that an output of it depends on."""
        ends = [n for n in self._tree.nodes if n.type.startswith("OUTPUT_")]
        inner = set(self._tree.nodes)
        found = set(ends)
        for end in ends:
            for socket in end.inputs:
                found |= set(nodes_behind(source_of(socket))) & inner
        return found
