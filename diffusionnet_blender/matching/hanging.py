"""Loose bodies on a target that the source lacks, as eyes and a tongue, and how they are carried.

Closest points that face alike would tear them: the front of an eye goes with the lids, the upper
side of a tongue with the floor of the mouth, its underside with the palate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import triangle_vectors
from .patches import Mesh, Patch
from .similarity import similarity

# A body encloses a volume: more than this share of the area to the power of 1.5, of which a ball
# has 0.094 and a strip of lashes 0.01; and all areas with their normals add up to less than this
# share of the area, of which half a ball has 0.5.
FULL, OPEN = 0.03, 0.2
# Parts with less of themselves in a patch belong elsewhere; keys of the lids do not reach the backs
# of eyes.
WITHIN = 0.25
# Fewer vertices around a part do not tell how it turns.
FEWEST = 4
# Share of those around that decide, those that go alike, and how often they are chosen: not the
# lids around an eye, nor the palate over a tongue.
DECIDING, ROUNDS = 0.5, 10


@dataclass(frozen=True, eq=False)
class HangingPart:
    """A loose part of the target.

    Attributes
    ----------
    vertices : (n,) int64
    around : (m,) int64
        Vertices of other parts that are nearest to them.
    """

    vertices: np.ndarray
    around: np.ndarray

    def carried(self, rest: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Positions (n, 3) of the part when it is turned and shifted as most of what is around.

        Parameters
        ----------
        rest, key : (V, 3) float
            All vertices of the target at rest and in the key.
        """
        before, after = rest[self.around], key[self.around]
        decides = np.ones(len(before), bool)
        for _ in range(ROUNDS):
            rotation, _, _ = similarity(before[decides], after[decides])
            middle, goal = (at[decides].mean(axis=0) for at in (before, after))
            off = np.linalg.norm(goal + (before - middle) @ rotation.T - after, axis=1)
            decides = off <= np.quantile(off, DECIDING)
        return goal + (rest[self.vertices] - middle) @ rotation.T


def hanging_parts(patch: Patch, source: Mesh, target: Mesh) -> list[HangingPart]:
    """The loose bodies within a patch of the target that have no counterpart on the source.

    Of those that lie on one part of the source, the one with the most points there is its
    counterpart. Sheets, as brows and lashes, stay with the surface that they lie on.

    Parameters
    ----------
    patch : Patch
    source, target : (vertices, faces)
    """
    part_of_vertex = label_mesh_parts(len(target[0]), target[1])
    names, part = np.unique(part_of_vertex[patch.target], return_inverse=True)
    part_of_face = label_mesh_parts(len(source[0]), source[1])[source[1][:, 0]]
    goals, goal = np.unique(part_of_face[patch.points.face], return_inverse=True)
    points = np.zeros((len(names), len(goals)), np.int64)
    np.add.at(points, (part, goal), 1)
    hangs = points.sum(axis=1) > WITHIN * np.bincount(part_of_vertex)[names]
    hangs[points.argmax(axis=0)] = False
    for number in np.flatnonzero(hangs):
        own_faces = target[1][part_of_vertex[target[1][:, 0]] == names[number]]
        hangs[number] = _is_body(target[0], own_faces)
    others = np.unique(target[1])
    others = others[~np.isin(part_of_vertex[others], names[hangs])]
    tree = cKDTree(target[0][others])
    found = []
    for name in names[hangs]:
        own = np.flatnonzero(part_of_vertex == name)
        around = np.unique(others[tree.query(target[0][own])[1]])
        if len(around) >= FEWEST:
            found.append(HangingPart(own, around))
    return found


def _is_body(vertices: np.ndarray, faces: np.ndarray) -> bool:
    """Whether triangles enclose a volume, but for a small opening."""
    areas = triangle_vectors(vertices, faces) / 2
    area = np.linalg.norm(areas, axis=1).sum()
    first = vertices[faces[:, 0]] - vertices[faces].mean(axis=(0, 1))
    volume = abs(np.einsum("fi,fi->", first, areas)) / 3
    return bool(volume > FULL * area**1.5 and np.linalg.norm(areas.sum(axis=0)) < OPEN * area)
