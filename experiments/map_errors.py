"""Geodesic errors of point maps between registered shapes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph

from .maps import RegisteredShape, RegisteredShapes
from .point_maps import Matcher


class Distances:
    """Distances along each shape from its places, computed once and kept on disk.

    Parameters
    ----------
    shapes : RegisteredShapes

    Raises
    ------
    DiffusionNetError
        If the disk has no room for them.
    """

    def __init__(self, shapes: RegisteredShapes):
        self._folder = shapes.folder
        first = shapes[0]
        needed = 4 * len(shapes) * len(first.places) * len(first.discretization.vertices)
        free = shutil.disk_usage(self._folder).free
        if needed > free and not self._path(first).exists():
            raise DiffusionNetError(
                f"Geodesic distances take some {needed / 1e9:.1f} GB, and {self._folder} has "
                f"{free / 1e9:.1f} GB",
                "Name a folder on a larger disk.",
            )

    def errors(
        self, source: RegisteredShape, target: RegisteredShape, target_to_source: np.ndarray
    ) -> np.ndarray:
        """Distance x100 at unit area between where each place is put and where it is, (P,).

        Parameters
        ----------
        source, target : RegisteredShape
        target_to_source : (V_target,) int
            A vertex of the source for each of the target.
        """
        found = target_to_source[target.places]
        return 100 * self._along(source)[np.arange(len(found)), found]

    def _path(self, shape: RegisteredShape) -> Path:
        return self._folder / f"{shape.name}.geodesics.npy"

    def _along(self, shape: RegisteredShape) -> np.ndarray:
        """(P, V) float32."""
        path = self._path(shape)
        if not path.exists():
            vertices = shape.discretization.vertices.astype(float)
            graph = surface_graph(vertices, shape.discretization.faces)
            starts, place = np.unique(shape.places, return_inverse=True)
            distances = geodesic_distances(graph, starts)
            # Between loose parts no path leads: as far as it gets.
            distances[~np.isfinite(distances)] = distances[np.isfinite(distances)].max()
            temporary = path.with_suffix(".part")
            with temporary.open("wb") as file:
                np.save(file, distances[place].astype(np.float32))
            temporary.replace(path)
        return np.load(path, mmap_mode="r")


def pair_errors(
    shapes: RegisteredShapes,
    distances: Distances,
    matcher: Matcher,
    turned: bool,
    most: int | None = None,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Errors (P,) at the places of each map of a matcher, pair by pair.

    Parameters
    ----------
    shapes : RegisteredShapes
    distances : Distances
    matcher : Matcher
    turned : bool
        Each shape is turned at random before anything is computed of it; always alike.
    most : int, optional
        So many of the pairs alone.
    """
    rng = np.random.default_rng(0)
    turns = rng.integers(2**32, size=len(shapes))

    @cache
    def ready(index: int) -> tuple[RegisteredShape, Any]:
        shape = shapes[index]
        if turned:
            shape = shape.turned(np.random.default_rng(turns[index]))
        return shape, matcher.features(shape)

    for one, other in pairs_of(len(shapes), most):
        (source, there), (target, here) = ready(one), ready(other)
        maps = matcher.maps(source, target, there, here)
        yield tuple(distances.errors(source, target, found) for found in maps)


def pairs_of(count: int, most: int | None = None) -> Sequence[tuple[int, int]]:
    """All pairs of so many shapes, each once, the first before the second; or so many of them,
    spread over the list."""
    every = list(combinations(range(count), 2))
    kept = min(most or len(every), len(every))
    return [every[i] for i in np.linspace(0, len(every) - 1, kept, dtype=int)]
