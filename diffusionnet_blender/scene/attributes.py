"""Attributes of meshes, read and written by data type, domain and width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np


@dataclass(frozen=True)
class AttributeKind:
    """How an attribute is stored.

    Attributes
    ----------
    data_type, domain : str
        As `mesh.attributes.new` takes them.
    value_name : str
        Of the property that `foreach_get` and `foreach_set` use.
    dtype : type
        Of the array.
    width : int
        Values an element.
    """

    data_type: str
    domain: str
    value_name: str
    dtype: type
    width: int = 1


FACE_LABELS = AttributeKind("INT", "FACE", "value", np.int32)
VERTEX_LABELS = AttributeKind("INT", "POINT", "value", np.int32)
VERTEX_VALUES = AttributeKind("FLOAT", "POINT", "value", np.float32)
VERTEX_VECTORS = AttributeKind("FLOAT_VECTOR", "POINT", "vector", np.float32, 3)
# "color_srgb", since palettes are sRGB and "color" is scene linear.
CORNER_COLOURS = AttributeKind("BYTE_COLOR", "CORNER", "color_srgb", np.float32, 4)
VERTEX_COLOURS = AttributeKind("BYTE_COLOR", "POINT", "color_srgb", np.float32, 4)

# Types of attributes that can be read and written: property, array type and width.
STORED = {
    "FLOAT": ("value", np.float32, 1),
    "INT": ("value", np.int32, 1),
    "INT8": ("value", np.int8, 1),
    "BOOLEAN": ("value", bool, 1),
    "FLOAT_VECTOR": ("vector", np.float32, 3),
    "FLOAT2": ("vector", np.float32, 2),
    # Scene linear, in which colours blend.
    "FLOAT_COLOR": ("color", np.float32, 4),
    "BYTE_COLOR": ("color", np.float32, 4),
}


def kind_of(data_type: str, domain: str) -> AttributeKind | None:
    """How an attribute is stored; None for types that are not read."""
    if data_type not in STORED:
        return None
    value_name, dtype, width = STORED[data_type]
    return AttributeKind(data_type, domain, value_name, dtype, width)


def read_values(collection, name: str, dtype: type, width: int = 1) -> np.ndarray:
    """One property of all elements of a collection, (N,) or (N, width).

    Parameters
    ----------
    collection : bpy_prop_collection
        Such as `mesh.vertices`.
    name : str
    dtype : type
        As Blender stores it; another one is converted element by element.
    width : int
        Values an element.
    """
    values = np.empty(len(collection) * width, dtype=dtype)
    collection.foreach_get(name, values)
    return values if width == 1 else values.reshape(-1, width)


def read_attribute(mesh: bpy.types.Mesh, name: str, kind: AttributeKind) -> np.ndarray:
    """Values of an attribute that is there, (N,) or (N, width)."""
    return read_values(mesh.attributes[name].data, kind.value_name, kind.dtype, kind.width)


def write_attribute(
    mesh: bpy.types.Mesh, name: str, kind: AttributeKind, values: np.ndarray
) -> None:
    """Make an attribute, or fill the one of that name; one of another kind is replaced.

    Parameters
    ----------
    mesh : bpy.types.Mesh
        Not in Edit Mode.
    name : str
        At most 60 characters: 4.2 and 4.5 refuse longer ones.
    kind : AttributeKind
    values : (N,) or (N, width)
    """
    attribute = mesh.attributes.get(name)
    if attribute and (attribute.data_type, attribute.domain) != (kind.data_type, kind.domain):
        mesh.attributes.remove(attribute)
        attribute = None
    if attribute is None:
        mesh.attributes.new(name=name, type=kind.data_type, domain=kind.domain)
    # By name again: in 4.2 and 4.5 a reference from before `new` has no length.
    flat = np.ascontiguousarray(values, dtype=kind.dtype).ravel()
    mesh.attributes[name].data.foreach_set(kind.value_name, flat)


def show_colours(mesh: bpy.types.Mesh, name: str, is_ours: Callable[[str], bool]) -> None:
    """Make a colour attribute the one that the viewport shows.

    Parameters
    ----------
    mesh : bpy.types.Mesh
    name : str
    is_ours : callable
        Whether an attribute is as the extension has written it. Where renders and exporters use
        another one, the artist's, they go on doing so.
    """
    colours = mesh.color_attributes
    rendered = colours.render_color_index
    used = colours[rendered].name if 0 <= rendered < len(colours) else ""
    colours.active_color = colours[name]
    keeps = used and used != name and not is_ours(used)
    colours.render_color_index = colours.find(used if keeps else name)
