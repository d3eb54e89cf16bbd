"""Layers of data on an object, read from Blender and written to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.labels import Labels
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import Attribute, Layers, MeshShape, ShapeKeys, Weights
from .armatures import armature_of, bone_names, read_bones
from .attributes import AttributeKind, read_attribute, write_attribute
from .labels import read_labels
from .read import read_object
from .textures import SourceTextures, read_textures
from .vertex_groups import read_weights

# Types of attributes that can be moved, and how each is stored.
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
COLOURS = {"FLOAT_COLOR", "BYTE_COLOR"}
DOMAINS = {"POINT", "CORNER", "FACE"}
# Attributes that are part of what a mesh is, or that other choices move.
NOT_MOVED = {"position", "material_index", "custom_normal", "sharp_face", "sharp_edge"}


@dataclass(frozen=True, eq=False)
class Source:
    """What was read of a source.

    Attributes
    ----------
    shape : MeshShape
    layers : Layers
    textures : SourceTextures or None
        Where the images are in its materials.
    labels : Labels or None
    """

    shape: MeshShape
    layers: Layers
    textures: SourceTextures | None
    labels: Labels | None


def read_shape(obj: bpy.types.Object) -> MeshShape:
    """The mesh of an object with its corners and polygons; not in Edit Mode.

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DiffusionNetError
        If it has no faces.
    """
    geometry = read_object(obj)
    if geometry.surface.is_point_cloud:
        raise DiffusionNetError(f"{obj.name!r} has no faces", "Choose a mesh with faces.")
    mesh = obj.data
    if len(mesh.loops) == 3 * len(mesh.polygons):
        corners = np.arange(len(mesh.loops), dtype=np.int64).reshape(-1, 3)
    else:
        mesh.calc_loop_triangles()
        corners = np.empty(3 * len(mesh.loop_triangles), dtype=np.int32)
        mesh.loop_triangles.foreach_get("loops", corners)
        corners = corners.reshape(-1, 3).astype(np.int64)
    if obj.matrix_world.determinant() < 0:
        corners = corners[:, ::-1]
    return MeshShape(
        vertices=geometry.surface.vertices,
        triangles=geometry.surface.faces,
        corners=np.ascontiguousarray(corners),
        polygon_of_triangle=geometry.polygons.of_triangle.astype(np.int64),
        corner_count=len(mesh.loops),
        polygon_count=geometry.polygons.count,
    )


def read_source(obj: bpy.types.Object, wanted: Kinds) -> Source:
    """Read all that is to be moved; not in Edit Mode.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh; it may be linked.
    wanted : Kinds

    Raises
    ------
    DiffusionNetError
        If the source lacks something that is asked for.
    """
    mesh = obj.data
    shape = read_shape(obj)
    uv, textures, labels = None, None, None
    if wanted.texture or wanted.uv:
        uv = read_uv(mesh, source_uv_name(obj))
    if wanted.texture:
        textures = read_textures(obj)
    if wanted.labels:
        labels = read_labels(obj)
    slots = np.zeros(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    if wanted.materials and not any(slot.material for slot in obj.material_slots):
        raise DiffusionNetError(
            f"{obj.name!r} has no materials", "Assign one, or switch Materials off."
        )
    attributes = _read_attributes(obj, wanted)
    layers = Layers(
        slots=slots.astype(np.int64),
        uv=uv,
        copy_uv=wanted.uv,
        textures=textures.textures if textures else (),
        move_slots=wanted.materials,
        weights=_read_groups(obj, wanted) if wanted.weights else None,
        keys=_read_keys(obj, wanted.key_names) if wanted.shape_keys else None,
        attributes=attributes,
        labels=labels.vertex_probabilities if labels else None,
        bones=read_bones(obj, armature_of(obj)) if wanted.armature else None,
    )
    return Source(shape, layers, textures, labels)


def has_default_data(obj: bpy.types.Object, kind: str) -> bool:
    """Whether a source has data of a kind that is transferred by default."""
    data = {"texture": obj.data.uv_layers, "weights": obj.vertex_groups}
    return kind not in data or len(data[kind]) > 0


def source_uv_name(obj: bpy.types.Object) -> str:
    """Name of the UV map that renders use.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    layers = obj.data.uv_layers
    if not layers:
        raise DiffusionNetError(
            f"{obj.name!r} has no UV map, which Texture and UV Map need",
            "Unwrap it, or switch Texture and UV Map off.",
        )
    return next((layer.name for layer in layers if layer.active_render), layers[0].name)


