"""Members of a character read into one surface, and results handed back to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..surface import character as arrays
from ..surface.surface import Surface
from ..tasks.labels import Labels, Polygons
from .armatures import hold_of
from .character import Character
from .read import ObjectGeometry, origin_of, read_object, read_rest_shape
from .tracked import Tracked

# Of the unit cube of a posed bone, below which the pose cannot be undone.
LEAST_VOLUME = 1e-30


@dataclass(frozen=True, eq=False)
class CharacterGeometry:
    """The meshes of a character in one space.

    Attributes
    ----------
    members : tuple of Tracked
        Those that could be read.
    geometries : tuple of ObjectGeometry
        Of each of them by itself.
    placed : surface.character.Character
        Their surfaces in the axes and unit of the world, from the origin of the first. Without a
        pose, what hangs on a bone is where the rest pose has it.
    origin : (3,) float64
        That origin in the world.
    polygons : Polygons
        Of all members.
    errors : tuple of DiffusionNetError
        Of members that could not be read.
    """

    members: tuple[Tracked, ...]
    geometries: tuple[ObjectGeometry, ...]
    placed: arrays.Character
    origin: np.ndarray
    polygons: Polygons
    errors: tuple[DiffusionNetError, ...]

    def split(self, labels: Labels) -> list[Labels]:
        """Labels of the pooled surface for each member by itself."""
        if len(self.members) == 1:
            return [labels]
        counts = [geometry.polygons.count for geometry in self.geometries]
        ends = np.cumsum(counts)[:-1]
        return [
            Labels(
                class_names=labels.class_names,
                class_colours=labels.class_colours,
                vertex_probabilities=probabilities,
                polygon_labels=polygon_labels,
                polygon_areas=polygon_areas,
                topology=geometry.polygons.topology,
                model_name=labels.model_name,
            )
            for geometry, probabilities, polygon_labels, polygon_areas in zip(
                self.geometries,
                self.placed.split(labels.vertex_probabilities),
                np.split(labels.polygon_labels, ends),
                np.split(labels.polygon_areas, ends),
                strict=True,
            )
        ]


def read_character(
    character: Character, depsgraph: bpy.types.Depsgraph | None = None
) -> CharacterGeometry:
    """Read the members of a character, in any mode; an error of one costs it alone.

    Parameters
    ----------
    character : Character
    depsgraph : bpy.types.Depsgraph, optional
        Read them as posed, see `read.read_object`.

    Raises
    ------
    DiffusionNetError
        If none can be read: that of the first.
    """
    members: list[bpy.types.Object] = []
    geometries: list[ObjectGeometry] = []
    errors: list[DiffusionNetError] = []
    for obj in character.members:
        try:
            geometries.append(read_object(obj, depsgraph))
        except DiffusionNetError as error:
            errors.append(error)
        else:
            members.append(obj)
    if not members:
        raise errors[0]
    surfaces = [geometry.surface for geometry in geometries]
    surfaces, origin = _in_place(members, surfaces, posed=depsgraph is not None)
    return CharacterGeometry(
        tuple(map(Tracked.of, members)),
        tuple(geometries),
        arrays.Character(surfaces),
        origin,
        _pooled_polygons([geometry.polygons for geometry in geometries]),
        tuple(errors),
    )


def read_rest_character(members: Sequence[bpy.types.Object]) -> Surface:
    """The meshes of a character as modelled, see `read.read_rest_shape`, as one surface."""
    if len(members) == 1:
        return read_rest_shape(members[0])
    surfaces = [read_object(obj).surface for obj in members]
    return arrays.Character(_in_place(members, surfaces, posed=False)[0]).surface


def _in_place(
    members: Sequence[bpy.types.Object], surfaces: list[Surface], posed: bool
) -> tuple[list[Surface], np.ndarray]:
    """Surfaces, which have the directions of the world, with their places from a common origin."""
    if len(members) == 1:
        return surfaces, origin_of(members[0])
    to_world = [np.array(obj.matrix_world, dtype=np.float64) for obj in members]
    to_rest = [np.eye(4) if posed else _to_rest(obj) for obj in members]
    origin = (to_rest[0] @ to_world[0])[:3, 3]
    placed = []
    for surface, matrix, rest in zip(surfaces, to_world, to_rest, strict=True):
        vertices = surface.vertices
        if not np.allclose(rest, np.eye(4), atol=1e-6):
            vertices = vertices @ rest[:3, :3].T
        shift = (rest @ matrix)[:3, 3] - origin
        placed.append(Surface(vertices + shift, surface.faces, surface.normals))
    return placed, origin


def _to_rest(obj: bpy.types.Object) -> np.ndarray:
    """World transform (4, 4) that takes what hangs on a posed bone to where it rests."""
    hold = hold_of(obj)
    bone = hold.rig.pose.bones.get(hold.bone) if hold is not None and not hold.deforms else None
    if bone is None:
        return np.eye(4)
    rig_to_world, posed, rest = (
        np.array(matrix, dtype=np.float64)
        for matrix in (hold.rig.matrix_world, bone.matrix, bone.bone.matrix_local)
    )
    to_posed = rig_to_world @ posed
    if abs(np.linalg.det(to_posed)) < LEAST_VOLUME:
        return np.eye(4)
    return rig_to_world @ rest @ np.linalg.inv(to_posed)


def _pooled_polygons(polygons: list[Polygons]) -> Polygons:
    if len(polygons) == 1:
        return polygons[0]
    starts = np.cumsum([0, *(each.count for each in polygons)])
    of_triangle = [
        each.of_triangle + start for each, start in zip(polygons, starts[:-1], strict=True)
    ]
    return Polygons(np.concatenate(of_triangle).astype(np.int32), int(starts[-1]))
