"""Point maps between registered shapes by networks, and their geodesic errors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.pointwise import embeddings, nearest_rows
from diffusionnet_blender.matching.spectral import spectral_mesh
from diffusionnet_blender.matching.zoomout import zoomout
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.match.side import vertex_features

from .course import Weights
from .maps import RegisteredShape, RegisteredShapes, map_of_features

# Eigenfunctions that ZoomOut ends with.
REFINED = 128


class Matcher(Protocol):
    """What makes point maps: features of each shape once, then maps of pairs."""

    def features(self, shape: RegisteredShape) -> Any:
        """Features of a shape, (V, d)."""

    def maps(
        self, source: RegisteredShape, target: RegisteredShape, there: Any, here: Any
    ) -> tuple[np.ndarray, ...]:
        """One or more maps by the features of both: a source vertex for each of the target."""


@dataclass(frozen=True, eq=False)
class FunctionalMaps:
    """The map by the functional map of a network's features, and that which ZoomOut makes of it.

    Attributes
    ----------
    architecture : Architecture
    weights : dict of str to array
    inputs : tuple of str
    refined : bool
        Without ZoomOut there is one map.
    """

    architecture: Architecture
    weights: Weights
    inputs: tuple[str, ...]
    refined: bool = True

    def features(self, shape: RegisteredShape) -> torch.Tensor:
        """Outputs of the network, (V, d)."""
        engine = TorchEngine("auto")
        on_device = {name: engine.array(weight) for name, weight in self.weights.items()}
        inputs = engine.array(input_features(shape.discretization, self.inputs))
        with engine.inference():
            matrices = shape_of(shape.discretization, engine)
            return forward(self.architecture, on_device, matrices, inputs, engine)

    def maps(
        self,
        source: RegisteredShape,
        target: RegisteredShape,
        there: torch.Tensor,
        here: torch.Tensor,
    ) -> tuple[np.ndarray, ...]:
        """Nearest vertices in the eigenfunctions of the small map, and of the refined one."""
        engine = TorchEngine("auto")
        shapes = [shape_of(shape.discretization, engine) for shape in (source, target)]
        with engine.inference():
            found = map_of_features(*shapes, there, here).cpu().numpy()
        meshes = [spectral_mesh(shape.discretization) for shape in (source, target)]
        # As the published code does: delta functions of the source, mapped.
        points, queries = (mesh.eigenvectors[:, : len(found)] for mesh in meshes)
        raw = nearest_rows(points @ found.T, queries)
        if not self.refined:
            return (raw,)
        grown = zoomout(*meshes, found, REFINED)
        embedded = embeddings(meshes[0].eigenvectors, meshes[1].eigenvectors, grown)
        return raw, nearest_rows(*embedded)


@dataclass(frozen=True, eq=False)
class BundledModel:
    """Nearest features of a bundled model, and the whole match of the extension."""

    model: Model

    def features(self, shape: RegisteredShape) -> np.ndarray:
        """Features of the model, (V, d), without a frame."""
        own = discretize(_surface(shape), self.model.card.discretization)
        return vertex_features(self.model, own, choose_engine())

    def maps(
        self, source: RegisteredShape, target: RegisteredShape, there: np.ndarray, here: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Nearest features, and the vertices nearest to the points of the match."""
        surface = _surface(source)
        points = match(surface, _surface(target), self.model).target_to_source
        return nearest_rows(there, here), points.nearest_vertex(surface.faces)


def _surface(shape: RegisteredShape) -> Surface:
    return Surface(shape.discretization.vertices, shape.discretization.faces)


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
