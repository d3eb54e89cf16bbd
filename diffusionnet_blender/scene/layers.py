"""Data layers of an object for a transfer: UVs, weights, shape keys, attributes, labels, bones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..options import named_by
from ..tasks.labels import Labels
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import Attribute, Bones, Layers, MeshShape, ShapeKeys, Weights
from ..tasks.transfer.mirror import Mirror, one_sided, side_values, with_other_side
from .armatures import armature_of, bone_names, read_bones
from .attributes import AttributeKind, kind_of, read_attribute, read_values, write_attribute
from .labels import read_labels
from .materials import slots_of_polygons
from .moved_names import chosen_names, group_names_of, hanging_weights, key_names_of
from .ownership import Kind, Role, still_ours
from .read import linear_of, origin_of, read_object
from .shape_keys import key_names, read_keys
from .texture_pixels import read_textures
from .textures import SourceTextures, Storage, find_textures
from .uv_maps import read_uv, source_uv_name
from .vertex_groups import read_weights

Layer = TypeVar("Layer")
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
    objects : tuple of bpy.types.Object
        Whose data it is.
    materials : tuple of (bpy.types.Material or None)
        By slot, as `Layers.slots` numbers them.
    storages : dict of str to Storage
        How the new images are stored, by channel.
    remarks : tuple of str
        What of its materials cannot be shown as it is.
    """

    shape: MeshShape
    layers: Layers
    textures: SourceTextures | None
    labels: Labels | None
    objects: tuple[bpy.types.Object, ...]
    materials: tuple[bpy.types.Material | None, ...]
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


def read_source(
    obj: bpy.types.Object, kinds: Kinds, lacking: dict[str, DiffusionNetError] | None = None
) -> Source:
    """Read the chosen kinds of data, of textures all but the pixels; not in Edit Mode.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh; it may be linked.
    kinds : Kinds
    lacking : dict of str to DiffusionNetError, optional
        Of a member of a character: the kinds of data that it lacks are noted here, by name, and
        passed over; the armature is not read.

    Raises
    ------
    DiffusionNetError
        If the source lacks chosen data.
    """
    mesh = obj.data
    shape = read_shape(obj)

    def chosen(kind: str, read: Callable[[], Layer]) -> Layer | None:
        if not getattr(kinds, kind):
            return None
        try:
            return read()
        except DiffusionNetError as error:
            if lacking is None:
                raise
            lacking.setdefault(kind, error)
            return None

    uv = chosen("uv", lambda: read_uv(mesh, source_uv_name(obj)))
    textures = chosen("texture", lambda: find_textures(obj))
    labels = chosen("labels", lambda: read_labels(obj))
    move_slots = chosen("materials", lambda: _require_materials(obj))
    colours = chosen("colors", lambda: _read_attributes(obj, True))
    others = chosen("attributes", lambda: _read_attributes(obj, False))
    is_member = lacking is not None
    layers = Layers(
        slots=slots_of_polygons(obj).astype(np.int64),
        uv=uv,
        copy_uv=uv is not None,
        move_slots=bool(move_slots),
        weights=chosen("weights", lambda: _read_groups(obj, kinds, is_member)),
        keys=chosen("shape_keys", lambda: _read_keys(obj, kinds.key_names, is_member)),
        attributes=(*(colours or ()), *(others or ())),
        labels=labels.vertex_probabilities if labels else None,
        bones=None if is_member else chosen("armature", lambda: _read_bones(obj)),
    )
    materials = tuple(slot.material for slot in obj.material_slots)
    source = Source(shape, layers, textures, labels, (obj,), materials)
    return source if is_member else with_sides(source, kinds)


def with_sides(source: Source, kinds: Kinds) -> Source:
    """Add the other side of groups and keys that a source has for one side alone, if chosen.

    Raises
    ------
    DiffusionNetError
        If the source is not symmetric.
    """
    if not kinds.mirror:
        return source
    layers, objects = source.layers, source.objects
    groups = one_sided(layers.weights.names if layers.weights else (), group_names_of(objects))
    # Of absolute keys each has a moment of its own, which another side would share.
    relative = [obj for obj in objects if (keys := obj.data.shape_keys) and keys.use_relative]
    names = key_names_of(relative) if layers.keys else []
    chosen = [name for name in names if name in layers.keys.names]
    keys = one_sided(chosen, key_names_of(objects))
    if not (groups or keys):
        return source
    on_a_side = side_values(layers, source.shape, groups, keys)
    mirror = Mirror.of(source.shape, linear_of(objects[0]), on_a_side, objects[0].name)
    return replace(source, layers=with_other_side(layers, source.shape, mirror, groups, keys))


def _require_materials(obj: bpy.types.Object) -> bool:
    if not any(slot.material for slot in obj.material_slots):
        raise DiffusionNetError(
            f"{obj.name!r} has no materials", "Assign one, or switch Materials off."
        )
    return True


def _read_bones(obj: bpy.types.Object) -> Bones:
    rig = armature_of(obj)
    names = [bone.name for bone in rig.data.bones]
    return read_bones(rig, origin_of(obj), read_weights(obj, names).astype(np.float64))


def has_default_data(objects: Sequence[bpy.types.Object], kind: str) -> bool:
    """Whether any object of a source has data of a kind that is transferred by default."""
    if kind == "texture":
        return any(len(obj.data.uv_layers) for obj in objects)
    return kind != "weights" or any(len(obj.vertex_groups) for obj in objects)


def write_moved_attribute(mesh: bpy.types.Mesh, name: str, attribute: Attribute) -> None:
    """Write an attribute that was moved, under a name; not in Edit Mode."""
    kind = kind_of(attribute.data_type, attribute.domain)
    write_attribute(mesh, name, kind, attribute.values)


def _read_attributes(obj: bpy.types.Object, colours: bool) -> tuple[Attribute, ...]:
    """Its colour attributes, or its other attributes."""
    noun, switch = ("color attribute", "Colors") if colours else ("attribute", "Attributes")
    named = {n: k for n, k in _movable(obj).items() if (k.data_type in COLOURS) == colours}
    if not named:
        raise DiffusionNetError(f"{obj.name!r} has no {noun}", f"Add one, or switch {switch} off.")
    return tuple(
        Attribute(
            name,
            named[name].data_type,
            named[name].domain,
            read_attribute(obj.data, name, named[name]),
        )
        for name in _without_labels(obj, Kind.ATTRIBUTE, list(named))
    )


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


def _read_groups(obj: bpy.types.Object, kinds: Kinds, is_member: bool) -> Weights:
    names_wanted = kinds.group_names
    if kinds.groups == "ACTIVE" and not names_wanted:
        active = obj.vertex_groups.active
        if active is None:
            raise DiffusionNetError(f"{obj.name!r} has no active vertex group", "Make one active.")
        names_wanted = (active.name,)
    existing = obj.vertex_groups.keys()
    if not names_wanted:
        existing = _without_labels(obj, Kind.VERTEX_GROUP, existing)
    if is_member:
        hanging = hanging_weights(obj)
        if hanging is not None and (not names_wanted or named_by(names_wanted, hanging.names)):
            return hanging
        names_wanted = named_by(names_wanted, existing) or names_wanted
    names = chosen_names(obj, existing, names_wanted, "vertex group")
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


def _read_keys(obj: bpy.types.Object, chosen: Sequence[str], is_member: bool) -> ShapeKeys:
    existing = key_names(obj)
    if is_member:
        chosen = named_by(chosen, existing) or chosen
    return read_keys(obj, chosen_names(obj, existing, chosen, "shape key"))
