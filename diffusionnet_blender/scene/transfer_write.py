"""Results of a transfer, written to the target."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import bpy
import numpy as np

from ..tasks.labels import labels_of
from ..tasks.transfer.layers import Moved, ShapeKeys
from .armature_write import write_armature
from .armatures import armature_of, rig_of
from .attributes import FACE_LABELS, read_values, show_colours, write_attribute
from .extent import outside_faces, within_extent
from .fingerprint import CONTENT
from .layers import COLOURS, Source, write_moved_attribute
from .legend import share_out
from .materials import MATERIAL_INDEX, material_indices, slot_of
from .options import Outputs
from .ownership import (
    Kind,
    Role,
    claim,
    is_still_ours,
    is_unchanged,
    kept_text,
    record,
    still_ours,
    users_of,
)
from .read import read_object
from .region import extent_text
from .report_text import contact_lines, counted, listed
from .results import keep_result
from .shape_keys import key_names, names_on_target, settings_from, write_keys
from .textured_materials import (
    content_of,
    differing_constants,
    images_in,
    new_image,
    new_tiled_image,
    textured_material,
)
from .transaction import Transaction, transaction
from .transfer import Prepared
from .unwrap import SPARE_UV_MAP, UV_MAP
from .uv_maps import mapped_name, write_uv
from .vertex_groups import locked_groups, write_vertex_groups
from .write import write_labels

# Why a target has no weights of the source.
_FULL = "as the kept ones already add up to 1"


def write_transfer(
    source: bpy.types.Object,
    target: bpy.types.Object,
    prepared: Prepared,
    label_outputs: Outputs | None = None,
) -> list[str]:
    """Write the results of a transfer to the target, which must not be in Edit Mode.

    All is written, or nothing. What the artist made or changed stays, see `ownership`.

    Parameters
    ----------
    source, target : bpy.types.Object
    prepared : Prepared
    label_outputs : Outputs, optional
        How part labels are written.

    Returns
    -------
    list of str
        Data that was written, with remarks, for the report.
    """
    with transaction(target) as change:
        prepared = within_extent(target, prepared)
        lines = _write(target, prepared, label_outputs or Outputs(), change)
        if prepared.moved.bones is not None:
            rig = armature_of(source)
            lines.append(_write_bones(rig, [source], [target], target.name, prepared.moved, change))
        if prepared.moved.keys is not None:
            # After the armature, whose bones drive them.
            lines += [_write_keys(target, prepared), *contact_lines(prepared.moved.contacts)]
        target.data.update()
    return lines


def write_members(
    name: str,
    targets: Sequence[bpy.types.Object],
    prepared: Sequence[Prepared],
    label_outputs: Outputs | None = None,
) -> list[str]:
    """Write the results of a transfer to members of a character; else as `write_transfer`.

    Parameters
    ----------
    name : str
        Of the character.
    targets : sequence of bpy.types.Object
    prepared : sequence of Prepared
        For each of them.
    label_outputs : Outputs, optional

    Returns
    -------
    list of str
        Data that was written, and on how many objects, where not on all.
    """
    outputs = label_outputs or Outputs()
    lines: list[list[str]] = []
    with transaction(*targets) as change:
        prepared = [within_extent(obj, own) for obj, own in zip(targets, prepared, strict=True)]
        for obj, own in zip(targets, prepared, strict=True):
            lines.append(_write(obj, own, outputs, change))
        moved, sources = prepared[0].moved, prepared[0].read.source.objects
        rig_line = []
        if moved.bones is not None:
            rig_line = [_write_bones(rig_of(sources), sources, targets, name, moved, change)]
        for obj, own, told in zip(targets, prepared, lines, strict=True):
            if own.moved.keys is not None:
                told.append(_write_keys(obj, own))
            obj.data.update()
        share_out([obj.data for obj in targets])
    alike: dict[str, list[str]] = {}
    for obj, told in zip(targets, lines, strict=True):
        for line in told:
            alike.setdefault(line, []).append(obj.name)
    return [
        text if len(names) == len(targets) else f"{text} on {listed(names)}"
        for text, names in alike.items()
    ] + [*contact_lines(moved.contacts), *rig_line]


def _write_bones(
    rig: bpy.types.Object,
    sources: Sequence[bpy.types.Object],
    targets: Sequence[bpy.types.Object],
    name: str,
    moved: Moved,
    change: Transaction,
) -> str:
    made = write_armature(rig, sources, targets, name, moved.bones, change)
    return f"armature {made.name!r} of {counted(len(moved.bones.names), 'bone')}"


def _write(
    target: bpy.types.Object, prepared: Prepared, label_outputs: Outputs, change: Transaction
) -> list[str]:
    """All but the armature and shape keys."""
    mesh, moved = target.data, prepared.moved
    source = prepared.read.source
    overwrite = prepared.read.kinds.overwrite
    lines = [extent_text(prepared.read.share)] if prepared.read.share else []
    uv_name = _own_layout(target, prepared)
    if moved.layout is not None:
        lines.append(_write_layout(source, target, moved.layout, overwrite))
    slots: dict[int, int] | None = None
    alone, outside = _keeps_material(mesh, moved), outside_faces(prepared)
    before, kept = material_indices(mesh), alone | outside
    if alone.all():
        lines.append("materials kept, as the source has nothing like it")
    elif not kept.all() and (moved.textures or moved.tiles):
        staying = _staying_slots(mesh, before[outside])
        slots, remarks = _write_textures(target, prepared, uv_name, staying, change)
        lines.append(_textures_line(moved, prepared.read.unwrapped, uv_name))
        lines += remarks
    elif not kept.all() and moved.slots is not None:
        _staying_slots(mesh, before[outside])
        used = np.unique(moved.slots[~kept]) if len(source.objects) > 1 else None
        slots = {
            number: slot_of(mesh, material)
            for number, material in enumerate(source.materials)
            if material and (used is None or number in used)
        }
    if moved.slots is not None and slots:
        first = next(iter(slots.values()))
        table = np.array([slots.get(n, first) for n in range(int(moved.slots.max()) + 1)])
        _assign(mesh, np.where(kept, before, table[moved.slots]))
        lines.append(counted(len(slots), "material"))
    elif slots:
        _assign(mesh, np.where(kept, before, next(iter(slots.values()))))
    if slots and (unlike := (alone & ~outside).mean()):
        lines.append(f"{unlike:.0%} of the faces keep their own material, as the source has "
                     "nothing like them")  # fmt: skip
    if moved.weights is not None:
        lines.append(_write_weights(target, prepared))
    elif prepared.read.kinds.weights and prepared.read.kept and prepared.read.kept.deforming.any():
        lines.append(f"no vertex group, {_FULL}")
    if moved.attributes:
        lines.append(_write_attributes(source, target, moved, overwrite))
    if moved.labels is not None:
        lines.append(_write_labels(target, prepared, label_outputs))
    return lines


def _keeps_material(mesh: bpy.types.Mesh, moved: Moved) -> np.ndarray:
    """Faces (P,) that keep their material: without a counterpart, and with one of the artist's."""
    if moved.unmatched is None or not len(mesh.materials):
        return np.zeros(len(mesh.polygons), dtype=bool)
    own = np.array([m is not None and not is_unchanged(m, content_of) for m in mesh.materials])
    return moved.unmatched & own[np.minimum(material_indices(mesh), len(own) - 1)]


