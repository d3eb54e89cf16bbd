"""What real meshes need before anything is computed, and the way back to the user's vertices."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from ..errors import SurfaceError
from .surface import Surface, triangle_areas
from .winding import orient_outward

# Vertices nearer than this share of the shape's size are one vertex.
WELD_DISTANCE = 1e-6
# A triangle whose area is below this share of its longest edge squared has no direction.
DEGENERATE_AREA = 1e-10


@dataclass(frozen=True)
class RepairReport:
    """What was mended, in numbers. The user's own mesh is never changed.

    Attributes
    ----------
    welded_vertices : int
        Vertices that coincide with another one.
    degenerate_faces : int
        Triangles without an area.
    duplicate_faces : int
        Triangles with the same three corners as another one.
    unreferenced_vertices : int
        Vertices of no triangle; they take the value of the nearest vertex of one.
    flipped_faces : int
        Triangles turned so that all face outward.
    bridged_parts : int
        Loose parts that weak virtual edges tie to the rest.
    """

    welded_vertices: int = 0
    degenerate_faces: int = 0
    duplicate_faces: int = 0
    unreferenced_vertices: int = 0
    flipped_faces: int = 0
    bridged_parts: int = 0

    def summary(self) -> str:
        """One line for the user; empty where nothing had to be mended."""
        done = [(getattr(self, field.name), field.name.replace("_", " ")) for field in fields(self)]
        return ", ".join(f"{count:,} {what}" for count, what in done if count)


@dataclass(frozen=True, eq=False)
class RepairedSurface:
    """A clean surface and how the user's vertices relate to it.

    Attributes
    ----------
    surface : Surface
        Welded, without degenerate or repeated triangles, wound outward.
    clean_vertex : (V,) int64
        For each vertex of the user the vertex of `surface` whose value it takes.
    report : RepairReport
    """

    surface: Surface
    clean_vertex: np.ndarray
    report: RepairReport

    def hand_back(self, values: np.ndarray) -> np.ndarray:
        """Values at clean vertices (C, ...) as values at the user's own vertices (V, ...)."""
        return values[self.clean_vertex]


def repair(surface: Surface) -> RepairedSurface:
    """Weld, set aside what has no area, and wind outward.

    Parameters
    ----------
    surface : Surface

    Returns
    -------
    RepairedSurface

    Raises
    ------
    SurfaceError
        If no triangle has an area, or fewer than three points are distinct.
    """
    vertices, faces = surface.vertices, surface.faces
    welded = _weld(vertices)
    keep = np.unique(welded)
    if len(keep) < 3:
        raise SurfaceError(
            f"Only {len(keep)} vertices are at different places",
            "Check the object's scale; a surface needs at least three.",
        )
    welded_count = len(vertices) - len(keep)
    if surface.is_point_cloud:
        clean_vertex = np.searchsorted(keep, welded)
        normals = None if surface.normals is None else surface.normals[keep]
        clean = Surface(vertices[keep], normals=normals)
        return RepairedSurface(clean, clean_vertex, RepairReport(welded_vertices=welded_count))

    faces = welded[faces]
    solid = ~_degenerate(vertices, faces)
    degenerate_count = int(np.count_nonzero(~solid))
    faces = faces[solid]
    if not len(faces):
        raise SurfaceError(
            "No triangle of the mesh has an area",
            "In Blender run Mesh > Clean Up > Merge by Distance and look what is left.",
        )
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    duplicate_count = len(faces) - len(first)
    faces = faces[np.sort(first)]

    used = np.unique(faces)
    clean_vertex = _clean_vertex(vertices, welded, used)
    unreferenced_count = len(keep) - len(used)
    faces, flipped_count = orient_outward(vertices[used], np.searchsorted(used, faces))
    report = RepairReport(
        welded_vertices=welded_count,
        degenerate_faces=degenerate_count,
        duplicate_faces=duplicate_count,
        unreferenced_vertices=unreferenced_count,
        flipped_faces=flipped_count,
    )
    return RepairedSurface(Surface(vertices[used], faces), clean_vertex, report)


def _weld(vertices: np.ndarray) -> np.ndarray:
    """For each vertex the lowest index among those that coincide with it, (V,) int64."""
    distance = WELD_DISTANCE * np.ptp(vertices, axis=0).max()
    pairs = cKDTree(vertices).query_pairs(distance, output_type="ndarray")
    count = len(vertices)
    graph = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, group = csgraph.connected_components(graph, directed=False)
    lowest = np.full(group.max() + 1, count)
    np.minimum.at(lowest, group, np.arange(count))
    return lowest[group]


def _degenerate(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    edges = np.stack([b - a, c - b, a - c])
    longest = np.einsum("eij,eij->ei", edges, edges).max(axis=0)
    return triangle_areas(vertices, faces) <= DEGENERATE_AREA * longest


def _clean_vertex(vertices: np.ndarray, welded: np.ndarray, used: np.ndarray) -> np.ndarray:
    position = np.searchsorted(used, welded)
    position = np.minimum(position, len(used) - 1)
    lost = used[position] != welded
    if lost.any():
        position[lost] = cKDTree(vertices[used]).query(vertices[lost])[1]
    return position
