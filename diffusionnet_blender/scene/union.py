"""Data of several objects as that of one: layers with one name are one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..tasks.labels import Labels
from ..tasks.transfer.layers import Attribute, Bones, Layers, MeshShape, ShapeKeys
from ..tasks.transfer.members import Part, parts_of, united_weights
from .armatures import Hold, hold_of, read_bones
from .layers import Source
from .seen import nearest_vertices
from .vertex_groups import read_weights


def united(
    sources: Sequence[Source],
    shape: MeshShape,
    rig: bpy.types.Object | None,
    origin: np.ndarray,
) -> Source:
    """The data of the members of a character.

    Where a member lacks a layer that others have, its values are 0; parts are those of the nearest
    member that has some.

    Parameters
    ----------
    sources : sequence of Source
        Of the members, each of one object.
    shape : MeshShape
        Of all, see `members.pooled`.
    rig : bpy.types.Object, optional
        Whose bones are moved.
    origin : (3,) float
        Of the shape in the world.
    """
    if len(sources) == 1:
        return sources[0]
    layers = [source.layers for source in sources]
    parts = parts_of([source.shape for source in sources])
    labels = _united_labels(sources, parts, shape.vertices)
    objects = tuple(source.objects[0] for source in sources)
    # An object without slots has faces in one that is empty.
    materials = [source.materials or (None,) for source in sources]
    starts = np.cumsum([0, *map(len, materials)])
    return Source(
        shape,
        Layers(
            slots=np.concatenate(
                [each.slots + start for each, start in zip(layers, starts, strict=False)]
            ),
            uv=_filled([each.uv for each in layers], parts, "CORNER"),
            copy_uv=any(each.copy_uv for each in layers),
            move_slots=any(each.move_slots for each in layers),
            weights=united_weights([each.weights for each in layers], parts),
            keys=_united_keys(sources, parts, shape.vertices),
            attributes=_united_attributes(layers, parts),
            labels=None if labels is None else labels.vertex_probabilities,
            bones=None if rig is None else _bones(objects, rig, origin),
        ),
        None,
        labels,
        objects,
        tuple(material for own in materials for material in own),
    )


def _filled(
    values: Sequence[np.ndarray | None], parts: Sequence[Part], domain: str
) -> np.ndarray | None:
    """Arrays one after the other, 0 where there is none; None without any."""
    model = next((each for each in values if each is not None), None)
    if model is None:
        return None
    whole = np.zeros((parts[-1].of(domain).stop, *model.shape[1:]), model.dtype)
    for each, part in zip(values, parts, strict=True):
        if each is not None:
            whole[part.of(domain)] = each
    return whole


def _united_keys(
    sources: Sequence[Source], parts: Sequence[Part], vertices: np.ndarray
) -> ShapeKeys | None:
    found = [source.layers.keys for source in sources]
    names = tuple(dict.fromkeys(name for keys in found if keys for name in keys.names))
    if not names:
        return None
    positions = np.repeat(vertices[None], len(names), axis=0)
    for source, keys, part in zip(sources, found, parts, strict=True):
        if keys is not None:
            rows = [names.index(name) for name in keys.names]
            positions[rows, part.vertices] += keys.positions - source.shape.vertices
    return ShapeKeys(names, positions)


def _united_attributes(layers: Sequence[Layers], parts: Sequence[Part]) -> tuple[Attribute, ...]:
    """Attributes by name; of two kinds with one name, the first."""
    kinds: dict[str, Attribute] = {}
    for each in layers:
        for attribute in each.attributes:
            kinds.setdefault(attribute.name, attribute)
    found = []
    for kind in kinds.values():
        values = [next((a.values for a in e.attributes if _is_like(a, kind)), None) for e in layers]
        found.append(replace(kind, values=_filled(values, parts, kind.domain)))
    return tuple(found)


def _is_like(one: Attribute, other: Attribute) -> bool:
    kinds = ((a.name, a.data_type, a.domain) for a in (one, other))
    return next(kinds) == next(kinds)


def _united_labels(
    sources: Sequence[Source], parts: Sequence[Part], vertices: np.ndarray
) -> Labels | None:
    """Labels by the names of their classes, with those of the nearest where there are none."""
    found = [source.labels for source in sources]
    first = next((labels for labels in found if labels is not None), None)
    if first is None:
        return None
    colours = {
        name: colour
        for labels in reversed([each for each in found if each is not None])
        for name, colour in zip(labels.class_names, labels.class_colours, strict=True)
    }
    names = tuple(dict.fromkeys(n for labels in found if labels for n in labels.class_names))
    probabilities = np.zeros((len(vertices), len(names)), dtype=np.float32)
    for labels, part in zip(found, parts, strict=True):
        if labels is not None:
            columns = [names.index(name) for name in labels.class_names]
            probabilities[part.vertices, columns] = labels.vertex_probabilities
    known = probabilities.any(axis=1)
    if not known.all():
        nearest = nearest_vertices(vertices[known], vertices[~known])
        probabilities[~known] = probabilities[known][nearest]
    return replace(
        first,
        class_names=names,
        class_colours=np.array([colours[name] for name in names]),
        vertex_probabilities=probabilities,
    )


def _bones(objects: Sequence[bpy.types.Object], rig: bpy.types.Object, origin: np.ndarray) -> Bones:
    """Bones of a rig, with the weights of all members that it moves."""
    names = [bone.name for bone in rig.data.bones]
    influence = []
    for obj in objects:
        hold: Hold | None = hold_of(obj)
        own = np.zeros((len(obj.data.vertices), len(names)))
        if hold is not None and hold.rig == rig and hold.deforms:
            own = read_weights(obj, names).astype(np.float64)
        elif hold is not None and hold.rig == rig and hold.bone in names:
            own[:, names.index(hold.bone)] = 1.0
        influence.append(own)
    return read_bones(rig, origin, np.concatenate(influence))