def _staying_slots(mesh: bpy.types.Mesh, outside: np.ndarray) -> set[int]:
    """Material slots of the faces outside the region; an empty one where there was none."""
    if len(outside) and not len(mesh.materials):
        mesh.materials.append(None)
    return set(np.unique(np.minimum(outside, len(mesh.materials) - 1)).tolist())


def _assign(mesh: bpy.types.Mesh, slots: np.ndarray) -> None:
    """Write the material slot of each face, (P,) int."""
    write_attribute(mesh, MATERIAL_INDEX, FACE_LABELS, slots.astype(np.int32))


def _own_layout(target, prepared: Prepared) -> str:
    """Name of the UV map that textures are baked into; it is added if none can hold them."""
    mesh = target.data
    if prepared.read.target_uv is None:
        return ""
    if prepared.moved.relaid:
        overwrite = prepared.read.kinds.overwrite
        (name,) = claim(target, Kind.ATTRIBUTE, Role.TRANSFER, [SPARE_UV_MAP], overwrite).names
        write_uv(mesh, name, prepared.read.spare_uv)
        record(target, Kind.ATTRIBUTE, Role.TRANSFER, [name])
        return name
    if prepared.read.unwrapped:
        write_uv(mesh, UV_MAP, prepared.read.target_uv)
    layers = mesh.uv_layers
    return next((layer.name for layer in layers if layer.active_render), layers[0].name)


