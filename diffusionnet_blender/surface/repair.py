"""Mesh repair (welding, degenerate and duplicate triangles, winding), and the map back from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from ..errors import SurfaceError
from .repair_report import RepairReport
from .stray import stray_vertices, without_stray
from .surface import Surface, blocks, corners, cross
from .winding import orient_outward

# Vertices nearer than this share of the shape's size are one vertex.
WELD_DISTANCE = 1e-6
# A triangle whose area is below this share of its longest edge squared has no direction.
DEGENERATE_AREA = 1e-10
# No mesh is regular along this direction, so few vertices are at the same height by chance.
SWEEP = np.array([0.5365, 0.6180, 0.5747])


@dataclass(frozen=True, eq=False)
class RepairedSurface:
    """A clean surface and how the user's vertices relate to it.

    Attributes
    ----------
    surface : Surface
        Welded, without degenerate or repeated triangles, wound outward.
    clean_vertex : (V,) int64
        For each vertex of the user the vertex of `surface` whose value it takes.
    user_vertex : (C,) int64
        For each vertex of `surface` the one of the user that it is.
    report : RepairReport
    """

    surface: Surface
    clean_vertex: np.ndarray
    user_vertex: np.ndarray
    report: RepairReport

    def to_user_vertices(self, values: np.ndarray) -> np.ndarray:
        """Values at clean vertices (C, ...) as values at the user's own vertices (V, ...)."""
        return values[self.clean_vertex]


def repair(
    surface: Surface, progress: Callable[[float], None] = lambda fraction: None
) -> RepairedSurface:
    """Weld vertices, remove degenerate and duplicate triangles, and wind outward.

    Triangles to stray vertices, far from everything else, are left out.

    Parameters
    ----------
    surface : Surface
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    RepairedSurface

    Raises
    ------
    SurfaceError
        If no triangle has an area, or fewer than three points are distinct.
    """
    progress(0.0)
    vertices, faces = surface.vertices, surface.faces
    welded = weld(vertices)
    is_kept = welded == np.arange(len(vertices))
    kept_count = int(np.count_nonzero(is_kept))
    if kept_count < 3:
        raise SurfaceError(
            f"Only {kept_count} vertices are at different places",
            "Check the object's scale; a surface needs at least three.",
        )
    welded_count = len(vertices) - kept_count
    if surface.is_point_cloud:
        kept = np.flatnonzero(is_kept)
        normals = None if surface.normals is None else surface.normals[kept]
        return RepairedSurface(
            Surface(vertices[kept], normals=normals),
            _position_in(kept, len(vertices))[welded],
            kept,
            RepairReport(welded_vertices=welded_count),
        )

    progress(0.2)
    stray = stray_vertices(vertices)
    if len(stray):
        faces = without_stray(vertices, faces)
    faces = welded[faces] if welded_count else faces
    solid = ~_degenerate(vertices, faces)
    degenerate_count = int(np.count_nonzero(~solid))
    faces = faces[solid] if degenerate_count else faces
    if not len(faces):
        raise SurfaceError(
            "No triangle of the mesh has an area",
            "In Blender run Mesh > Clean Up > Merge by Distance and look what is left.",
        )
    progress(0.4)
    repeated = _repeats(faces, len(vertices))
    faces = np.delete(faces, repeated, axis=0) if len(repeated) else faces

    is_used = np.zeros(len(vertices), dtype=bool)
    is_used[faces] = True
    used = np.flatnonzero(is_used)
    position = _position_in(used, len(vertices))
    progress(0.5)
    faces, flipped_count = orient_outward(
        vertices[used], position[faces], lambda fraction: progress(0.5 + 0.5 * fraction)
    )
    progress(1.0)
    report = RepairReport(
        welded_vertices=welded_count,
        degenerate_faces=degenerate_count,
        duplicate_faces=len(repeated),
        unreferenced_vertices=kept_count - len(used),
        flipped_faces=flipped_count,
        stray_vertices=len(stray),
        first_stray_vertex=int(stray[0]) if len(stray) else 0,
    )
    return RepairedSurface(
        Surface(vertices[used], faces),
        _clean_vertex(vertices, position[welded], used),
        used,
        report,
    )


