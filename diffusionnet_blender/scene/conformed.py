"""The shape that a character's meshes were bent to: copies of them, or shape keys."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix

from ..errors import DiffusionNetError, EmptyRegion
from ..options import quoted_names
from ..tasks.conform.request import ConformedMesh
from .attributes import read_values
from .character import Character
from .character_read import CharacterGeometry
from .ownership import Kind, Role, claim, record
from .shape_keys import key_names, read_keys
from .transaction import transaction
from .vertex_groups import read_weights


def pooled_keys(geometry: CharacterGeometry) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Names of the keys of all members, and their shapes in the space of the pooled surface."""
    members = [member.find() for member in geometry.members]
    names = tuple(dict.fromkeys(name for obj in members for name in key_names(obj)))
    if not names:
        return (), None
    shapes = np.repeat(geometry.placed.surface.vertices[None], len(names), axis=0)
    ends = np.cumsum([len(obj.data.vertices) for obj in members])
    for obj, end in zip(members, ends, strict=True):
        own = key_names(obj)
        if own:
            part = slice(end - len(obj.data.vertices), end)
            linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
            rest = read_values(obj.data.vertices, "co", np.float32, 3) @ linear.T
            rows = [names.index(name) for name in own]
            shapes[rows, part] += read_keys(obj, own).positions - rest
    return names, shapes


def pooled_weights(geometry: CharacterGeometry, group: str) -> np.ndarray:
    """Weights (V,) of a vertex group of all members, on the pooled surface.

    Raises
    ------
    EmptyRegion
        If no member has it, or it is empty.
    """
    members = [member.find() for member in geometry.members]
    weights = np.concatenate([read_weights(obj, [group])[:, 0] for obj in members])
    if weights.any():
        return weights
    existing = sorted({each.name for obj in members for each in obj.vertex_groups})
    if group in existing:
        raise EmptyRegion(f"Nothing is in the vertex group {group!r}", "Assign vertices to it.")
    raise EmptyRegion(
        f"The source has no vertex group {group!r}",
        f"It has {quoted_names(existing)}." if existing else "Leave the region empty.",
    )


def write_conformed(
    source: Character,
    target: Character,
    geometry: CharacterGeometry,
    origin: np.ndarray,
    result: ConformedMesh,
) -> list[bpy.types.Object]:
    """Copies of the source's meshes where they have been bent to; selected, the first active.

    They keep topology, UV maps, materials, vertex groups, attributes and shape keys, and modifiers
    but for armatures, whose bones are not where these meshes are.

    Parameters
    ----------
    source, target : Character
    geometry : CharacterGeometry
        Of the source, as it was read.
    origin : (3,) float
        Of the target's space in the world.
    result : ConformedMesh

    Returns
    -------
    list of bpy.types.Object
    """
    names = pooled_keys(geometry)[0]
    split = [geometry.placed.split(shape) for shape in (result.vertices, *result.keys)]
    made = []
    with transaction():
        for number, obj in enumerate(member.find() for member in geometry.members):
            shapes = [shape[number] for shape in split]
            name = f"{obj.name} on {target.name}"
            made.append(
                bent_copy(obj, name, origin, shapes[0], dict(zip(names, shapes[1:], strict=True)))
            )
        select_made(made)
    return made


def write_as_keys(
    target: Character, geometry: CharacterGeometry, result: ConformedMesh
) -> list[str]:
    """Make the shape that the source's meshes were bent to a shape key of each, and show it.

    Parameters
    ----------
    target : Character
    geometry : CharacterGeometry
        Of the source, as it was read: it stays where it stands.
    result : ConformedMesh

    Returns
    -------
    list of str
        Name of the key of each mesh.

    Raises
    ------
    DiffusionNetError
        If the keys of a mesh are absolute, or two objects share one.
    """
    members = [member.find() for member in geometry.members]
    placed, wanted, made = geometry.placed, f"On {target.name}", []
    for obj in members:
        keys = obj.data.shape_keys
        if keys is not None and not keys.use_relative:
            raise DiffusionNetError(
                f"The shape keys of {obj.name!r} are absolute, and {wanted!r} would come between "
                "them",
                "Make them relative, or switch As Shape Key off.",
            )
    if len({obj.data for obj in members}) < len(members):
        raise DiffusionNetError(
            "Two of the source's objects share one mesh, which can take one shape alone",
            "Make them single users (Object > Relations), or switch As Shape Key off.",
        )
    with transaction(*members):
        pooled = (placed.split(at) for at in (placed.surface.vertices, result.vertices))
        for obj, before, after in zip(members, *pooled, strict=True):
            made.append(_add_key(obj, wanted, before, after))
    return made


