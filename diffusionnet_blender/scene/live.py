"""A match that stays alive: kept as attributes of the target, and read by a modifier."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix

from ..errors import DiffusionNetError
from ..tasks.transfer.members import Part, parts_of, pooled
from .attributes import (
    VERTEX_LABELS,
    VERTEX_VALUES,
    VERTEX_VECTORS,
    AttributeKind,
    read_values,
    write_attribute,
)
from .character import as_character
from .fingerprint import of_block
from .layers import read_shape
from .live_nodes import SAMPLE, Live, Names, live_modifier, sample_match
from .matches import Match, Shape
from .ownership import Kind, Role, claim, is_unchanged, mark, record, users_of
from .pair import usable, writable
from .read import linear_of
from .transaction import Transaction, transaction

MODIFIER = "Live Match"
KINDS: tuple[AttributeKind, ...] = (
    *[VERTEX_LABELS] * 5, VERTEX_VECTORS, VERTEX_VALUES, VERTEX_VECTORS, VERTEX_VECTORS,
)  # fmt: skip


def frames(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Axes of triangles (N, 3, 3), as rows: the first side, across it, and the normal.

    Parameters
    ----------
    a, b, c : (N, 3) float
        Corners.
    """
    first = _unit(b - a)
    normal = _unit(np.cross(first, c - a))
    return np.stack([first, np.cross(normal, first), normal], axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0.0, length, 1.0)


def write_live(
    source: Shape, target: Shape, match: Match, attribute: str = "", follow: float = 0.0
) -> tuple[list[bpy.types.Object], list[DiffusionNetError]]:
    """Keep a match on the target, and give it a modifier that reads the source through it.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
        Not in Edit Mode.
    match : Match
    attribute : str
        Of the source, that the modifier samples; empty: its active colours, if it has some.
    follow : float
        How far the target follows the movement of the source's surface.

    Returns
    -------
    list of bpy.types.Object
        That have the modifier.
    list of DiffusionNetError
        Of members of the target that cannot be written to.

    Raises
    ------
    DiffusionNetError
        If none can be written to, or if modifiers of the source change its polygons.
    """
    one, other = (usable(as_character(shape))[0] for shape in (source, target))
    allowed, errors = writable(other, one)
    if not allowed.members:
        raise errors[0]
    for obj in one.members:
        _require_own_polygons(obj)
    live = _live(one.members, other.members, match, _attribute(one.members, attribute), follow)
    shapes = [read_shape(obj) for obj in other.members]
    parts = parts_of(shapes)
    with transaction(*allowed.members) as change:
        sample = _own_group(SAMPLE) or _marked(sample_match())
        for obj, part in zip(other.members, parts, strict=True):
            if obj in allowed.members:
                bound = _bound(one.members, obj, part, match, live)
                _write(obj, as_character(source).name, bound, sample, live, change)
    return list(allowed.members), errors


def _require_own_polygons(obj: bpy.types.Object) -> None:
    """Raise DiffusionNetError if modifiers change the corners that a match is kept by."""
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    if len(evaluated.data.loops) == len(obj.data.loops):
        return
    raise DiffusionNetError(
        f"Modifiers of {obj.name!r} change its faces, so a live match cannot find them",
        "Switch those that add or remove faces (such as Subdivision Surface or Mirror) off in the "
        "viewport, or apply them and match again.",
    )


def _attribute(members: Sequence[bpy.types.Object], name: str) -> str:
    """Name of the attribute to sample; "" for none."""
    meshes = [obj.data for obj in members]
    if not name:
        names = (mesh.color_attributes.active_color_name for mesh in meshes)
        return next((each for each in names if each), "")
    known = {*(n for mesh in meshes for n in mesh.attributes.keys()),
             *(n for obj in members for n in obj.vertex_groups.keys())}  # fmt: skip
    if name not in known:
        raise DiffusionNetError(
            f"{members[0].name!r} has no attribute or vertex group {name!r}",
            "Name one that it has, or none for its active colors.",
        )
    return name


def _live(sources, targets, match: Match, attribute: str, follow: float) -> Live:
    in_place = match.correspondence.in_place
    turn, scale = Matrix.Identity(3), 1.0
    if not in_place:
        heights = [_size_at_rest(each) for each in (sources, targets)]
        into = np.linalg.solve(linear_of(targets[0]), linear_of(sources[0]))
        scale = float(np.cbrt(abs(np.linalg.det(into))) * heights[1] / max(heights[0], 1e-30))
        turn = Matrix((into / np.cbrt(np.linalg.det(into))).tolist())
    angles = turn.to_euler("XYZ")
    return Live(tuple(sources), in_place, tuple(angles), scale, attribute, follow)


