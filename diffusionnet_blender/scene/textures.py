"""The textures of an object's materials as they are seen, for a transfer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .materials import slots_of_polygons
from .shader_channels import (
    FLAT_NORMAL,
    Constant,
    Graph,
    MaterialChannels,
    Picture,
    read_channels,
)
from .shader_graph import BASE_COLOR, HEIGHT, NORMAL, NORMALS
from .srgb import linear_to_srgb
from .uv_maps import source_uv_name

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
        found[..., :3] = linear_to_srgb(linear[..., :3])
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

    def only(self, slots: Collection[int]) -> SourceTextures:
        """The channels of the materials of some slots, of textures those that they have."""
        textures = [
            replace(
                texture,
                values={n: value for n, value in texture.values.items() if n in slots},
                constants={n: value for n, value in texture.constants.items() if n in slots},
            )
            for texture in self.textures
        ]
        return SourceTextures(
            tuple(t for t in textures if t.values or _differ(t.constants.values())),
            {n: read for n, read in self.materials.items() if n in slots},
        )


def _differ(colours: Iterable[np.ndarray]) -> bool:
    colours = list(colours)
    return any(not np.allclose(colours[0], colour) for colour in colours)


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
            n: v if isinstance(v, Graph) or encoding_of(v) in (SRGB, LINEAR) else _as_graph(v)
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


def encoding_of(picture: Picture) -> str:
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
    image, encodings = pictures[0].image, {encoding_of(picture) for picture in pictures}
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
