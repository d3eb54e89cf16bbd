"""Results of a transfer inside a region; outside, the target's own data stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..tasks.labels import Labels
from ..tasks.transfer.extent import MOST, blended
from ..tasks.transfer.layers import Attribute, CopiedLayout, Moved, ShapeKeys, Weights
from .attributes import kind_of, read_attribute, read_values
from .labels import read_labels
from .ownership import Kind, Role, claim
from .shape_keys import key_names, names_on_target, read_keys
from .transfer import Prepared
from .uv_maps import mapped_name, read_uv, source_uv_name
from .vertex_groups import read_weights


def within_extent(target: bpy.types.Object, prepared: Prepared) -> Prepared:
    """Results in which the target's own data stays outside the region; not in Edit Mode."""
    read = prepared.read
    if read.share is None:
        return prepared
    moved, own, source = prepared.moved, Moved(), read.source
    if moved.weights is not None:
        own = replace(own, weights=_own_weights(target, moved.weights, read.kinds.overwrite))
    if moved.keys is not None:
        own = replace(own, keys=_own_keys(target, moved.keys, read.kinds.overwrite))
    if moved.layout is not None:
        own = replace(own, layout=_own_layout(target, prepared, moved.layout))
    if moved.labels is not None:
        both, labels, before = _united_labels(source.labels, moved.labels, read_labels(target))
        source = replace(source, labels=both)
        moved, own = replace(moved, labels=labels), replace(own, labels=before)
    own = replace(own, attributes=_own_attributes(target, moved, read.kinds.overwrite))
    found = blended(moved, own, read.share, read.target)
    if found.weights is not None:
        found = replace(found, weights=_without_empty(target, found.weights))
    return Prepared(replace(read, source=source), found)


def outside_faces(prepared: Prepared) -> np.ndarray:
    """Faces of a target that are not in the region, (P,) bool."""
    read = prepared.read
    if read.share is None:
        return np.zeros(read.target.polygon_count, dtype=bool)
    return read.share.polygons(read.target) < MOST


def _own_names(target, kind: Kind, wanted: Sequence[str], overwrite: bool) -> list[str]:
    """Names of the target's own things in place of those that are written."""
    claimed = claim(target, kind, Role.TRANSFER, wanted, overwrite).names
    there = target.vertex_groups if kind == Kind.VERTEX_GROUP else target.data.attributes
    return [new if new in there else name for new, name in zip(claimed, wanted, strict=True)]


def _own_weights(target, weights: Weights, overwrite: bool) -> Weights:
    names = _own_names(target, Kind.VERTEX_GROUP, weights.names, overwrite)
    values = read_weights(target, names).astype(np.float64)
    return Weights(weights.names, values, weights.deforming)


def _without_empty(target, weights: Weights) -> Weights:
    """Without groups that are neither there nor needed in the region."""
    some = weights.values.any(axis=0) | np.isin(weights.names, target.vertex_groups.keys())
    names = tuple(name for name, chosen in zip(weights.names, some, strict=True) if chosen)
    return Weights(names, weights.values[:, some], weights.deforming[some])


def _own_keys(target, keys: ShapeKeys, overwrite: bool) -> ShapeKeys:
    """The effects of the target's own keys; none where it has no key of a name."""
    existing, there = key_names(target), names_on_target(target, keys.names, overwrite)
    positions = np.empty_like(keys.positions)
    linear = np.array(target.matrix_world.to_3x3(), dtype=np.float64)
    rest = read_values(target.data.vertices, "co", np.float32, 3).astype(np.float64) @ linear.T
    for number, name in enumerate(keys.names):
        own = next((n for n in (there.get(name, name), name) if n in existing), None)
        positions[number] = read_keys(target, [own]).positions[0] if own else rest
    return ShapeKeys(keys.names, positions)


def _own_layout(target, prepared: Prepared, layout: CopiedLayout) -> CopiedLayout:
    """The map of the name that is written, or else the active one."""
    mesh, read = target.data, prepared.read
    wanted = [mapped_name(read.source.objects)]
    (name,) = _own_names(target, Kind.ATTRIBUTE, wanted, read.kinds.overwrite)
    if name not in mesh.uv_layers and mesh.uv_layers:
        name = source_uv_name(target)
    uv = read_uv(mesh, name) if name in mesh.uv_layers else np.zeros_like(layout.uv)
    return replace(layout, uv=uv)


def _own_attributes(target, moved: Moved, overwrite: bool) -> tuple[Attribute, ...]:
    """Attributes of the kinds that are moved; zeros where the target has none."""
    mesh = target.data
    names = _own_names(target, Kind.ATTRIBUTE, [a.name for a in moved.attributes], overwrite)
    found = []
    for name, each in zip(names, moved.attributes, strict=True):
        own = mesh.attributes.get(name)
        values = np.zeros_like(each.values)
        if own is not None and (own.data_type, own.domain) == (each.data_type, each.domain):
            values = read_attribute(mesh, name, kind_of(each.data_type, each.domain))
        found.append(replace(each, values=values))
    return tuple(found)


def _united_labels(
    source: Labels, moved: np.ndarray, own: Labels
) -> tuple[Labels, np.ndarray, np.ndarray]:
    """Labels of a source with the classes of both, and the probabilities (V, C) of each."""
    names = tuple(dict.fromkeys((*own.class_names, *source.class_names)))
    wide = [np.zeros((len(moved), len(names))) for _ in range(2)]
    colours = np.zeros((len(names), 3))
    values = moved, own.vertex_probabilities
    for labels, probabilities, there in zip((source, own), values, wide, strict=True):
        columns = [names.index(name) for name in labels.class_names]
        there[:, columns] = probabilities
        colours[columns] = labels.class_colours
    return replace(source, class_names=names, class_colours=colours), wide[0], wide[1]
