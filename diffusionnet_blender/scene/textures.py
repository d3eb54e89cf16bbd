"""The textures of an object's materials as they are seen, for a transfer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..surface.atlas import atlas_side, polygon_atlas
from ..tasks.transfer.job import is_one_to_one
from ..tasks.transfer.layers import MeshShape, Texture
from .bake import Bake
from .materials import material_indices, srgb_to_linear
from .shader_channels import (
    BASE_COLOR,
    FLAT_NORMAL,
    HEIGHT,
    NORMAL,
    NORMALS,
    PARTS,
    Constant,
    Graph,
    MaterialChannels,
    Picture,
    read_channels,
)
from .uv_maps import read_uv, source_uv_name

# Sides of images whose size no image of the source gives, and of those that are baked.
DEFAULT_SIDE = 1024
LARGEST_BAKE = 4096
LINEAR = "Linear Rec.709"
RAW = "Non-Color"
SRGB = "sRGB"


@dataclass(frozen=True)
class Storage:
    """How a new image is stored.

    Attributes
    ----------
    space : str
        Blender's name of the colour space.
    is_float : bool
    alpha_mode : str
    """

    space: str
    is_float: bool = False
    alpha_mode: str = "STRAIGHT"

    @property
    def is_srgb(self) -> bool:
        """Whether pixels are encoded as sRGB; those of float images never are."""
        return self.space == SRGB and not self.is_float

    def encoded(self, linear: np.ndarray) -> np.ndarray:
        """Scene-linear colours (..., 4) as the pixels of such an image have them."""
        if not self.is_srgb:
            return linear
        found = linear.astype(np.float32, copy=True)
        found[..., :3] = _srgb(linear[..., :3])
        return found


@dataclass(frozen=True, eq=False)
class SourceTexture:
    """One new image: a channel of the materials, or several that one image of each holds.

    Attributes
    ----------
    name : str
        Of its first channel.
    parts : dict of str to str
        By channel: "Color", "R", "G", "B" or "Alpha".
    values : dict of int to Picture or Graph
        By material slot, where the channels are not constant.
    constants : dict of int to (4,) float32
        By the other slots: scene linear, as the parts have them.
    in_place : bool
        Whether the new image is shown by the node that shows the old one.
    storage : Storage
    """

    name: str
    parts: dict[str, str]
    values: dict[int, Picture | Graph]
    constants: dict[int, np.ndarray]
    in_place: bool
    storage: Storage


@dataclass(frozen=True, eq=False)
class SourceTextures:
    """The channels of an object's materials.

    Attributes
    ----------
    textures : tuple of SourceTexture
    materials : dict of int to MaterialChannels
        By the material slots that faces have.
    """

    textures: tuple[SourceTexture, ...]
    materials: dict[int, MaterialChannels]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a transfer cannot show as the source does."""
        found: dict[str, None] = {}
        for read in self.materials.values():
            found.update(dict.fromkeys(read.remarks))
        for texture in self.textures:
            for value in texture.values.values():
                if isinstance(value, Graph):
                    found.update(dict.fromkeys(value.remarks))
        return tuple(found)


def find_textures(obj: bpy.types.Object) -> SourceTextures:
    """The channels of an object's materials that a transfer has to move.

    Parameters
    ----------
    obj : bpy.types.Object

    Raises
    ------
    DiffusionNetError
        If the whole object has one colour, or neither that nor a UV map.
    """
    slots = obj.material_slots
    used = np.unique(slots_of_polygons(obj)).tolist() if len(slots) else []
    materials = {number: read_channels(slots[number].material, obj) for number in used}
    _agree_on_normals(materials)
    varying: dict[str, None] = {}
    for read in materials.values():
        varying.update((c, None) for c, v in read.values.items() if not isinstance(v, Constant))
    colours = [read.constant(BASE_COLOR) for read in materials.values()]
    if not varying and any(not np.allclose(colours[0], colour) for colour in colours):
        varying[BASE_COLOR] = None
    if not varying:
        source_uv_name(obj)
        raise DiffusionNetError(
            f"The materials of {obj.name!r} have no image, and one colour everywhere",
            "Add an Image Texture node, or switch Texture off.",
        )
    textures = []
    for group in _groups(list(varying), materials):
        together = _together(group, materials) if len(group) > 1 else None
        if together:
            textures.append(together)
        else:
            textures.extend(_alone(channel, materials) for channel in group)
    return SourceTextures(tuple(textures), materials)


