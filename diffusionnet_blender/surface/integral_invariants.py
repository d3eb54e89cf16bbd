"""Integral invariants: point descriptors that any rigid motion keeps, from balls in space.

Where surfaces touch and merge, have holes, or are cut into pieces, geodesic distances describe the
figure badly, and so do heat and wave kernels. The area of the surface within a ball, and the side
on which it lies, stay (Manay et al. 2004; Pottmann et al. 2009).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .grid import cell_keys

# Of the balls, for a surface in the unit sphere: from the thickness of an arm to the whole figure.
RADII = 0.08 * np.sqrt(2.0) ** np.arange(8)
# For each ball: area, height and distance of its middle.
CHANNELS = 3 * len(RADII)
# The surface counts in cells of this share of the radius, each at its centre of mass.
CELL_SHARE = 0.5
# In radii: what is farther away weighs less than 5e-6 and is left out.
REACH = 3.5
# Vertices within a cube of so many radii have their neighbourhood in common.
BLOCK = 3.0
# Pairs of a vertex and a cell at a time: they stay in cache.
PAIRS = 2**18
SMALLEST_AREA = 1e-4


def integral_invariants(
    vertices: np.ndarray, mass: np.ndarray, normals: np.ndarray, radii: np.ndarray = RADII
) -> np.ndarray:
    """Area of the surface in balls around each vertex, and where the middle of that area is.

    Balls have a soft border: area at distance d has weight exp(-d^2 / r^2).

    Parameters
    ----------
    vertices : (V, 3) float
        In the unit sphere.
    mass : (V,) float
        Area around each vertex.
    normals : (V, 3) float
        Of unit length.
    radii : (R,) float

    Returns
    -------
    (V, 3 R) float32
        For each radius r the logarithm of the area by that of a flat place; the height of its
        middle above the vertex, along the normal; the distance of the middle; both by r.
    """
    vertices, mass, normals = (np.asarray(a, np.float32) for a in (vertices, mass, normals))
    found = np.empty((len(vertices), 3 * len(radii)), np.float32)
    for i, radius in enumerate(np.asarray(radii, np.float32)):
        centres, areas = _cells(vertices, mass, CELL_SHARE * radius)
        weighted = np.column_stack([areas, areas[:, None] * centres])
        for rows, near in _neighbourhoods(vertices, centres, radius):
            points = vertices[rows]
            kernel = _square_distances(points, centres[near])
            kernel *= -1.0 / radius**2
            np.exp(kernel, out=kernel)
            sums = kernel @ weighted[near]
            area = np.maximum(sums[:, 0], SMALLEST_AREA * radius**2)
            middle = (sums[:, 1:] / area[:, None] - points) / radius
            found[rows, 3 * i] = np.log(area / (np.pi * radius**2))
            found[rows, 3 * i + 1] = np.einsum("ij,ij->i", middle, normals[rows])
            found[rows, 3 * i + 2] = np.linalg.norm(middle, axis=1)
    return found


def _cells(vertices: np.ndarray, mass: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Centre of mass (C, 3) and area (C,) of the surface in each cell of a grid."""
    _, cell = np.unique(cell_keys(vertices, size), return_inverse=True)
    area = np.bincount(cell, mass)
    # Vertices that no triangle uses have no area, and may have a cell of their own.
    share = mass / np.maximum(area, np.finfo(np.float32).tiny)[cell]
    centres = np.stack([np.bincount(cell, share * axis) for axis in vertices.T], axis=1)
    return centres.astype(np.float32), area.astype(np.float32)


def _neighbourhoods(
    vertices: np.ndarray, centres: np.ndarray, radius: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vertices that lie together, by index, and the cells within their reach, by index."""
    keys = cell_keys(vertices, BLOCK * radius)
    order = np.argsort(keys, kind="stable")
    for block in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        points = vertices[block]
        beyond = np.maximum(points.min(axis=0) - centres, centres - points.max(axis=0))
        near = np.flatnonzero((beyond < REACH * radius).all(axis=1))
        step = max(PAIRS // max(len(near), 1), 1)
        for start in range(0, len(block), step):
            yield block[start : start + step], near


def _square_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    squares = np.square(points).sum(axis=1)[:, None] + np.square(centres).sum(axis=1)
    return squares - 2.0 * (points @ centres.T)
