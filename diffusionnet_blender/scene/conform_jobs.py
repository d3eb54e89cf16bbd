"""The bending of one character's meshes onto another's shape, and the new objects it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..surface.character import Character as PlacedMeshes
from ..tasks.conform import job as conform_job
from ..tasks.conform.request import ConformedMesh, ConformRequest
from .attributes import read_values
from .character import Character, as_character
from .character_read import CharacterGeometry
from .jobs import Jobs
from .match_jobs import TrackedPair, read_to_match, request_of
from .matches import Shape
from .shape_keys import key_names, read_keys
from .transaction import transaction


class ConformJobs(Jobs):
    """The source's meshes bent onto the target.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    pins : (P, 2) int64
        Vertices of source and target.
    bending : dict
        Fields of `Bending`.
    **options
        Fields of `MatchRequest`.

    Attributes
    ----------
    errors : list of DiffusionNetError
        Of members that are left out.
    result : ConformedMesh
        Of the last run.
    """

    result: ConformedMesh

    def __init__(
        self,
        source: Shape,
        target: Shape,
        pins: np.ndarray,
        bending: dict[str, Any],
        **options: Any,
    ):
        super().__init__(conform_job, [TrackedPair.of(source, target)])
        self._pins, self._bending, self._options = pins, bending, options
        self.errors: list[Exception] = []

    def request(self, item: TrackedPair) -> ConformRequest:
        """Read both."""
        mesh, shape = (read_to_match(as_character(each)) for each in item.find())
        self.errors = [*mesh.errors, *shape.errors]
        self._geometry, self._origin = mesh.geometry, shape.geometry.origin
        names, keys = _pooled_keys(mesh.geometry)
        return ConformRequest(
            request_of(shape, mesh, pins=self._pins[:, ::-1], **self._options),
            names,
            keys,
            **self._bending,
        )

    def keep(self, item: TrackedPair, result: ConformedMesh) -> None:
        """Keep it for `write`."""
        item.find_unchanged("it was being bent", "Press Conform again.")
        self.result = result

    def write(self) -> list[bpy.types.Object]:
        """Make the new objects, all or none."""
        source, target = self.items[0].find()
        return write_conformed(source, target, self._geometry, self._origin, self.result)


def _pooled_keys(geometry: CharacterGeometry) -> tuple[tuple[str, ...], np.ndarray | None]:
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
    placed: PlacedMeshes = geometry.placed
    names = _pooled_keys(geometry)[0]
    made = []
    with transaction():
        for number, obj in enumerate(member.find() for member in geometry.members):
            copy = _copy_of(obj, f"{obj.name} on {target.name}", origin)
            to_local = np.array(copy.matrix_world.inverted(), dtype=np.float64)
            local = [
                (placed.split(shape)[number] + origin) @ to_local[:3, :3].T + to_local[:3, 3]
                for shape in (result.vertices, *result.keys)
            ]
            _write_shapes(copy.data, local[0], dict(zip(names, local[1:], strict=True)))
            made.append(copy)
    for other in bpy.context.view_layer.objects.selected[:]:
        other.select_set(False)
    for copy in made:
        copy.select_set(True)
    bpy.context.view_layer.objects.active = made[0]
    return made


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
