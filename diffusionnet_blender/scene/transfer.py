"""From a source to a target: all is read and computed before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.labels import polygon_labels
from ..tasks.layers import Layers, MeshShape, Moved, ShapeKeys, Weights
from .armatures import armature_of, require_free_of_armatures, write_armature
from .attributes import FACE_LABELS, show_colours, write_attribute
from .edit_mode import outside_edit_mode
from .layers import (
    COLOURS,
    Source,
    Wanted,
    read_shape,
    read_source,
    read_uv,
    source_uv_name,
    write_moved_attribute,
)
from .matches import Match
from .materials import MATERIAL_INDEX
from .names import claim_names, names_in_use, record_names
from .read import read_object, topology_of
from .results import LabelResult, keep_result
from .textures import MARK, baked_image, textured_material
from .vertex_groups import read_weights, write_vertex_groups
from .write import Outputs, require_writable, write_labels

# Blender takes no more.
MOST_UV_MAPS = 8
UV_MAP = "UVMap"
ISLAND_MARGIN = 0.004
# Ratio of the largest scale of an object to its smallest above which it has no inside.
FLATTEST = 1e6


@dataclass(frozen=True, eq=False)
class Reading:
    """All that is read before anything is computed.

    Attributes
    ----------
    source : Source
    target : MeshShape
    target_uv : (L, 2) float or None
        The layout that textures are baked into.
    unwrapped : bool
        Whether it was made on the way.
    locked : Weights or None
        Groups of the target that stay as they are.
    """

    source: Source
    target: MeshShape
    target_uv: np.ndarray | None
    unwrapped: bool
    locked: Weights | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that is to be written, and what it was made from.

    Attributes
    ----------
    source : Source
    moved : Moved
    target_uv : (L, 2) float or None
        The layout that textures were baked into.
    unwrapped : bool
        Whether it was made on the way.
    """

    source: Source
    moved: Moved
    target_uv: np.ndarray | None
    unwrapped: bool