def _add_key(obj: bpy.types.Object, wanted: str, before: np.ndarray, after: np.ndarray) -> str:
    """Add a key in which vertices (V, 3) of the character's space are elsewhere; its name."""
    linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
    moved = (after - before) @ np.linalg.inv(linear).T
    if obj.data.shape_keys is None:
        obj.shape_key_add(name="Basis", from_mix=False)
    reference = obj.data.shape_keys.reference_key
    (name,) = claim(obj, Kind.SHAPE_KEY, Role.BENT, [wanted], fixed={reference.name}).names
    blocks = obj.data.shape_keys.key_blocks
    key = blocks[name] if name in blocks else obj.shape_key_add(name=name, from_mix=False)
    rest = read_values(reference.data, "co", np.float32, 3).astype(np.float64)
    key.relative_key, key.value = reference, 1.0
    key.data.foreach_set("co", (rest + moved).astype(np.float32).ravel())
    obj.data.update()
    record(obj, Kind.SHAPE_KEY, Role.BENT, [name])
    return str(name)


def bent_copy(
    obj: bpy.types.Object,
    name: str,
    origin: np.ndarray,
    rest: np.ndarray,
    keys: dict[str, np.ndarray],
) -> bpy.types.Object:
    """A copy of an object in another shape, without parent and armature.

    Parameters
    ----------
    obj : bpy.types.Object
    name : str
    origin : (3,) float
        Of the copy, in the world.
    rest : (V, 3) float
        Its vertices from there.
    keys : dict of str to (V, 3) float
        Likewise in each shape key.
    """
    copy = _copy_of(obj, name, origin)
    to_local = np.array(copy.matrix_world.inverted(), dtype=np.float64)
    local = [(at + origin) @ to_local[:3, :3].T + to_local[:3, 3] for at in (rest, *keys.values())]
    _write_shapes(copy.data, local[0], dict(zip(keys, local[1:], strict=True)))
    return copy


def select_made(made: Sequence[bpy.types.Object]) -> None:
    """Select new objects alone; the first becomes the active one."""
    for other in bpy.context.view_layer.objects.selected[:]:
        other.select_set(False)
    for copy in made:
        copy.select_set(True)
    bpy.context.view_layer.objects.active = made[0]


def _copy_of(obj: bpy.types.Object, name: str, origin: Sequence[float]) -> bpy.types.Object:
    """A copy with a mesh of its own, without parent and armature, its origin elsewhere."""
    copy = obj.copy()
    copy.data = obj.data.copy()
    copy.name = copy.data.name = name
    for modifier in [each for each in copy.modifiers if each.type == "ARMATURE"]:
        copy.modifiers.remove(modifier)
    copy.parent = None
    copy.constraints.clear()
    copy.animation_data_clear()
    linear = obj.matrix_world.to_3x3().to_4x4()
    copy.matrix_world = Matrix.Translation(origin) @ linear
    for collection in obj.users_collection or [bpy.context.scene.collection]:
        collection.objects.link(copy)
    bpy.context.view_layer.update()
    return copy


def _write_shapes(mesh: bpy.types.Mesh, rest: np.ndarray, shapes: dict[str, np.ndarray]) -> None:
    """Write the rest shape (V, 3) and the effect of each key, as `read_keys` reads them."""
    mesh.vertices.foreach_set("co", rest.astype(np.float32).ravel())
    keys = mesh.shape_keys
    if keys is not None:
        done = {keys.reference_key.name: rest}

        def whole(key: bpy.types.ShapeKey, path: tuple[str, ...] = ()) -> np.ndarray:
            start = key.relative_key if keys.use_relative else keys.reference_key
            if key.name not in done:
                circular = start.name in (*path, key.name)
                beneath = rest if circular else whole(start, (*path, key.name))
                done[key.name] = beneath + shapes[key.name] - rest
            return done[key.name]

        for key in keys.key_blocks:
            key.data.foreach_set("co", whole(key).astype(np.float32).ravel())
    mesh.update()