def slots_of_polygons(obj: bpy.types.Object) -> np.ndarray:
    """Material slot of each polygon, (P,) int32, as Blender shows it: the last for any beyond."""
    return np.minimum(material_indices(obj.data), max(len(obj.material_slots) - 1, 0))


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


def _agree_on_normals(materials: Mapping[int, MaterialChannels]) -> None:
    """Where one material bakes its normals, or has other maps for them, all are baked."""
    kinds = set()
    for read in materials.values():
        own = {c for c in (NORMAL, HEIGHT) if c in read.values}
        kinds.add(frozenset(own | {"baked"} if isinstance(read.values.get(NORMAL), Graph) else own))
    kinds.discard(frozenset())
    if len(kinds) < 2:
        return
    for read in materials.values():
        old = read.values.pop(HEIGHT, None), read.values.get(NORMAL)
        images = tuple(value.image for value in old if isinstance(value, Picture))
        if images:
            read.values[NORMAL] = Graph(FLAT_NORMAL, images)


def _groups(channels: list[str], materials: Mapping[int, MaterialChannels]) -> Iterable[list[str]]:
    """Channels that share images in any of the materials."""
    group = {channel: channel for channel in channels}
    for read in materials.values():
        first: dict[str, str] = {}
        for channel in channels:
            value = read.values.get(channel)
            if isinstance(value, Picture):
                old, new = group[channel], group[first.setdefault(value.node, channel)]
                group = {c: new if g == old else g for c, g in group.items()}
    for leader in dict.fromkeys(group.values()):
        yield [channel for channel in channels if group[channel] == leader]


def _together(
    channels: list[str], materials: Mapping[int, MaterialChannels]
) -> SourceTexture | None:
    """One texture of several channels; None if the materials do not have them in the same parts."""
    parts: dict[str, str] = {}
    values: dict[int, Picture | Graph] = {}
    for number, read in materials.items():
        own = {c: read.values[c] for c in channels if read.constant(c) is None}
        if any(not isinstance(value, Picture) for value in own.values()):
            return None
        if len({value.node for value in own.values()}) > 1:
            return None
        for channel, value in own.items():
            if parts.setdefault(channel, value.part) != value.part:
                return None
            # Of the channels, the one that names the map of its tangents.
            values[number] = value if value.frame else values.get(number, value)
    overlapping = set(parts.values()) - {"Alpha"}
    if "Color" in overlapping and len(overlapping) > 1:
        return None
    constants = {}
    for number, read in materials.items():
        own = {c: read.constant(c) for c in channels if read.constant(c) is not None}
        if number in values and set(own) - {c for c in own if parts[c] == "Alpha"}:
            return None
        packed = _packed(own, parts)
        if packed is None:
            return None
        if number not in values:
            constants[number] = packed
    storage = _storage(channels[0], values, bool(constants))
    return storage and SourceTexture(channels[0], parts, values, constants, True, storage)


def _packed(values: Mapping[str, np.ndarray], parts: Mapping[str, str]) -> np.ndarray | None:
    """Constants of channels as one colour; None if two of them differ in the same part."""
    packed = np.ones(4, dtype=np.float32)
    taken: dict[str, np.ndarray] = {}
    for channel, value in values.items():
        part = parts[channel]
        if not np.allclose(taken.setdefault(part, value), value):
            return None
        if part == "Color":
            packed[:3] = value[:3]
        else:
            packed["RGBA".index(part[0])] = value[0]
    return packed


