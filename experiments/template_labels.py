"""Each vertex labelled with the vertex of a template (paper 5.4), learned on one connectivity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features, input_width
from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import TrainingSettings
from diffusionnet_blender.surface.discretization import truncated
from diffusionnet_blender.surface.prepare import PreparedSurface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from training import trials

from .course import Course, Weights
from .layouts import remeshed
from .layouts.files import read_mesh
from .layouts.stand_in import is_stand_in
from .matrices import Shapes

SETTINGS = DiscretizationSettings(k=128)
# Points of the curve of each training, with a checkpoint each, and how many unseen shapes they are
# measured on.
POINTS, WATCHED = 5, 4


@dataclass(frozen=True)
class Labelling:
    """A network that labels vertices with those of a template, and its training.

    Attributes
    ----------
    features : tuple of str
        Positions are turned about the vertical at random in every step.
    make : callable
        The network, as of `Course`.
    width, epochs : int
    k : int
        Eigenpairs.
    seed : int
    """

    features: tuple[str, ...]
    make: Callable[..., DiffusionNet] = DiffusionNet
    width: int = 64
    epochs: int = 60
    k: int = SETTINGS.k
    seed: int = 0

    def network(self, classes: int, weights: Weights | None = None) -> DiffusionNet:
        """The network for a template of so many vertices."""
        return self.make(self._architecture(classes), TorchEngine("auto"), weights)

    def _architecture(self, classes: int) -> Architecture:
        return Architecture(input_width(self.features), classes, width=self.width, dropout=0.1)

    def course(self, data: Data, folder: Path) -> Course:
        """The training on the registrations alone, as far as the checkpoint in a folder."""
        steps = self.epochs * data.counts["train"]
        return Course(
            self._architecture(data.classes),
            self.features,
            TrainingSettings(
                steps=steps,
                label_smoothing=0.0,
                scale_jitter=0.0,
                random_rotation="xyz" in self.features,
                rotation_axis=remeshed.VERTICAL,
                half_precision=True,
                report_every=max(steps // POINTS, 1),
                seed=self.seed,
            ),
            folder,
            make=self.make,
        )

    def train(self, data: Data, folder: Path, hours: float | None = None) -> Course:
        """Go on with the training, to its end or for some hours."""
        course = self.course(data, folder)
        if not course.finished:
            shapes = [trials.truncated(shape, self.k) for shape in data.shapes("train", "orig")]
            course.run(shapes, partial(self._exact, data), hours)
        return course

    def _exact(self, data: Data, weights: Weights) -> float:
        """Share of the vertices of some unseen bodies that get their own number."""
        return float(np.mean(self.errors(weights, data, "orig", WATCHED) == 0))

    def errors(
        self, weights: Weights, data: Data, kind: str, most: int | None = None
    ) -> np.ndarray:
        """Geodesic distance of each vertex's label from the true one, in percent of the diameter.

        Of all bodies of the test split, or of so many, (N,) float32.
        """
        return np.concatenate(
            [data.distances[found, true] for found, true in self.labels(weights, data, kind, most)]
        )

    def labels(
        self, weights: Weights, data: Data, kind: str, most: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Labels found and true ones at the vertices of each body of the test split."""
        module = self.network(data.classes, weights).eval()
        shapes = data.shapes("test", kind)
        for index in range(min(most or len(shapes), len(shapes))):
            prepared, true = shapes.prepared(index)
            yield self._outputs(module, prepared).argmax(axis=1), true

    def _outputs(self, module: DiffusionNet, prepared: PreparedSurface) -> np.ndarray:
        """Outputs at the vertices of the data set, (V, T) float32."""
        shape, engine = truncated(prepared.discretization, self.k), module.engine
        with torch.inference_mode():
            features = engine.array(input_features(shape, self.features))
            outputs = engine.to_numpy(module(shape_of(shape, engine), features))
        return prepared.to_user_vertices(outputs)


class Data:
    """Bodies in correspondence and their remeshed versions, with matrices.

    Parameters
    ----------
    folder : Path
        As `layouts.remeshed` has it.
    cache : Path
        For matrices.
    processes : int
        That make them.

    Attributes
    ----------
    name : str
        Of the data set among others in the cache.
    template : Surface
        The first body.
    classes : int
        Vertices of the template.
    distances : (T, T) float32
        Between its vertices, in percent of the largest.
    """

    def __init__(self, folder: Path, cache: Path, processes: int = 1):
        train, test = remeshed.registrations(folder)
        self.folder, self.cache, self.processes = folder, cache, processes
        # Two folders of one name are two data sets.
        place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        self.name = f"{folder.resolve().name}-{place}"
        self.counts = {"train": len(train), "test": len(test)}
        self.template = read_mesh(train[0])
        self.classes = len(self.template.vertices)
        graph = surface_graph(self.template.vertices, self.template.faces)
        distances = geodesic_distances(graph, np.arange(self.classes)).astype(np.float32)
        # Between loose parts there is no path: as far as anything can be.
        farthest = distances[np.isfinite(distances)].max()
        self.distances = 100 * np.minimum(distances, farthest) / farthest

    @property
    def described(self) -> str:
        """What data they are, for the tables."""
        origin = "stand-in" if is_stand_in(self.folder) else "MPI-FAUST"
        return f"{self.counts['train']} bodies of {self.classes:,} vertices ({origin})"

    def shapes(self, split: str, kind: str) -> Shapes:
        """Shapes of a split with the template's vertex at each vertex."""
        return Shapes(
            partial(remeshed.read, self.folder, split, kind),
            self.cache / f"{self.name}-{split}-{kind}",
            SETTINGS,
            lambda: self.counts[split],
            self.processes,
            self.folder,
        )