def read_uv(mesh: bpy.types.Mesh, name: str) -> np.ndarray:
    """UVs at the corners, (L, 2) float64."""
    uv = np.empty(2 * len(mesh.loops), dtype=np.float32)
    mesh.attributes[name].data.foreach_get("vector", uv)
    return uv.reshape(-1, 2).astype(np.float64)


def kind_of(data_type: str, domain: str) -> AttributeKind:
    """How an attribute that can be moved is stored."""
    value_name, dtype, width = STORED[data_type]
    return AttributeKind(data_type, domain, value_name, dtype, width)


def write_moved_attribute(mesh: bpy.types.Mesh, name: str, attribute: Attribute) -> None:
    """Write an attribute that was moved, under a name; not in Edit Mode."""
    kind = kind_of(attribute.data_type, attribute.domain)
    write_attribute(mesh, name, kind, attribute.values)


def _read_attributes(obj: bpy.types.Object, wanted: Kinds) -> tuple[Attribute, ...]:
    mesh = obj.data
    left_out = {*NOT_MOVED, *mesh.uv_layers.keys()}
    legend = mesh.diffusionnet if hasattr(mesh, "diffusionnet") else None
    if legend is not None:
        left_out |= {legend.face_attribute, legend.vertex_attribute}
    found = []
    for attribute in mesh.attributes:
        name = attribute.name
        if name.startswith(".") or name in left_out or attribute.is_internal:
            continue
        if attribute.data_type not in STORED or attribute.domain not in DOMAINS:
            continue
        is_colour = attribute.data_type in COLOURS
        if wanted.colors if is_colour else wanted.attributes:
            values = read_attribute(mesh, name, kind_of(attribute.data_type, attribute.domain))
            found.append(Attribute(name, attribute.data_type, attribute.domain, values))
    for asked, colour, what, switch in (
        (wanted.colors, True, "color attribute", "Colors"),
        (wanted.attributes, False, "attribute", "Attributes"),
    ):
        if asked and not any((a.data_type in COLOURS) == colour for a in found):
            raise DiffusionNetError(
                f"{obj.name!r} has no {what}", f"Add one, or switch {switch} off."
            )
    return tuple(found)


def _read_groups(obj: bpy.types.Object, wanted: Kinds) -> Weights:
    asked = wanted.group_names
    if wanted.groups == "ACTIVE" and not asked:
        active = obj.vertex_groups.active
        if active is None:
            raise DiffusionNetError(f"{obj.name!r} has no active vertex group", "Make one active.")
        asked = (active.name,)
    names = _chosen(obj, obj.vertex_groups.keys(), asked, "vertex group")
    bones = bone_names(obj)
    if wanted.groups == "DEFORM" and bones:
        names = [name for name in names if name in bones]
        if not names:
            raise DiffusionNetError(
                f"No vertex group of {obj.name!r} belongs to a deform bone", "Choose all groups."
            )
    values = read_weights(obj, names).astype(np.float64)
    if bones:
        deforming = np.array([name in bones for name in names])
    else:
        # Without an armature to ask: skin weights are those that add up to one.
        total = values.sum(axis=1)
        deforming = np.full(len(names), bool(np.median(np.abs(total - 1.0)) < 0.01))
    return Weights(tuple(names), values, deforming)


def _read_keys(obj: bpy.types.Object, chosen: Sequence[str]) -> ShapeKeys:
    keys = obj.data.shape_keys
    blocks = [] if keys is None else [key for key in keys.key_blocks if key != keys.reference_key]
    names = _chosen(obj, [key.name for key in blocks], chosen, "shape key")
    linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
    basis = _key_positions(keys.reference_key)
    rest = np.empty(3 * len(obj.data.vertices), dtype=np.float32)
    obj.data.vertices.foreach_get("co", rest)
    rest = rest.reshape(-1, 3).astype(np.float64)
    positions = np.stack(
        [(rest + _key_positions(keys.key_blocks[name]) - basis) @ linear.T for name in names]
    )
    return ShapeKeys(tuple(names), positions)


def _key_positions(key: bpy.types.ShapeKey) -> np.ndarray:
    positions = np.empty(3 * len(key.data), dtype=np.float32)
    key.data.foreach_get("co", positions)
    return positions.reshape(-1, 3).astype(np.float64)


def _chosen(obj, there: Sequence[str], wanted: Sequence[str], what: str) -> list[str]:
    if not there:
        raise DiffusionNetError(
            f"{obj.name!r} has no {what}s", f"Switch {what}s off, or choose another source."
        )
    missing = [name for name in wanted if name not in there]
    if missing:
        raise DiffusionNetError(
            f"{obj.name!r} has no {what} {missing[0]!r}", f"It has {', '.join(there)}."
        )
    return list(wanted) or list(there)