def _alone(channel: str, materials: Mapping[int, MaterialChannels]) -> SourceTexture:
    """A texture of one channel."""
    values: dict[int, Picture | Graph] = {}
    constants: dict[int, np.ndarray] = {}
    for number, read in materials.items():
        value = read.values.get(channel)
        if isinstance(value, Picture | Graph):
            values[number] = value
        elif channel in NORMALS:
            constants[number] = FLAT_NORMAL
        else:
            constants[number] = read.constant(channel)
    storage = _storage(channel, values, bool(constants))
    if storage is None:
        values = {
            n: v if isinstance(v, Graph) or _encoding(v) in (SRGB, LINEAR) else _as_graph(v)
            for n, v in values.items()
        }
        storage = _storage(channel, values, True)
    pictures = [value for value in values.values() if isinstance(value, Picture)]
    shared = [
        c
        for n, read in materials.items()
        for c, v in read.values.items()
        if isinstance(v, Picture) and n in values and v.node == getattr(values[n], "node", "")
    ]
    in_place = all(p.part == "Color" for p in pictures) and set(shared) <= {channel}
    return SourceTexture(channel, {channel: "Color"}, values, constants, in_place, storage)


def _as_graph(picture: Picture) -> Graph:
    return Graph(np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32), (picture.image,))


def _encoding(picture: Picture) -> str:
    """How the pixels of an image are encoded: "sRGB", linear, or in another space."""
    image = picture.image
    space = image.colorspace_settings
    if picture.part == "Alpha" or image.is_float or space.is_data or space.name == LINEAR:
        return LINEAR
    return space.name


def _storage(
    channel: str, values: Mapping[int, Picture | Graph], any_constant: bool
) -> Storage | None:
    """How a texture is stored; None if an image of it has to be baked for that."""
    pictures = [value for value in values.values() if isinstance(value, Picture)]
    is_colour = channel.endswith(("Color", "Tint"))
    if not pictures:
        return Storage(SRGB if is_colour else RAW)
    image, encodings = pictures[0].image, {_encoding(picture) for picture in pictures}
    alpha_mode = image.alpha_mode
    if any(picture.image.is_float for picture in pictures):
        space = image.colorspace_settings
        known = encodings <= {SRGB, LINEAR}
        name = space.name if space.is_data else LINEAR
        return Storage(name, True, alpha_mode) if known else None
    mixed = any_constant or len(pictures) < len(values) or len(encodings) > 1
    if mixed and not encodings <= {SRGB, LINEAR}:
        return None
    if len(encodings) > 1:
        return Storage(SRGB if is_colour else RAW, False, alpha_mode)
    if pictures[0].part == "Alpha":
        return Storage(RAW)
    return Storage(image.colorspace_settings.name, False, alpha_mode)


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
        encoding = _encoding(value)
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
    layout, height, width = _bake_layout(obj, shape, slots, sizes)
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


def _bake_layout(
    obj: bpy.types.Object, shape: MeshShape, slots: set[int], sizes: Iterable[tuple[int, int]]
) -> tuple[np.ndarray, int, int]:
    """UVs (L, 2) to bake some slots into, with height and width of the image.

    The layout that renders keeps each texel of an image where it is; where it overlaps or leaves
    the unit square, each polygon gets a place of its own.
    """
    mesh = obj.data
    chosen = np.isin(slots_of_polygons(obj), list(slots))
    height, width = max(sizes, key=math.prod)
    if mesh.uv_layers:
        uv = read_uv(mesh, source_uv_name(obj))
        corners = shape.corners[chosen[shape.polygon_of_triangle]]
        if is_one_to_one(uv[corners], height, width):
            return uv, height, width
    counts = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_total", counts)
    side = atlas_side(counts[chosen], max(height, width, DEFAULT_SIDE), LARGEST_BAKE)
    return polygon_atlas(counts.astype(np.int64), _extents(mesh), chosen, side), side, side


def _extents(mesh: bpy.types.Mesh) -> np.ndarray:
    """Diagonal of the box around each polygon, (P,)."""
    places = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", places)
    vertices = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    corners = places.reshape(-1, 3)[vertices]
    low, high = (reduce.reduceat(corners, starts) for reduce in (np.minimum, np.maximum))
    return np.linalg.norm((high - low).astype(np.float64), axis=1)


def _srgb(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