def _write_layout(source: Source, target, layout, overwrite: bool) -> str:
    mesh = target.data
    wanted = [mapped_name(source.objects)]
    (name,) = claim(target, Kind.ATTRIBUTE, Role.TRANSFER, wanted, overwrite).names
    write_uv(mesh, name, layout.uv)
    record(target, Kind.ATTRIBUTE, Role.TRANSFER, [name])
    ends = read_values(mesh.edges, "vertices", np.int32, 2)
    ends = np.sort(ends.astype(np.int64), axis=1)
    width = len(mesh.vertices)
    cut = np.isin(ends @ [width, 1], layout.seams @ [width, 1])
    seams = read_values(mesh.edges, "use_seam", bool)
    mesh.edges.foreach_set("use_seam", seams | cut)
    text = f"UV map {name!r} ({counted(int(cut.sum()), 'seam edge')}"
    if layout.stretched or layout.flipped:
        text += f"; {layout.stretched:,} faces stretched, {layout.flipped:,} flipped"
    return f"{text})"


def _textures_line(moved: Moved, unwrapped: bool, uv_name: str) -> str:
    """What the report says of the new images."""
    channels = list(moved.textures or moved.tiles)
    tiles = next(iter(moved.tiles.values()), {})
    image = next(iter(moved.textures.values() or tiles.values()))
    text = f"{counted(len(channels), 'texture')} ({', '.join(channels)})"
    text += f" of {image.shape[1]} x {image.shape[0]}"
    if tiles:
        text += f" in {len(tiles)} UDIM tiles"
    if moved.relaid:
        reason = moved.relaid[0].lower() + moved.relaid[1:]
        return f"{text}, into a UV map of their own, {uv_name!r}, as {reason}"
    return f"{text}, into a new UV map" if unwrapped else text


def _write_textures(
    target, prepared: Prepared, uv_name: str, staying: set[int], change: Transaction
) -> tuple[dict[int, int], list[str]]:
    """Make images and materials; the slots that are staying keep theirs.

    Slot on the target of each slot of the source that is used, and remarks.
    """
    moved, read = prepared.moved, prepared.read.source
    found, remarks = read.textures, [*read.remarks, *moved.remarks]
    free = _discard_materials(target.data, staying, change)
    images = {
        channel: new_image(f"{target.name} {channel}", pixels, read.storages[channel])
        for channel, pixels in moved.textures.items()
    }
    images |= {
        channel: new_tiled_image(f"{target.name} {channel}", tiles, read.storages[channel])
        for channel, tiles in moved.tiles.items()
    }
    is_single = moved.slots is None
    if is_single:
        # One material for all: the one that most of the source has, of those with images.
        # A member of several objects may lie on few of those that are near it.
        counts = np.bincount(read.layers.slots, minlength=1 + max(found.materials))
        with_images = {number for texture in found.textures for number in texture.values}
        chosen = [max(sorted(with_images or found.materials), key=lambda n: counts[n])]
        differing = differing_constants(found)
        if differing:
            remarks.append(
                f"the materials differ in {', '.join(differing)}, too: with Materials each stays"
            )
    else:
        chosen = sorted(found.materials)
    mesh = target.data
    slots = {}
    for number in chosen:
        material = read.materials[number] if number < len(read.materials) else None
        name = f"{target.name} {material.name}" if material else target.name
        made, lost = textured_material(found, number, name, uv_name, images, is_single)
        remarks += lost
        if free:
            slots[number] = free.pop(0)
            mesh.materials[slots[number]] = made
        else:
            mesh.materials.append(made)
            slots[number] = len(mesh.materials) - 1
    for number in slots.values():
        # A slot may be linked to the object, with a material of its own there.
        target.material_slots[number].link = "DATA"
    return slots, remarks


def _discard_materials(mesh, staying: set[int], change: Transaction) -> list[int]:
    """Let materials of an earlier transfer go that nobody has changed; their slots."""
    slots = [
        number
        for number, material in enumerate(mesh.materials)
        if material and is_unchanged(material, content_of) and users_of(material) <= {mesh}
    ]
    kept = {mesh.materials[number] for number in staying}
    slots = [number for number in slots if mesh.materials[number] not in kept]
    for material in {mesh.materials[number] for number in slots}:
        for image in images_in(material):
            if CONTENT in image and users_of(image) <= {material}:
                change.discard(image)
        change.discard(material)
    return slots