def require_pair(source: bpy.types.Object | None, target: bpy.types.Object | None) -> None:
    """Raise DiffusionNetError unless these are two meshes, one of which can be written to."""
    for obj, what in ((source, "source"), (target, "target")):
        if obj is None:
            raise DiffusionNetError(f"No {what} is chosen", "Pick one in the Transfer panel.")
    if source == target:
        raise DiffusionNetError(
            f"{source.name!r} is both source and target", "Choose two different objects."
        )
    if source.data == target.data:
        raise DiffusionNetError(
            f"{source.name!r} and {target.name!r} share one mesh, which has all of it already",
            "Make the target's mesh a single user.",
        )
    for obj in (source, target):
        if read_object(obj).surface.is_point_cloud:
            raise DiffusionNetError(
                f"{obj.name!r} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
        linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
        if np.linalg.cond(linear) > FLATTEST:
            raise DiffusionNetError(
                f"{obj.name!r} is scaled to nothing along an axis", "Give it a scale above zero."
            )
    require_writable(target)


@contextmanager
def outside_edit_modes(*objects: bpy.types.Object) -> Iterator[None]:
    """Leave Edit Mode for several objects, and come back at the end."""
    with ExitStack() as stack:
        for obj in objects:
            stack.enter_context(outside_edit_mode(obj.data))
        yield


def prepare_transfer(
    source: bpy.types.Object,
    target: bpy.types.Object,
    match: Match,
    wanted: Wanted,
    settings=None,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
) -> Prepared:
    """Read and compute; nothing is written. Neither may be in Edit Mode.

    Parameters
    ----------
    source, target : bpy.types.Object
    match : Match
    wanted : Wanted
    settings : tasks.transfer.TransferSettings, optional
    progress : callable

    Raises
    ------
    DiffusionNetError
        If something that is wanted cannot be moved.
    """
    # SciPy is slow to import: not before it is needed.
    from ..tasks.transfer import DEFAULTS, transfer

    progress("uv", 0.0)
    read = read_transfer(source, target, wanted)
    moved = transfer(
        read.source.shape,
        read.target,
        match.target_to_source,
        match.confidence,
        read.source.layers,
        target_uv=read.target_uv,
        locked=read.locked,
        settings=settings or DEFAULTS,
        progress=progress,
    )
    return Prepared(read.source, moved, read.target_uv, read.unwrapped)


def read_transfer(source: bpy.types.Object, target: bpy.types.Object, wanted: Wanted) -> Reading:
    """Read all that is needed; nothing is written. Neither may be in Edit Mode.

    Raises
    ------
    DiffusionNetError
        If something that is wanted cannot be moved.
    """
    read = read_source(source, wanted)
    if _is_empty(read.layers):
        raise DiffusionNetError("Nothing to move is chosen", "Choose at least one kind of data.")
    if wanted.armature:
        require_free_of_armatures(target)
    shape = read_shape(target)
    target_uv, unwrapped = None, False
    if wanted.texture:
        unwrapped = not target.data.uv_layers
        if unwrapped:
            target_uv = unwrapped_uv(target)
        else:
            target_uv = read_uv(target.data, source_uv_name(target))
    new_maps = unwrapped + wanted.uv
    if len(target.data.uv_layers) + new_maps > MOST_UV_MAPS:
        raise DiffusionNetError(
            f"{target.name!r} has no room for another UV map", "Remove one of its UV maps."
        )
    return Reading(read, shape, target_uv, unwrapped, _locked(target, read.layers.weights))


def prepared_again(
    source: bpy.types.Object,
    target: bpy.types.Object,
    wanted: Wanted,
    read: Reading,
    moved: Moved,
) -> Prepared:
    """What was computed from a reading, for objects that may be others in memory by now.

    Undo makes new data-blocks of all; what the reading knew of them must not be touched.

    Raises
    ------
    DiffusionNetError
        If they no longer carry what was read.
    """
    now = read_source(source, wanted)
    if wanted.armature:
        require_free_of_armatures(target)
    if wanted.texture and read.unwrapped == bool(target.data.uv_layers):
        raise DiffusionNetError(
            f"The UV maps of {target.name!r} were changed meanwhile", "Press Transfer again."
        )
    if _inventory(now.layers) != _inventory(read.source.layers):
        raise DiffusionNetError(
            f"{source.name!r} was changed while its data was being moved", "Press Transfer again."
        )
    return Prepared(now, moved, read.target_uv, read.unwrapped)


def _inventory(layers: Layers) -> tuple:
    """What there is, by name."""
    return (
        tuple((texture.name, tuple(texture.images)) for texture in layers.textures),
        layers.weights and layers.weights.names,
        layers.keys and layers.keys.names,
        tuple((a.name, a.domain, a.data_type) for a in layers.attributes),
        layers.bones and layers.bones.names,
    )


def _is_empty(layers: Layers) -> bool:
    return not (
        layers.copy_uv
        or layers.textures
        or layers.move_slots
        or layers.weights
        or layers.keys
        or layers.attributes
        or layers.labels is not None
        or layers.bones
    )


def _locked(target, weights: Weights | None) -> Weights | None:
    if weights is None:
        return None
    groups = target.vertex_groups
    names = [n for n in weights.names if (g := groups.get(n)) and g.lock_weight]
    if not names:
        return None
    return Weights(tuple(names), read_weights(target, names), np.ones(len(names), dtype=bool))


def unwrapped_uv(obj: bpy.types.Object) -> np.ndarray:
    """A layout of an object's mesh by Smart UV Project, made on a copy of it, (L, 2) float64."""
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, [o for o in layer.objects.selected if o]
    copy = bpy.data.objects.new(f"{obj.name} unwrapped", obj.data.copy())
    mesh = copy.data
    try:
        layer.active_layer_collection.collection.objects.link(copy)
        for elements in (mesh.vertices, mesh.edges, mesh.polygons):
            elements.foreach_set("hide", np.zeros(len(elements), dtype=bool))
        mesh.uv_layers.new(name=UV_MAP)
        layer.update()
        for other in selected:
            other.select_set(False)
        copy.select_set(True)
        layer.objects.active = copy
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.uv.smart_project(island_margin=ISLAND_MARGIN)
        bpy.ops.object.mode_set(mode="OBJECT")
        return read_uv(mesh, UV_MAP)
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.meshes.remove(mesh)
        for other in selected:
            other.select_set(True)
        layer.objects.active = active


def write_transfer(
    source: bpy.types.Object,
    target: bpy.types.Object,
    prepared: Prepared,
    label_outputs: Outputs | None = None,
) -> list[str]:
    """Write what was computed onto the target, which must not be in Edit Mode.

    Parameters
    ----------
    source, target : bpy.types.Object
    prepared : Prepared
    label_outputs : Outputs, optional
        How part labels are written.

    Returns
    -------
    list of str
        What was written, and remarks, for the user.
    """
    mesh, moved = target.data, prepared.moved
    told = []
    uv_name = _own_layout(mesh, prepared)
    if moved.layout is not None:
        told.append(_write_layout(source, target, moved.layout))
    slots = None
    if moved.textures:
        slots = _write_textures(source, target, prepared, uv_name)
        size = next(iter(moved.textures.values())).shape
        named = ", ".join(moved.textures)
        text = f"{_count(len(moved.textures), 'texture')} ({named}) of {size[1]} x {size[0]}"
        told.append(f"{text}, into a new UV map" if prepared.unwrapped else text)
    elif moved.slots is not None:
        slots = {
            number: _slot_of(mesh, slot.material)
            for number, slot in enumerate(source.material_slots)
            if slot.material
        }
    if moved.slots is not None and slots:
        first = next(iter(slots.values()))
        table = np.array([slots.get(n, first) for n in range(int(moved.slots.max()) + 1)])
        write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, table[moved.slots].astype(np.int32))
        told.append(_count(len(slots), "material"))
    elif slots:
        everywhere = np.full(len(mesh.polygons), next(iter(slots.values())), dtype=np.int32)
        write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, everywhere)
    if moved.weights is not None:
        told.append(_write_weights(target, moved))
    if moved.keys is not None:
        told.append(_write_keys(source, target, moved.keys))
    if moved.attributes:
        told.append(_write_attributes(source, mesh, target, moved))
    if moved.labels is not None:
        told.append(_write_labels(target, prepared, label_outputs or Outputs()))
    if moved.bones is not None:
        rig = write_armature(armature_of(source), target, moved.bones)
        told.append(f"armature {rig.name!r} of {_count(len(moved.bones.names), 'bone')}")
    mesh.update()
    return told


