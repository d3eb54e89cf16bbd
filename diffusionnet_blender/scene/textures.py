"""Images in materials by the channel of their shader, and copies of materials with other images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import Texture
from .compat import node_tree
from .fingerprint import of_block, of_image
from .ownership import mark

IMAGE_NODE = "ShaderNodeTexImage"


@dataclass(frozen=True, eq=False)
class SourceTextures:
    """The images of an object's materials.

    Attributes
    ----------
    textures : tuple of Texture
    channels : dict of (int, str) to str
        Name of the texture that a node shows, by material slot and name of the node.
    images : dict of str to bpy.types.Image
        Of each texture one of its images, for how it is stored.
    """

    textures: tuple[Texture, ...]
    channels: dict[tuple[int, str], str]
    images: dict[str, bpy.types.Image]


def read_textures(obj: bpy.types.Object) -> SourceTextures:
    """Every image that an object's materials show.

    Parameters
    ----------
    obj : bpy.types.Object

    Raises
    ------
    DiffusionNetError
        If there is none, or if the file of one is missing or made of tiles.
    """
    channels: dict[tuple[int, str], str] = {}
    by_channel: dict[str, dict[int, bpy.types.Image]] = {}
    normal_maps = set()
    for number, slot in enumerate(obj.material_slots):
        if slot.material is None or slot.material.node_tree is None:
            continue
        taken: dict[str, bpy.types.Image] = {}
        for node in slot.material.node_tree.nodes:
            if node.bl_idname != IMAGE_NODE or node.image is None:
                continue
            use = _use_of(node)
            if use is None:
                continue
            channel, is_normal_map = use
            # Two images of one material that are mixed into one channel stay two.
            if taken.setdefault(channel, node.image) != node.image:
                channel = f"{channel} {node.image.name}"
                taken[channel] = node.image
            channels[number, node.name] = channel
            by_channel.setdefault(channel, {})[number] = node.image
            if is_normal_map:
                normal_maps.add(channel)
    if not by_channel:
        raise DiffusionNetError(
            f"The materials of {obj.name!r} have no image",
            "Add an Image Texture node, or switch Texture off.",
        )
    pixels: dict[bpy.types.Image, np.ndarray] = {}
    for image in (image for images in by_channel.values() for image in images.values()):
        if image not in pixels:
            pixels[image] = read_pixels(image)
    textures = tuple(
        Texture(
            channel,
            {number: pixels[image] for number, image in images.items()},
            _constants(obj, channel, images),
            channel in normal_maps,
        )
        for channel, images in by_channel.items()
    )
    first = {channel: next(iter(images.values())) for channel, images in by_channel.items()}
    return SourceTextures(textures, channels, first)


def read_pixels(image: bpy.types.Image) -> np.ndarray:
    """Pixels of an image as they are stored, (H, W, 4) float32, row 0 at the bottom.

    Raises
    ------
    DiffusionNetError
        If there are none.
    """
    if image.source == "TILED":
        raise DiffusionNetError(
            f"The image {image.name!r} has UDIM tiles, which cannot be transferred",
            "Bake it into a single image first, or switch Texture off.",
        )
    # The size is known only once the pixels are loaded.
    width, height = image.size
    if not (width and height and len(image.pixels)):
        where = "in the file, but damaged" if image.packed_file else repr(image.filepath)
        raise DiffusionNetError(
            f"The image {image.name!r} is missing ({where})",
            "Find it with File > External Data > Find Missing Files, or switch Texture off.",
        )
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    channels = len(pixels) // (width * height)
    pixels = pixels.reshape(height, width, channels)
    if channels == 4:
        return pixels
    whole = np.ones((height, width, 4), dtype=np.float32)
    whole[..., : min(channels, 3)] = pixels[..., : min(channels, 3)]
    return whole


def baked_image(name: str, pixels: np.ndarray, like: bpy.types.Image) -> bpy.types.Image:
    """A new image, packed into the file, stored as another one is.

    Parameters
    ----------
    name : str
    pixels : (H, W, 4) float32
    like : bpy.types.Image
    """
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=like.is_float)
    image.colorspace_settings.name = like.colorspace_settings.name
    image.alpha_mode = like.alpha_mode
    image.pixels.foreach_set(np.ascontiguousarray(pixels, dtype=np.float32).ravel())
    image.update()
    image.pack()
    mark(image, of_image(image))
    return image


def textured_material(
    material: bpy.types.Material,
    name: str,
    uv_map: str,
    images: dict[str, bpy.types.Image],
) -> bpy.types.Material:
    """A copy of a material with other images in it, read through another UV map.

    Parameters
    ----------
    material : bpy.types.Material
    name : str
    uv_map : str
        Of the mesh that gets the copy.
    images : dict of str to bpy.types.Image
        By the name of the node.
    """
    made = material.copy()
    made.name = name
    tree = node_tree(made)
    reader = tree.nodes.new("ShaderNodeUVMap")
    reader.uv_map = uv_map
    reader.location = (-900, 300)
    for node_name, image in images.items():
        node = tree.nodes[node_name]
        node.image = image
        tree.links.new(reader.outputs["UV"], node.inputs["Vector"])
    for node in tree.nodes:
        if node.bl_idname == "ShaderNodeNormalMap":
            node.uv_map = uv_map
    mark(made, content_of(made))
    return made


def images_in(material: bpy.types.Material) -> list[bpy.types.Image]:
    """The images in the nodes of a material, each once."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    found = [node.image for node in nodes if node.bl_idname == IMAGE_NODE and node.image]
    return list(dict.fromkeys(found))


def content_of(material: bpy.types.Material) -> str:
    """Fingerprint of a material and the pixels of its images."""
    return " ".join([of_block(material), *map(of_image, images_in(material))])


def _use_of(node: bpy.types.Node) -> tuple[str, bool] | None:
    """Channel of the image of a node, and whether it is a normal map; None if it is not used."""
    waiting = [(node, False, "")]
    seen = {node}
    while waiting:
        here, is_normal_map, through = waiting.pop(0)
        for link in _links_from(here):
            after = link.to_node
            if after.type == "BSDF_PRINCIPLED":
                return f"{link.to_socket.name}{through}", is_normal_map
            if after.type == "OUTPUT_MATERIAL":
                return f"{node.label or 'Surface'}{through}", is_normal_map
            if after not in seen:
                seen.add(after)
                waiting.append(
                    (
                        after,
                        is_normal_map or after.type == "NORMAL_MAP",
                        " height" if after.type == "BUMP" else through,
                    )
                )
    return None


def _links_from(node: bpy.types.Node) -> Iterator[bpy.types.NodeLink]:
    for socket in node.outputs:
        yield from socket.links


def _constants(obj, channel: str, images: dict) -> dict[int, np.ndarray]:
    """Colours of the channel in the materials that have no image for it, as images store them."""
    stored_srgb = next(iter(images.values())).colorspace_settings.name == "sRGB"
    found = {}
    for number, slot in enumerate(obj.material_slots):
        if number in images or slot.material is None or slot.material.node_tree is None:
            continue
        for node in slot.material.node_tree.nodes:
            socket = node.inputs.get(channel) if node.type == "BSDF_PRINCIPLED" else None
            if socket is None or not hasattr(socket, "default_value"):
                continue
            value = np.atleast_1d(np.array(socket.default_value, dtype=np.float32))
            if len(value) == 1:
                value = np.repeat(value, 3)
            colour = np.ones(4, dtype=np.float32)
            colour[:3] = _srgb(value[:3]) if stored_srgb else value[:3]
            found[number] = colour
    return found


def _srgb(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
