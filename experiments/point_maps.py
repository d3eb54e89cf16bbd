"""Point maps between registered shapes by the features of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

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
from .maps import RegisteredShape, map_of_features

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