def _own_layout(mesh, prepared: Prepared) -> str:
    """Name of the layout that textures are baked into; it is made where there was none."""
    if prepared.target_uv is None:
        return ""
    if prepared.unwrapped:
        _write_uv(mesh, UV_MAP, prepared.target_uv)
    layers = mesh.uv_layers
    return next((layer.name for layer in layers if layer.active_render), layers[0].name)


def _write_uv(mesh, name: str, uv: np.ndarray) -> None:
    if name not in mesh.uv_layers:
        mesh.uv_layers.new(name=name, do_init=False)
    flat = np.ascontiguousarray(uv, dtype=np.float32).ravel()
    mesh.attributes[name].data.foreach_set("vector", flat)


def _write_layout(source, target, layout) -> str:
    mesh = target.data
    name = source_uv_name(source)
    if mesh.uv_layers:
        name = claim_names(mesh, "ATTRIBUTE", [name], names_in_use(target))[0]
    _write_uv(mesh, name, layout.uv)
    record_names(mesh, "ATTRIBUTE", [name])
    ends = np.empty(2 * len(mesh.edges), dtype=np.int32)
    mesh.edges.foreach_get("vertices", ends)
    ends = np.sort(ends.reshape(-1, 2).astype(np.int64), axis=1)
    width = len(mesh.vertices)
    cut = np.isin(ends @ [width, 1], layout.seams @ [width, 1])
    seams = np.empty(len(mesh.edges), dtype=bool)
    mesh.edges.foreach_get("use_seam", seams)
    mesh.edges.foreach_set("use_seam", seams | cut)
    text = f"UV map {name!r} ({_count(int(cut.sum()), 'seam edge')}"
    if layout.stretched or layout.flipped:
        text += f"; {layout.stretched:,} faces stretched, {layout.flipped:,} flipped"
    return f"{text})"


