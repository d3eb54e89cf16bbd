"""ZoomOut: a small functional map refined to a large one (Melzi et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .pointwise import embeddings, nearest_rows, precise_map
from .sampling import farthest_points
from .spectral import SpectralMesh

# Each round grows the map by this share of its size. On bodies that are far from isometric, many
# small steps drift farther from the start than a few large ones, and cost more.
GROWTH = 0.3
SAMPLES = 1500


def zoomout(
    source: SpectralMesh,
    target: SpectralMesh,
    functional_map: np.ndarray,
    k: int,
    bidirectional: bool = True,
    pins: tuple[np.ndarray, np.ndarray] | None = None,
    samples: tuple[np.ndarray, np.ndarray] | None = None,
    between_vertices: bool = True,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Refine a functional map by alternate point maps and functional maps of growing size.

    Parameters
    ----------
    source, target : SpectralMesh
    functional_map : (k_0, k_0) float
        Source functions to target functions.
    k : int
        Size to end with; less where a shape has fewer eigenpairs.
    bidirectional : bool
        Fit the functional map to the point maps of both directions (Ren et al. 2021), which keeps
        a map from covering only half of a shape.
    pins : pair of (P,) int, optional
        Corresponding vertices of the source and of the target, with half the weight of the
        samples.
    samples : pair of (S,) int, optional
        Vertices of the source and of the target that are matched in each round; by default
        `SAMPLES` of each, spread evenly.
    between_vertices : bool
        Let the last round match points within triangles.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    (k, k) float64
    """
    k = min(k, len(source.eigenvalues), len(target.eigenvalues))
    on_source, on_target = samples or (
        farthest_points(source.vertices, SAMPLES),
        farthest_points(target.vertices, SAMPLES),
    )
    size = min(len(functional_map), k)
    functional_map = functional_map[:size, :size]
    while True:
        last = size == k
        precise = last and between_vertices
        grown = min(k, max(size + 1, int(size * (1 + GROWTH))))
        phi_source, phi_target = source.eigenvectors[:, :grown], target.eigenvectors[:, :grown]
        embedded_source, embedded_target = embeddings(phi_source, phi_target, functional_map)
        a = [phi_target[on_target]]
        queries = embedded_target[on_target]
        b = [_matched(embedded_source, source.faces, queries, phi_source, precise)]
        if bidirectional:
            queries = embedded_source[on_source]
            a.append(_matched(embedded_target, target.faces, queries, phi_target, precise))
            b.append(phi_source[on_source])
        if pins is not None and len(pins[0]):
            weight = np.sqrt(0.5 * len(on_target) / len(pins[0]))
            a.append(weight * phi_target[pins[1]])
            b.append(weight * phi_source[pins[0]])
        functional_map = _least_squares(np.concatenate(a), np.concatenate(b))
        progress(grown / k)
        if last:
            return functional_map
        size = grown


def _matched(
    embedded: np.ndarray,
    faces: np.ndarray,
    queries: np.ndarray,
    functions: np.ndarray,
    precise: bool,
) -> np.ndarray:
    """Functions (V, d) at the nearest point of an embedded mesh (V, k) to each query (N, k)."""
    if precise:
        return precise_map(embedded, faces, queries).interpolate(functions, faces)
    return functions[nearest_rows(embedded, queries)]


def _least_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Minimiser C (k, k) of |a C - b|^2 for (N, k), slightly regularised for few samples."""
    gram = a.T @ a
    gram[np.diag_indices_from(gram)] += 1e-8 * np.trace(gram) / len(gram)
    return np.linalg.solve(gram, a.T @ b)
