"""Pixels of the textures of an object's materials: those of its images, or baked."""

from __future__ import annotations

import math

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import MeshShape, Texture
from .bake import Bake
from .bake_layout import DEFAULT_SIDE, bake_layout
from .shader_channels import PARTS, Graph, MaterialChannels, Picture
from .shader_graph import BASE_COLOR, NORMALS
from .srgb import srgb_to_linear
from .textures import LINEAR, SRGB, SourceTexture, SourceTextures, Storage, encoding_of
from .uv_maps import read_uv


def read_textures(
    obj: bpy.types.Object, shape: MeshShape, found: SourceTextures
) -> tuple[tuple[Texture, ...], dict[str, Storage], tuple[str, ...]]:
    """Pixels of the textures; what is no plain image is baked.

    Parameters
    ----------
    obj : bpy.types.Object
    shape : MeshShape
    found : SourceTextures
        Both of that object.

    Returns
    -------
    textures : tuple of Texture
    storages : dict of str to Storage
        How the new images are stored, by the name of the texture.
    remarks : tuple of str
        What could not be baked.

    Raises
    ------
    DiffusionNetError
        If the file of an image is missing.
    """
    for value in (v for texture in found.textures for v in texture.values.values()):
        for image in value.images if isinstance(value, Graph) else (value.image,):
            _require_loaded(image)
    baked, layout, remarks = _bake(obj, shape, found)
    pixels = _Pixels()
    textures, storages = [], {}
    for texture in found.textures:
        linear = {n: baked[texture.name, n] for n in texture.values if (texture.name, n) in baked}
        storage = texture.storage
        beyond = any(image.min() < 0 or image.max() > 1.001 for image in linear.values())
        if beyond and texture.name != BASE_COLOR:
            storage = Storage(LINEAR if storage.space == SRGB else storage.space, True)
        storages[texture.name] = storage
        constants = {n: storage.encoded(value) for n, value in texture.constants.items()}
        images, layouts, frames, extensions, closest = {}, {}, {}, {}, []
        for number, value in texture.values.items():
            if number in linear:
                images[number] = storage.encoded(linear[number])
                layouts[number] = layout
            elif isinstance(value, Graph):
                constants[number] = storage.encoded(value.fallback)
            else:
                images[number] = pixels.of(value, texture, found.materials[number], storage)
                layouts[number] = read_uv(obj.data, value.uv_map)
                if value.frame not in ("", value.uv_map):
                    frames[number] = read_uv(obj.data, value.frame)
                if value.extension != "REPEAT":
                    extensions[number] = value.extension
                if value.closest:
                    closest.append(number)
        textures.append(
            Texture(
                texture.name,
                images,
                constants,
                texture.name in NORMALS,
                layouts,
                frames,
                extensions,
                tuple(closest),
                _size(texture),
            )
        )
    return tuple(textures), storages, remarks


def read_pixels(image: bpy.types.Image) -> np.ndarray:
    """Pixels of an image as they are stored, (H, W, 4) float32, row 0 at the bottom.

    Raises
    ------
    DiffusionNetError
        If there are none.
    """
    _require_loaded(image)
    width, height = image.size
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    channels = len(pixels) // (width * height)
    pixels = pixels.reshape(height, width, channels)
    if channels == 4:
        return pixels
    whole = np.ones((height, width, 4), dtype=np.float32)
    # One or two channels are grey, with alpha.
    whole[..., :3] = pixels[..., :3] if channels == 3 else pixels[..., :1]
    return whole


def _require_loaded(image: bpy.types.Image) -> None:
    # The size is known only once the pixels are loaded.
    is_tiled = image.source == "TILED"
    if image.size[0] and image.size[1] and (is_tiled or len(image.pixels)):
        lost = [tile.number for tile in image.tiles if not all(tile.size)] if is_tiled else []
        if not lost:
            return
        raise DiffusionNetError(
            f"Tile {lost[0]} of the image {image.name!r} is missing",
            "Find its file, or remove the tile in the Image Editor.",
        )
    where = "in the file, but damaged" if image.packed_file else repr(image.filepath)
    raise DiffusionNetError(
        f"The image {image.name!r} is missing ({where})",
        "Find it with File > External Data > Find Missing Files, or switch Texture off.",
    )