def _write_textures(source, target, prepared: Prepared, uv_name: str) -> dict[int, int]:
    """Make images and materials; slot on the target of each slot of the source that is used."""
    moved, found = prepared.moved, prepared.source.textures
    images = {
        channel: baked_image(f"{target.name} {channel}", pixels, found.images[channel])
        for channel, pixels in moved.textures.items()
    }
    with_images = {number for number, _ in found.channels}
    if moved.slots is None:
        # One material for all: the one that most of the source has.
        counts = np.bincount(prepared.source.layers.slots)
        most = sorted(with_images, key=lambda n: -(counts[n] if n < len(counts) else 0))
        chosen = most[:1]
    else:
        chosen = [n for n, slot in enumerate(source.material_slots) if slot.material]
    mesh = target.data
    free = [n for n, m in enumerate(mesh.materials) if m and m.get(MARK) and m.library is None]
    slots = {}
    for number in chosen:
        material = source.material_slots[number].material
        shown = {
            node: images[channel]
            for (slot, node), channel in found.channels.items()
            if slot == number
        }
        made = textured_material(material, f"{target.name} {material.name}", uv_name, shown)
        if free:
            slots[number] = free.pop(0)
            mesh.materials[slots[number]] = made
        else:
            mesh.materials.append(made)
            slots[number] = len(mesh.materials) - 1
    for number in slots.values():
        # A slot may be linked to the object, with a material of its own there.
        target.material_slots[number].link = "DATA"
    return slots


def _slot_of(mesh, material) -> int:
    """Slot of a mesh that has a material, made if missing."""
    slot = mesh.materials.find(material.name)
    if slot >= 0 and mesh.materials[slot] == material:
        return slot
    mesh.materials.append(material)
    return len(mesh.materials) - 1


def _write_weights(target, moved: Moved) -> str:
    weights = moved.weights
    write_vertex_groups(target, weights.names, weights.values.astype(np.float32))
    text = _count(len(weights.names), "vertex group")
    filled = 1.0 - float(np.mean(moved.trusted))
    return f"{text} ({filled:.0%} of the vertices filled in)" if filled > 0.005 else text


def _write_keys(source, target, keys: ShapeKeys) -> str:
    given = source.data.shape_keys
    if target.data.shape_keys is None:
        target.shape_key_add(name=given.reference_key.name, from_mix=False)
    linear = np.array(target.matrix_world.to_3x3(), dtype=np.float64)
    back = np.linalg.inv(linear).T
    blocks = target.data.shape_keys.key_blocks
    for name, positions in zip(keys.names, keys.positions, strict=True):
        if name not in blocks:
            target.shape_key_add(name=name, from_mix=False)
        local = np.ascontiguousarray(positions @ back, dtype=np.float32)
        blocks[name].data.foreach_set("co", local.ravel())
    for name in keys.names:
        old, new = given.key_blocks[name], blocks[name]
        # The upper end first: a range must not be turned around on the way.
        new.slider_max = max(old.slider_max, new.slider_min)
        new.slider_min, new.slider_max = old.slider_min, old.slider_max
        new.value, new.mute = old.value, old.mute
        new.interpolation = old.interpolation
        if old.vertex_group in target.vertex_groups:
            new.vertex_group = old.vertex_group
        if old.relative_key.name in blocks:
            new.relative_key = blocks[old.relative_key.name]
    return _count(len(keys.names), "shape key")


def _write_attributes(source, mesh, target, moved: Moved) -> str:
    wanted = [attribute.name for attribute in moved.attributes]
    names = claim_names(mesh, "ATTRIBUTE", wanted, names_in_use(target))
    for name, attribute in zip(names, moved.attributes, strict=True):
        write_moved_attribute(mesh, name, attribute)
    record_names(mesh, "ATTRIBUTE", names)
    colours = {
        a.name: n for n, a in zip(names, moved.attributes, strict=True) if a.data_type in COLOURS
    }
    if colours:
        active = source.data.color_attributes.active_color_name
        show_colours(mesh, colours.get(active, next(iter(colours.values()))))
    return _count(len(names), "attribute")


def _write_labels(target, prepared: Prepared, outputs: Outputs) -> str:
    given, geometry = prepared.source.labels, read_object(target)
    probabilities = prepared.moved.labels.astype(np.float32)
    result = LabelResult(
        class_names=given.class_names,
        class_colours=given.class_colours,
        vertex_probabilities=probabilities,
        polygon_labels=polygon_labels(
            probabilities,
            geometry.surface.faces,
            geometry.areas,
            geometry.polygon_of_triangle,
            geometry.polygon_count,
        ),
        polygon_areas=geometry.polygon_areas,
        topology=topology_of(target.data),
        model_name=given.model_name,
        seconds={},
    )
    write_labels(target, result, outputs)
    keep_result(target.data, result)
    return _count(len(given.class_names), "part label")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
