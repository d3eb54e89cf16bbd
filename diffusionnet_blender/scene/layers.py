"""Data layers of an object for a transfer: UVs, weights, shape keys, attributes, labels, bones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..options import quoted_names
from ..tasks.labels import Labels
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import Attribute, Layers, MeshShape, ShapeKeys, Weights
from .armatures import armature_of, bone_names, read_bones
from .attributes import AttributeKind, kind_of, read_attribute, read_values, write_attribute
from .labels import read_labels
from .materials import slots_of_polygons
from .ownership import Kind, Role, still_ours
from .read import read_object
from .shape_keys import key_names, read_keys
from .texture_pixels import read_textures
from .textures import SourceTextures, Storage, find_textures
from .uv_maps import read_uv, source_uv_name
from .vertex_groups import read_weights

COLOURS = {"FLOAT_COLOR", "BYTE_COLOR"}
DOMAINS = {"POINT", "CORNER", "FACE"}
# Attributes of the geometry itself, or of other kinds of data.
NOT_MOVED = {"position", "material_index", "custom_normal", "sharp_face", "sharp_edge"}


@dataclass(frozen=True, eq=False)
class Source:
    """Geometry and data of a source.

    Attributes
    ----------
    shape : MeshShape
    layers : Layers
    textures : SourceTextures or None
        Where the images are in its materials.
    labels : Labels or None
    storages : dict of str to Storage
        How the new images are stored, by channel.
    remarks : tuple of str
        What of its materials cannot be shown as it is.
    """

    shape: MeshShape
    layers: Layers
    textures: SourceTextures | None
    labels: Labels | None
    storages: dict[str, Storage] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


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
        corners = read_values(mesh.loop_triangles, "loops", np.int32, 3)
        corners = corners.astype(np.int64)
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


def with_pixels(obj: bpy.types.Object, source: Source) -> Source:
    """Add the pixels of the textures to what `read_source` read of an object.

    Raises
    ------
    DiffusionNetError
        If the file of an image is missing.
    """
    if source.textures is None:
        return source
    textures, storages, remarks = read_textures(obj, source.shape, source.textures)
    return replace(
        source,
        layers=replace(source.layers, textures=textures),
        storages=storages,
        remarks=source.textures.remarks + remarks,
    )


def read_source(obj: bpy.types.Object, kinds: Kinds) -> Source:
    """Read the chosen kinds of data, of textures all but the pixels; not in Edit Mode.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh; it may be linked.
    kinds : Kinds

    Raises
    ------
    DiffusionNetError
        If the source lacks chosen data.
    """
    mesh = obj.data
    shape = read_shape(obj)
    uv, textures, labels = None, None, None
    if kinds.uv:
        uv = read_uv(mesh, source_uv_name(obj))
    if kinds.texture:
        textures = find_textures(obj)
    if kinds.labels:
        labels = read_labels(obj)
    if kinds.materials and not any(slot.material for slot in obj.material_slots):
        raise DiffusionNetError(
            f"{obj.name!r} has no materials", "Assign one, or switch Materials off."
        )
    attributes = _read_attributes(obj, kinds)
    layers = Layers(
        slots=slots_of_polygons(obj).astype(np.int64),
        uv=uv,
        copy_uv=kinds.uv,
        move_slots=kinds.materials,
        weights=_read_groups(obj, kinds) if kinds.weights else None,
        keys=_read_keys(obj, kinds.key_names) if kinds.shape_keys else None,
        attributes=attributes,
        labels=labels.vertex_probabilities if labels else None,
        bones=read_bones(obj, armature_of(obj)) if kinds.armature else None,
    )
    return Source(shape, layers, textures, labels)


def has_default_data(obj: bpy.types.Object, kind: str) -> bool:
    """Whether a source has data of a kind that is transferred by default."""
    data = {"texture": obj.data.uv_layers, "weights": obj.vertex_groups}
    return kind not in data or len(data[kind]) > 0


def write_moved_attribute(mesh: bpy.types.Mesh, name: str, attribute: Attribute) -> None:
    """Write an attribute that was moved, under a name; not in Edit Mode."""
    kind = kind_of(attribute.data_type, attribute.domain)
    write_attribute(mesh, name, kind, attribute.values)


def _read_attributes(obj: bpy.types.Object, kinds: Kinds) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    for is_chosen, is_colour, noun, switch in (
        (kinds.colors, True, "color attribute", "Colors"),
        (kinds.attributes, False, "attribute", "Attributes"),
    ):
        if not is_chosen:
            continue
        named = {n: k for n, k in _movable(obj).items() if (k.data_type in COLOURS) == is_colour}
        if not named:
            raise DiffusionNetError(
                f"{obj.name!r} has no {noun}", f"Add one, or switch {switch} off."
            )
        for name in _without_labels(obj, Kind.ATTRIBUTE, list(named)):
            kind = named[name]
            values = read_attribute(obj.data, name, kind)
            found.append(Attribute(name, kind.data_type, kind.domain, values))
    return tuple(found)


def _movable(obj: bpy.types.Object) -> dict[str, AttributeKind]:
    """Attributes that can be moved, by name, without those that are other kinds of data."""
    mesh = obj.data
    skipped = {*NOT_MOVED, *mesh.uv_layers.keys()}
    legend = mesh.diffusionnet if hasattr(mesh, "diffusionnet") else None
    if legend is not None:
        skipped |= {legend.face_attribute, legend.vertex_attribute}
    found = {}
    for attribute in mesh.attributes:
        name = attribute.name
        if name.startswith(".") or name in skipped or attribute.is_internal:
            continue
        kind = kind_of(attribute.data_type, attribute.domain)
        if kind is not None and attribute.domain in DOMAINS:
            found[name] = kind
    return found


def _without_labels(obj: bpy.types.Object, kind: Kind, names: Sequence[str]) -> list[str]:
    """Names without those of labels, which Part Labels moves; all if there are no others."""
    ours = {n for role in (Role.LABELS, Role.MASK) for n in still_ours(obj, kind, role, names)}
    return [name for name in names if name not in ours] or list(names)


def _read_groups(obj: bpy.types.Object, kinds: Kinds) -> Weights:
    names_wanted = kinds.group_names
    if kinds.groups == "ACTIVE" and not names_wanted:
        active = obj.vertex_groups.active
        if active is None:
            raise DiffusionNetError(f"{obj.name!r} has no active vertex group", "Make one active.")
        names_wanted = (active.name,)
    existing = obj.vertex_groups.keys()
    if not names_wanted:
        existing = _without_labels(obj, Kind.VERTEX_GROUP, existing)
    names = _chosen(obj, existing, names_wanted, "vertex group")
    bones = bone_names(obj)
    if kinds.groups == "DEFORM" and bones:
        names = [name for name in names if name in bones]
        if not names:
            raise DiffusionNetError(
                f"No vertex group of {obj.name!r} belongs to a deform bone", "Choose all groups."
            )
    values = read_weights(obj, names).astype(np.float64)
    skinned = None
    if bones:
        deforming = np.array([name in bones for name in names])
        # Also by bones that are not moved: their vertices are not without weights.
        skinned = read_weights(obj, sorted(bones)).any(axis=1)
    else:
        # Without an armature, weights that add up to one are taken for skin weights.
        total = values.sum(axis=1)
        deforming = np.full(len(names), bool(np.median(np.abs(total - 1.0)) < 0.01))
    return Weights(tuple(names), values, deforming, skinned)


def _read_keys(obj: bpy.types.Object, chosen: Sequence[str]) -> ShapeKeys:
    return read_keys(obj, _chosen(obj, key_names(obj), chosen, "shape key"))


def _chosen(obj, existing: Sequence[str], chosen: Sequence[str], noun: str) -> list[str]:
    if not existing:
        raise DiffusionNetError(
            f"{obj.name!r} has no {noun}s", f"Switch {noun}s off, or choose another source."
        )
    missing = [name for name in chosen if name not in existing]
    if missing:
        raise DiffusionNetError(
            f"{obj.name!r} has no {noun} {missing[0]!r}", f"It has {quoted_names(existing)}."
        )
    return list(chosen) or list(existing)
