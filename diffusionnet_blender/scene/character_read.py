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
from .character import Character
from .places import to_rest
from .read import origin_of, read_object, read_rest_shape
from .seen import Seen, read_seen
from .tracked import Tracked


@dataclass(frozen=True, eq=False)
class CharacterGeometry:
    """The meshes of a character in one space.

    Attributes
    ----------
    members : tuple of Tracked
        Those that could be read.
    seen : tuple of Seen
        Each of them by itself, with its modifiers.
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
    seen: tuple[Seen, ...]
    placed: arrays.Character
    origin: np.ndarray
    polygons: Polygons
    errors: tuple[DiffusionNetError, ...]

    def split(self, labels: Labels) -> list[Labels]:
        """Labels of the pooled surface for the own mesh of each member."""
        if len(self.members) == 1:
            return [self.seen[0].to_base(labels)]
        counts = [seen.geometry.polygons.count for seen in self.seen]
        ends = np.cumsum(counts)[:-1]
        return [
            seen.to_base(
                Labels(
                    class_names=labels.class_names,
                    class_colours=labels.class_colours,
                    vertex_probabilities=probabilities,
                    polygon_labels=polygon_labels,
                    polygon_areas=polygon_areas,
                    topology=seen.geometry.polygons.topology,
                    model_name=labels.model_name,
                    unsure_of=labels.unsure_of,
                )
            )
            for seen, probabilities, polygon_labels, polygon_areas in zip(
                self.seen,
                self.placed.split(labels.vertex_probabilities),
                np.split(labels.polygon_labels, ends),
                np.split(labels.polygon_areas, ends),
                strict=True,
            )
        ]

    def from_base(self, values: np.ndarray) -> np.ndarray:
        """Values at the vertices of all own meshes (B, ...), at those of the pooled surface."""
        ends = np.cumsum([len(seen.base.coordinates) for seen in self.seen])[:-1]
        own = np.split(values, ends)
        return np.concatenate([s.from_base(v) for s, v in zip(self.seen, own, strict=True)])


def read_character(
    character: Character, posed: bool = False, own: bool = False
) -> CharacterGeometry:
    """Read the members of a character, in any mode; an error of one costs it alone.

    Parameters
    ----------
    character : Character
    posed : bool
        As they are posed now, see `seen.read_seen`.
    own : bool
        Their own meshes, without modifiers.

    Raises
    ------
    DiffusionNetError
        If none can be read: that of the first.
    """
    members: list[bpy.types.Object] = []
    seen: list[Seen] = []
    errors: list[DiffusionNetError] = []
    for obj in character.members:
        try:
            seen.append(Seen(read_object(obj)) if own else read_seen(obj, posed))
        except DiffusionNetError as error:
            errors.append(error)
        else:
            members.append(obj)
    if not members:
        raise errors[0]
    surfaces = [each.geometry.surface for each in seen]
    surfaces, origin = _in_place(members, surfaces, posed)
    return CharacterGeometry(
        tuple(map(Tracked.of, members)),
        tuple(seen),
        arrays.Character(surfaces),
        origin,
        _pooled_polygons([each.geometry.polygons for each in seen]),
        tuple(errors),
    )


def read_rest_character(members: Sequence[bpy.types.Object]) -> Surface:
    """The meshes of a character as modelled, see `read.read_rest_shape`, as one surface."""
    geometries = [read_seen(obj).geometry for obj in members]
    if len(members) == 1:
        return read_rest_shape(members[0], geometries[0])
    surfaces = [geometry.surface for geometry in geometries]
    return arrays.Character(_in_place(members, surfaces, posed=False)[0]).surface


def _in_place(
    members: Sequence[bpy.types.Object], surfaces: list[Surface], posed: bool
) -> tuple[list[Surface], np.ndarray]:
    """Surfaces, which have the directions of the world, with their places from a common origin."""
    if len(members) == 1:
        return surfaces, origin_of(members[0])
    to_world = [np.array(obj.matrix_world, dtype=np.float64) for obj in members]
    to_rests = [np.eye(4) if posed else to_rest(obj) for obj in members]
    origin = (to_rests[0] @ to_world[0])[:3, 3]
    placed = []
    for surface, matrix, rest in zip(surfaces, to_world, to_rests, strict=True):
        vertices = surface.vertices
        if not np.allclose(rest, np.eye(4), atol=1e-6):
            vertices = vertices @ rest[:3, :3].T
        shift = (rest @ matrix)[:3, 3] - origin
        placed.append(Surface(vertices + shift, surface.faces, surface.normals))
    return placed, origin


def _pooled_polygons(polygons: list[Polygons]) -> Polygons:
    if len(polygons) == 1:
        return polygons[0]
    starts = np.cumsum([0, *(each.count for each in polygons)])
    of_triangle = [
        each.of_triangle + start for each, start in zip(polygons, starts[:-1], strict=True)
    ]
    return Polygons(np.concatenate(of_triangle).astype(np.int32), int(starts[-1]))
