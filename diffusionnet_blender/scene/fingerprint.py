"""Fingerprints of attributes, vertex groups, shape keys and data-blocks.

Two are equal only if nothing in the content has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

import bpy
import numpy as np

from .attributes import kind_of, read_attribute, read_values
from .compat import is_deprecated

# Custom property of data-blocks that were made by the extension.
CONTENT = "diffusionnet_content"
# Digits of floating point properties: leaving Edit Mode computes those of bones anew.
DIGITS = 4
# Properties that change without an edit: those of selection, of the interface and of the file
# itself, and those that follow from others, as matrices from location, rotation and scale.
_VOLATILE = {
    "rna_type", "original", "preview", "library", "library_weak_reference", "override_library",
    "asset_data", "tag", "use_fake_user", "use_extra_user", "is_runtime_data", "is_valid",
    "data", "children", "internal_links", "dimensions", "location_absolute",
    "matrix", "matrix_basis", "matrix_local", "matrix_parent_inverse", "matrix_world",
}  # fmt: skip
_VOLATILE_PREFIXES = ("active", "bl_", "select", "show_expanded")
# Read-only properties that an edit changes.
_EDITED = {"head_local", "tail_local", "name"}
# Of an object: its place is compared apart, see `armature_write`, and whether it is shown tells
# nothing.
_PLACE = {
    "location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale",
    "delta_location", "delta_rotation_euler", "delta_rotation_quaternion", "delta_scale",
    "hide_viewport", "hide_render", "hide_select", "display_type", "show_in_front",
}  # fmt: skip


def of_array(values: np.ndarray, *words: str) -> str:
    """Fingerprint of an array, with words that must agree as well."""
    digest = blake2b("|".join(words).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(values))
    return digest.hexdigest()


def of_attribute(mesh: bpy.types.Mesh, name: str) -> str:
    """Fingerprint of an attribute; "" for types that are never written."""
    attribute = mesh.attributes[name]
    kind = kind_of(attribute.data_type, attribute.domain)
    if kind is None:
        return ""
    if kind.data_type == "BYTE_COLOR":
        # As stored; the conversion to linear colours takes longer than all else.
        kind = replace(kind, value_name="color_srgb")
    values = read_attribute(mesh, name, kind)
    return of_array(values, attribute.data_type, attribute.domain)


def of_weights(weights: np.ndarray) -> list[str]:
    """Fingerprint of each column of weights (V, B) as they are stored."""
    return [of_array(column) for column in np.asarray(weights, dtype=np.float32).T]


def of_key(key: bpy.types.ShapeKey) -> str:
    """Fingerprint of a shape key: its shape, its range and what it is relative to.

    A range that is driven is what its driver makes of it.
    """
    positions = read_values(key.data, "co", np.float32, 3)
    animation = key.id_data.animation_data
    driven = {driver.data_path for driver in animation.drivers} if animation else set()
    words = (
        key.vertex_group,
        key.relative_key.name,
        *(
            f"{getattr(key, end):.{DIGITS}g}"
            for end in ("slider_min", "slider_max")
            if key.path_from_id(end) not in driven
        ),
    )
    return of_array(positions, *words)


def of_image(image: bpy.types.Image) -> str:
    """Fingerprint of an image by its name, settings and pixels."""
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    if not image.is_float:
        pixels = np.round(pixels * 255).astype(np.uint8)
    words = (image.name, *map(str, image.size), image.colorspace_settings.name, image.alpha_mode)
    if image.source == "TILED":
        # The pixels are those of the first tile alone.
        tiles = [np.frombuffer(file.packed_file.data, np.uint8) for file in image.packed_files]
        painted = "painted" if image.is_dirty else ""
        words = (
            *words,
            *(str(tile.number) for tile in image.tiles),
            *map(of_array, tiles),
            painted,
        )
    return of_array(pixels, *words)


def of_block(*blocks: bpy.types.ID) -> str:
    """Fingerprint of data-blocks by all their properties, their place in the scene excepted."""
    digest = blake2b(digest_size=16)
    seen: set[int] = set()
    for block in blocks:
        for text in _content(block, seen):
            digest.update(text.encode(errors="surrogatepass") + b"\0")
    return digest.hexdigest()


def _content(struct: bpy.types.bpy_struct, seen: set[int]) -> Iterable[str]:
    """Every property of a structure as text, and those of the structures in it."""
    seen.add(struct.as_pointer())
    yield type(struct).__name__
    if isinstance(struct, (bpy.types.ID, bpy.types.Bone, bpy.types.PoseBone)):
        yield from _custom_properties(struct)
    for prop in struct.bl_rna.properties:
        name = prop.identifier
        if name in _VOLATILE or name.startswith(_VOLATILE_PREFIXES) or is_deprecated(prop):
            continue
        if isinstance(struct, bpy.types.Object) and name in _PLACE:
            continue
        if prop.type == "POINTER":
            yield name
            yield from _pointed(getattr(struct, name), seen)
        elif prop.type == "COLLECTION":
            yield name
            for item in getattr(struct, name):
                yield from _pointed(item, seen)
        elif not prop.is_readonly or name in _EDITED:
            yield f"{name}={_text(getattr(struct, name))}"


def _custom_properties(struct: bpy.types.bpy_struct) -> Iterable[str]:
    """Custom properties; those that add-ons have declared are among the other properties."""
    declared = struct.bl_rna.properties.keys()
    for key in sorted(struct.keys()):
        if key not in declared and not key.startswith("diffusionnet_"):
            value = struct[key]
            plain = getattr(value, "to_dict", getattr(value, "to_list", lambda value=value: value))
            yield f"{key}={plain()}"


def _pointed(value: bpy.types.bpy_struct | None, seen: set[int]) -> Iterable[str]:
    if value is None or not isinstance(value, bpy.types.bpy_struct):
        yield str(value)
    elif isinstance(value, bpy.types.ID) and not value.is_embedded_data:
        yield value.name_full
    elif value.as_pointer() in seen:
        yield getattr(value, "name", "")
    else:
        yield from _content(value, seen)


def _text(value) -> str:
    """A value of a property, with floating point numbers rounded."""
    if isinstance(value, float):
        return f"{value + 0.0:.{DIGITS}g}"
    if isinstance(value, (str, int, bool)) or value is None:
        return str(value)
    if isinstance(value, set):
        return str(sorted(value))
    try:
        return ",".join(_text(item) for item in value)
    except TypeError:
        return str(value)