def weld(vertices: np.ndarray) -> np.ndarray:
    """For each vertex the lowest index among those that coincide with it, (V,) int64."""
    count = len(vertices)
    distance = (
        WELD_DISTANCE * np.ptp(np.delete(vertices, stray_vertices(vertices), 0), axis=0).max()
    )
    # Sorted along a line, vertices that are near each other are near in the order, too.
    height = vertices[:, 0] * SWEEP[0] + vertices[:, 1] * SWEEP[1] + vertices[:, 2] * SWEEP[2]
    order = np.argsort(height)
    height, sorted_vertices = height[order], vertices[order]
    # Exact copies first, however many there are at one place: one of each then stands for all.
    is_copy = np.zeros(count, dtype=bool)
    is_copy[1:] = (sorted_vertices[1:] == sorted_vertices[:-1]).all(axis=1)
    copy = np.flatnonzero(is_copy)
    first, second = [copy - 1], [copy]
    single = np.flatnonzero(~is_copy)
    near, step = np.arange(len(single)), 1
    while True:
        near = near[: np.searchsorted(near, len(single) - step)]
        near = near[height[single[near + step]] - height[single[near]] <= distance]
        if not len(near):
            break
        one, other = single[near], single[near + step]
        gap = sorted_vertices[one] - sorted_vertices[other]
        close = np.einsum("ij,ij->i", gap, gap) <= distance**2
        first.append(one[close])
        second.append(other[close])
        step += 1
    first, second = order[np.concatenate(first)], order[np.concatenate(second)]
    if not len(first):
        return np.arange(count)
    graph = sparse.coo_matrix((np.ones(len(first)), (first, second)), (count, count))
    _, group = csgraph.connected_components(graph, directed=False)
    # Of several that are assigned to one place, the last stays: backwards, that is the lowest.
    lowest = np.empty(group.max() + 1, dtype=np.int64)
    lowest[group[::-1]] = np.arange(count)[::-1]
    return lowest[group]


def _degenerate(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Which triangles have next to no area for their size, (F,) bool."""
    found = np.empty(len(faces), dtype=bool)
    for block in blocks(len(faces)):
        a, b, c = corners(vertices, faces[block])
        ab, bc, ca = b - a, c - b, a - c
        longest = np.maximum.reduce([np.einsum("ij,ij->i", e, e) for e in (ab, bc, ca)])
        vector = cross(ab, ca)
        area = 0.5 * np.sqrt(np.einsum("ij,ij->i", vector, vector))
        found[block] = area <= DEGENERATE_AREA * longest
    return found


def _repeats(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """Triangles with the same three corners as an earlier one, (n,) int64."""
    # The sum of a random number for each corner does not depend on their order. Where no two
    # sums are equal, no two triangles are; the few that are equal are then compared.
    code = np.random.default_rng(0).integers(0, 2**63, vertex_count, dtype=np.uint64)
    total = code[faces[:, 0]] + code[faces[:, 1]] + code[faces[:, 2]]
    ordered = np.sort(total)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.empty(0, dtype=np.int64)
    alike = np.flatnonzero(np.isin(total, twice))
    _, first = np.unique(np.sort(faces[alike], axis=1), axis=0, return_index=True)
    return np.delete(alike, first)


def _position_in(chosen: np.ndarray, count: int) -> np.ndarray:
    """For each of `count` indices its place among the chosen ones, -1 for the others."""
    position = np.full(count, -1, dtype=np.int64)
    position[chosen] = np.arange(len(chosen))
    return position


def _clean_vertex(vertices: np.ndarray, position: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Place among the used vertices, of the nearest one where a vertex is not used itself."""
    lost = position < 0
    if lost.any():
        position[lost] = cKDTree(vertices[used]).query(vertices[lost])[1]
    return position
