"""Landmark constraints: pairs of vertices that the map interpolates, deformed smoothly around."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csgraph

from ..errors import DiffusionNetError
from .geodesic import geodesic_distances, surface_graph
from .points import SurfacePoints, points_at_vertices
from .pointwise import precise_map
from .spectral import SpectralMesh

# Reach of a pin, in units of the square root of the area, and in multiples of its displacement: a
# shorter reach would fold the map.
REACH = 0.1
REACH_OF_PULL = 3.0
# Most steps of a deformation; each is about as long as an edge.
MOST_STEPS = 24
# Influence below which a vertex stays where it is.
LEAST_INFLUENCE = 1e-3


def pairs_of_pins(pins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pins of the source and of the target, (P,) int64 each.

    Parameters
    ----------
    pins : (P, 2) int

    Raises
    ------
    DiffusionNetError
        If they are no pairs of whole numbers.
    """
    pins = np.asarray(pins)
    if pins.size and (pins.ndim != 2 or pins.shape[1] != 2 or pins.dtype.kind not in "iu"):
        raise DiffusionNetError(
            "The pins are no pairs of vertex numbers",
            "Give a row for each pin: a vertex of the source, and one of the target.",
        )
    one, other = pins.astype(np.int64).reshape(-1, 2).T
    return one, other


def check_pins(source_pins: np.ndarray, target_pins: np.ndarray, sizes: tuple[int, int]) -> None:
    """Refuse pins that no map can honour.

    Parameters
    ----------
    source_pins, target_pins : (P,) int
    sizes : (V_source, V_target)

    Raises
    ------
    DiffusionNetError
    """
    if len(source_pins) != len(target_pins):
        raise DiffusionNetError(
            f"There are {len(source_pins)} pins on the source and {len(target_pins)} on the target",
            "Set the pins in pairs, in the same order on both.",
        )
    for name, pins, size in zip(
        ("source", "target"), (source_pins, target_pins), sizes, strict=True
    ):
        if len(pins) and (np.min(pins) < 0 or np.max(pins) >= size):
            raise DiffusionNetError(
                f"A pin names a vertex that the {name} does not have",
                "Set the pins again: the mesh has changed since.",
            )
    pairs = np.unique(np.stack([target_pins, source_pins], axis=1), axis=0)
    if len(np.unique(pairs[:, 0])) < len(pairs):
        raise DiffusionNetError(
            "Two pins put one point of the target in two places of the source",
            "Remove one of them.",
        )


def pin_functions(mesh: SpectralMesh, pins: np.ndarray) -> np.ndarray:
    """Descriptors by pins: heat kernels of two times around each, (V, 2 P).

    Parameters
    ----------
    mesh : SpectralMesh
    pins : (P,) int
    """
    scale = 4 * np.pi / mesh.mass.sum()
    heat = [
        mesh.eigenvectors @ (np.exp(-mesh.eigenvalues * t)[:, None] * mesh.eigenvectors[pins].T)
        for t in (0.2 / scale, 0.02 / scale)
    ]
    kernels = np.concatenate(heat, axis=1)
    return kernels / np.maximum(np.sqrt(mesh.mass @ np.square(kernels)), np.finfo(float).tiny)


def bend_to_pins(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    source_pins: np.ndarray,
    target_pins: np.ndarray,
) -> SurfacePoints:
    """The map with each pinned vertex of the target on its partner, exactly.

    The images of the pins move along shortest paths to their partners; images around them follow
    in small steps, less with their distance, and are projected onto the source after each. Steps
    are taken in the biharmonic embedding (Lipman et al. 2010), in which limbs stay apart.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
    source_pins, target_pins : (P,) int
        Vertices, in pairs.

    Returns
    -------
    SurfacePoints

    Raises
    ------
    DiffusionNetError
        If the pins contradict each other or name vertices that do not exist.
    """
    source_pins, target_pins = np.asarray(source_pins), np.asarray(target_pins)
    check_pins(source_pins, target_pins, (len(source.vertices), len(target.vertices)))
    _, once = np.unique(target_pins, return_index=True)
    source_pins, target_pins = source_pins[once], target_pins[once]
    if not len(target_pins):
        return target_to_source
    above = source.eigenvalues > 1e-6 * source.eigenvalues[-1]
    embedding = source.eigenvectors[:, above] / source.eigenvalues[above]
    starts = target_to_source[target_pins].nearest_vertex(source.faces)
    paths, lengths = _shortest_paths(source, starts, source_pins)
    influence = _influence(target, target_pins, lengths)
    moved = np.flatnonzero(np.abs(influence).max(axis=1) > LEAST_INFLUENCE)
    edge = np.sqrt(2.3 / len(source.faces))
    steps = int(np.clip(np.ceil(lengths.max() / edge), 1, MOST_STEPS))
    path = np.stack([_resampled(embedding[nodes], steps) for nodes in paths])
    path[:, 0] = target_to_source[target_pins].interpolate(embedding, source.faces)
    at = target_to_source[moved].interpolate(embedding, source.faces)
    for step in range(steps):
        at = at + influence[moved] @ (path[:, step + 1] - path[:, step])
        found = precise_map(embedding, source.faces, at)
        at = found.interpolate(embedding, source.faces)
    face, barycentric = target_to_source.face.copy(), target_to_source.barycentric.copy()
    face[moved], barycentric[moved] = found.face, found.barycentric
    exact = points_at_vertices(source_pins, source.faces)
    face[target_pins], barycentric[target_pins] = exact.face, exact.barycentric
    return SurfacePoints(face, barycentric)


def _shortest_paths(
    source: SpectralMesh, starts: np.ndarray, ends: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Vertices along the shortest path of each pin, and lengths (P,), from starts to ends (P,)."""
    graph = surface_graph(source.vertices, source.faces)
    distance, before = csgraph.dijkstra(
        graph, directed=False, indices=ends, return_predecessors=True
    )
    paths = []
    for start, row in zip(starts, before, strict=True):
        nodes = [start]
        while row[nodes[-1]] >= 0:
            nodes.append(row[nodes[-1]])
        paths.append(np.array(nodes))
    lengths = distance[np.arange(len(ends)), starts]
    # To another loose part there is no path: the pin moves straight, images around it stay.
    for i in np.flatnonzero(~np.isfinite(lengths)):
        paths[i] = np.array([starts[i], ends[i]])
    return paths, np.where(np.isfinite(lengths), lengths, 0.0)


def _resampled(nodes: np.ndarray, steps: int) -> np.ndarray:
    """A polyline (n, d) cut into equal steps, (steps + 1, d)."""
    if len(nodes) == 1:
        nodes = np.repeat(nodes, 2, axis=0)
    position = np.linspace(0, len(nodes) - 1, steps + 1)
    low = np.minimum(position.astype(int), len(nodes) - 2)
    share = (position - low)[:, None]
    return (1 - share) * nodes[low] + share * nodes[low + 1]


def _influence(target: SpectralMesh, pins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Weight of each pin at each vertex, (V, P): 1 at the pin itself, 0 at the others."""
    graph = surface_graph(target.vertices, target.faces)
    distance = geodesic_distances(graph, pins).T
    reach = np.maximum(REACH, REACH_OF_PULL * lengths)
    kernel = np.exp(-np.square(distance / reach))
    return np.linalg.lstsq(kernel[pins].T, kernel.T, rcond=1e-6)[0].T