def _size_at_rest(members: Sequence[bpy.types.Object]) -> float:
    """Largest extent of the own meshes of some objects in the world."""
    places = [
        _coordinates(obj) @ linear_of(obj).T + np.array(obj.matrix_world.translation)
        for obj in members
    ]
    return float(np.ptp(np.concatenate(places), axis=0).max())


def _bound(sources, target, part: Part, match: Match, live: Live) -> list[np.ndarray]:
    """The match of one object in the form that the modifier reads it."""
    shapes = [read_shape(obj) for obj in sources]
    own = pooled(shapes, np.concatenate([_seen_from(target, o, live) for o in sources]))
    found, at = match.correspondence, part.vertices
    points = found.target_to_source[at]
    corners, vertices = own.corners[points.face], own.vertices[own.triangles[points.face]]
    ends = np.cumsum([len(shape.triangles) for shape in shapes])
    member = np.searchsorted(ends, points.face, side="right")
    starts = parts_of(shapes)
    first_corner = np.array([each.corners.start for each in starts])[member]
    on_source = points.interpolate(own.vertices, own.triangles)
    rest, offset = on_source, np.zeros_like(on_source)
    if live.in_place:
        rest = _coordinates(target)
        offset = np.einsum("nij,nj->ni", frames(*np.moveaxis(vertices, 1, 0)), rest - on_source)
    return [
        member,
        points.face - np.concatenate([[0], ends])[member],
        *(corners - first_corner[:, None]).T,
        points.barycentric,
        np.where(found.unmatched[at], 0.0, found.confidence[at]),
        rest,
        offset,
    ]


def _seen_from(target, source, live: Live) -> np.ndarray:
    """Vertices of a source (V, 3) in the space in which the modifier reads it."""
    found = _coordinates(source)
    if not live.in_place:
        return found
    into = np.array(target.matrix_world.inverted() @ source.matrix_world, dtype=np.float64)
    return found @ into[:3, :3].T + into[:3, 3]


def _coordinates(obj) -> np.ndarray:
    return read_values(obj.data.vertices, "co", np.float32, 3).astype(np.float64)


def _write(obj, source_name: str, bound, sample, live: Live, change: Transaction) -> None:
    """The attributes and the modifier of one object, in place of those of an earlier call."""
    names = claim(obj, Kind.ATTRIBUTE, Role.LIVE, Names().all).names
    for name, kind, values in zip(names, KINDS, bound, strict=True):
        write_attribute(obj.data, name, kind, values)
    modifier = live_modifier_of(obj)
    if modifier is not None and users_of(modifier.node_group) <= {obj}:
        change.discard(modifier.node_group)
    group = _marked(live_modifier(f"{MODIFIER} {source_name}", sample, live, Names.of(names)))
    if modifier is None:
        modifier = obj.modifiers.new(MODIFIER, "NODES")
        # Others may add vertices, between which corners have no mean.
        first = int(obj.modifiers[0].type == "MULTIRES")
        obj.modifiers.move(len(obj.modifiers) - 1, first)
    modifier.node_group = group
    if live.attribute and not obj.data.color_attributes:
        # The viewport shows what the modifier stores, as there is nothing else.
        obj.data.color_attributes.active_color_name = live.stored_as
    record(obj, Kind.ATTRIBUTE, Role.LIVE, names)


def live_modifier_of(obj: bpy.types.Object) -> bpy.types.Modifier | None:
    """The modifier that an earlier call has made, with nodes that nobody has changed."""
    return next(
        (
            modifier
            for modifier in obj.modifiers
            if modifier.type == "NODES"
            and modifier.node_group
            and is_unchanged(modifier.node_group, of_block)
        ),
        None,
    )


def _own_group(name: str) -> bpy.types.NodeTree | None:
    """A node group of ours that nobody has changed."""
    groups = (g for g in bpy.data.node_groups if g.name.startswith(name))
    return next((group for group in groups if is_unchanged(group, of_block)), None)


def _marked(group: bpy.types.NodeTree) -> bpy.types.NodeTree:
    mark(group, of_block(group))
    return group