class _Pixels:
    """Pixels of images, each read once."""

    def __init__(self) -> None:
        self._read: dict[bpy.types.Image, np.ndarray] = {}

    def of(
        self, value: Picture, texture: SourceTexture, read: MaterialChannels, storage: Storage
    ) -> np.ndarray:
        """An image as a texture stores it, (H, W, 4) float32."""
        if value.image not in self._read:
            self._read[value.image] = read_pixels(value.image)
        pixels = self._read[value.image]
        shown = {c: v.part for c, v in read.values.items() if _same_node(v, value)}
        uses_alpha = "Alpha" in shown.values()
        changed = {c: p for c, p in texture.parts.items() if shown.get(c) != p}
        if not texture.in_place or changed:
            pixels = _as_shown(pixels, uses_alpha, value.image)
            if value.part in PARTS and len(texture.parts) == 1:
                pixels[..., :3] = pixels[..., PARTS.index(value.part), None].copy()
            elif value.part == "Alpha":
                pixels[..., :3] = self._read[value.image][..., 3:]
            for channel, part in changed.items():
                if part == "Alpha":
                    pixels[..., 3] = read.constant(channel)[0]
        encoding = encoding_of(value)
        if encoding == SRGB and not storage.is_srgb:
            pixels = np.concatenate([srgb_to_linear(pixels[..., :3]), pixels[..., 3:]], axis=-1)
        elif encoding == LINEAR:
            pixels = storage.encoded(pixels)
        return pixels.astype(np.float32, copy=False)


def _same_node(value: object, picture: Picture) -> bool:
    return isinstance(value, Picture) and value.node == picture.node


def _as_shown(pixels: np.ndarray, uses_alpha: bool, image: bpy.types.Image) -> np.ndarray:
    """Opaque pixels of the colour that an image node has, which depends on the use of alpha."""
    pixels = pixels.copy()
    alpha = pixels[..., 3:]
    if image.alpha_mode in ("STRAIGHT", "PREMUL") and not image.is_float and not uses_alpha:
        pixels[..., :3] *= alpha
    elif image.is_float and image.alpha_mode == "PREMUL" and uses_alpha:
        pixels[..., :3] /= np.where(alpha > 0, alpha, 1.0)
    pixels[..., 3] = 1.0
    return pixels


def _size(texture: SourceTexture) -> tuple[int, int]:
    """Height and width of the largest image that a texture reads, of one tile if it has tiles."""
    sizes = []
    for value in texture.values.values():
        images = value.images if isinstance(value, Graph) else (value.image,)
        sizes += [(image.size[1], image.size[0]) for image in images]
        if isinstance(value, Graph) and value.is_finer:
            sizes.append((DEFAULT_SIDE, DEFAULT_SIDE))
    return max(sizes, key=math.prod, default=(DEFAULT_SIDE, DEFAULT_SIDE))


def _bake(
    obj: bpy.types.Object, shape: MeshShape, found: SourceTextures
) -> tuple[dict[tuple[str, int], np.ndarray], np.ndarray | None, tuple[str, ...]]:
    """Graphs baked, by texture and slot, scene linear; their layout; remarks on failures."""
    graphs = {
        texture.name: {n: v for n, v in texture.values.items() if isinstance(v, Graph)}
        for texture in found.textures
    }
    slots = {number for some in graphs.values() for number in some}
    if not slots:
        return {}, None, ()
    sizes = [_size(texture) for texture in found.textures if graphs[texture.name]]
    layout, height, width = bake_layout(obj, shape, slots, sizes)
    baked: dict[tuple[str, int], np.ndarray] = {}
    remarks: dict[str, None] = {}
    try:
        with Bake(obj, layout, height, width) as bake:
            for channel, some in graphs.items():
                if some:
                    materials = {n: found.materials[n].material for n in some}
                    pixels = bake.channel(channel, materials)
                    baked.update({(channel, number): pixels for number in some})
    except DiffusionNetError as error:
        for channel, some in graphs.items():
            for number in some:
                if (channel, number) not in baked:
                    name = found.materials[number].material.name
                    remarks[f"{channel} of {name!r} could not be baked: {error.message}"] = None
    return baked, layout, tuple(remarks)