def _write_weights(target, prepared: Prepared) -> str:
    weights, kept = prepared.moved.weights, prepared.read.kept
    locked = locked_groups(target, weights.names)
    wanted = [name for name in weights.names if name not in locked]
    overwrite = prepared.read.kinds.overwrite
    claimed = claim(target, Kind.VERTEX_GROUP, Role.TRANSFER, wanted, overwrite)
    values = weights.values[:, [weights.names.index(name) for name in wanted]].astype(np.float32)
    write_vertex_groups(target, claimed.names, values)
    record(target, Kind.VERTEX_GROUP, Role.TRANSFER, claimed.names, weights=values)
    for part in target.data.diffusionnet.parts:
        # Groups of labels that have become those of bones.
        if part.vertex_group in claimed.names:
            part.vertex_group = ""
    text = counted(len(wanted), "vertex group") if wanted else "no vertex group"
    remarks = [kept_text(claimed, "named")]
    filled = 1.0 - float(np.mean(prepared.moved.trusted))
    if wanted and filled > 0.005:
        remarks.append(f"{filled:.0%} of the vertices filled in")
    if locked:
        remarks.append(f"locked and kept: {listed(locked)}")
    others = [name for name in kept.names if name not in locked] if kept else []
    if others:
        remarks.append(f"kept and counted into the sum: {listed(others)}")
    if wanted and kept and kept.deforming.any() and not values.any():
        remarks.append(f"without weights, {_FULL}")
    return _with_remarks(text, remarks)


def _with_remarks(text: str, remarks: Sequence[str]) -> str:
    told = "; ".join(remark for remark in remarks if remark)
    return f"{text} ({told})" if told else text


def _write_keys(target, prepared: Prepared) -> str:
    keys, overwrite = prepared.moved.keys, prepared.read.kinds.overwrite
    names = names_on_target(target, keys.names, overwrite)
    # Those that are relative to one of the new ones change with it, and stay ours.
    ours = still_ours(target, Kind.SHAPE_KEY, Role.TRANSFER, key_names(target))
    texts, left = [], list(keys.names)
    for source in prepared.read.source.objects:
        # Of several objects with a key, the first has its settings.
        own = [number for number, name in enumerate(keys.names)
               if name in left and settings_from(source, name)]  # fmt: skip
        if own:
            share = ShapeKeys(tuple(keys.names[n] for n in own), keys.positions[own])
            chosen = {name: names[name] for name in share.names if name in names}
            texts.append(write_keys(source, target, share, chosen))
            left = [name for name in left if name not in share.names]
    record(target, Kind.SHAPE_KEY, Role.TRANSFER, sorted({*names.values(), *ours}))
    return ", ".join(texts)


def _write_attributes(source: Source, target, moved: Moved, overwrite: bool) -> str:
    mesh = target.data
    wanted = [attribute.name for attribute in moved.attributes]
    claimed = claim(target, Kind.ATTRIBUTE, Role.TRANSFER, wanted, overwrite)
    names = claimed.names
    for name, attribute in zip(names, moved.attributes, strict=True):
        write_moved_attribute(mesh, name, attribute)
    record(target, Kind.ATTRIBUTE, Role.TRANSFER, names)
    colours = {
        a.name: n for n, a in zip(names, moved.attributes, strict=True) if a.data_type in COLOURS
    }
    if colours:
        active = source.objects[0].data.color_attributes.active_color_name
        shown = colours.get(active, next(iter(colours.values())))
        show_colours(mesh, shown, partial(is_still_ours, target, Kind.ATTRIBUTE))
    return _with_remarks(counted(len(names), "attribute"), [kept_text(claimed, "named")])


def _write_labels(target, prepared: Prepared, outputs: Outputs) -> str:
    labels = prepared.read.source.labels
    geometry = read_object(target)
    result = labels_of(
        prepared.moved.labels.astype(np.float32),
        geometry.surface,
        geometry.polygons,
        labels.class_names,
        labels.class_colours,
        labels.model_name,
    )
    remarks = write_labels(target, result, outputs)
    keep_result(target.data, result)
    return _with_remarks(counted(len(labels.class_names), "part label"), remarks)
