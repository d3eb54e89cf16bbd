"""Functional maps of learned features, and their training (paper 5.3, Donati et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.shape import Shape, shape_of
from diffusionnet_blender.network.training import Trainer, rotated, scaled
from diffusionnet_blender.surface.discretization import Discretization
from training.correspondence import COMMUTATIVITY, MAP_SIZE, isometry_of_maps, map_by_rows

from .matrices import Shapes

# The published code turns shapes about this axis, which is up in FAUST.
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class RegisteredShape:
    """A shape at unit area, and where the places of a template are on it.

    Attributes
    ----------
    name : str
    discretization : Discretization
    places : (P,) int
        A vertex for each place.
    """

    name: str
    discretization: Discretization
    places: np.ndarray

    def turned(self, rng: np.random.Generator) -> RegisteredShape:
        """The same, turned about the upright axis at random."""
        turn = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi) * UP).as_matrix()
        return RegisteredShape(self.name, rotated(self.discretization, turn), self.places)


class RegisteredShapes(Sequence[RegisteredShape]):
    """Shapes whose labels are the vertices of places, read from disk when their turn comes.

    Parameters
    ----------
    shapes : Shapes
    """

    def __init__(self, shapes: Shapes):
        self.folder, self._shapes = shapes.folder, shapes

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, index: int) -> RegisteredShape:  # type: ignore[override]
        prepared, places = self._shapes.prepared(index)
        shape = prepared.discretization
        shape = scaled(shape, float(1 / np.sqrt(shape.mass.sum(dtype=float))))
        return RegisteredShape(self._shapes.names[index], shape, prepared.clean_vertex[places])


def map_of_features(
    source: Shape,
    target: Shape,
    source_features: torch.Tensor,
    target_features: torch.Tensor,
    k: int = MAP_SIZE,
    commutativity: float = COMMUTATIVITY,
) -> torch.Tensor:
    """The functional map that takes the source's features to the target's, differentiable.

    Minimises |C A - B|^2 + commutativity * |C Lambda_s - Lambda_t C|^2, with features and
    eigenvalues as they are: that of `training.correspondence` first divides both by their size,
    and published weights would have another balance of the two terms.

    Parameters
    ----------
    source, target : Shape
        At unit area.
    source_features, target_features : (V, d) tensor
    k : int
    commutativity : float

    Returns
    -------
    (k, k) float64 tensor
        Single precision is not enough where no feature has a part in some eigenfunction.
    """
    a, b = (
        (shape.eigenvectors[:, :k].T @ (shape.mass[:, None] * features)).double()
        for shape, features in ((source, source_features), (target, target_features))
    )
    values_s, values_t = (shape.eigenvalues[:k].double() for shape in (source, target))
    gap = (values_t[:, None] - values_s[None]).square()
    # Keeps a row solvable whose eigenfunction is in no feature.
    floor = 1e-9 * a.square().sum() / k
    return map_by_rows(a, b, commutativity * gap + floor)


def true_map(source: RegisteredShape, target: RegisteredShape, k: int = MAP_SIZE) -> np.ndarray:
    """The functional map of the places, (k, k) float64, as the published code fits it.

    It is the transpose of the map back, which takes the target's eigenfunctions at the places to
    the source's.

    Parameters
    ----------
    source, target : RegisteredShape
    k : int
    """
    there, here = (s.discretization.eigenvectors[s.places, :k] for s in (source, target))
    return np.linalg.lstsq(there.astype(float), here.astype(float), rcond=None)[0].T


class MapTrainer(Trainer):
    """Learns from pairs of shapes by the difference of their map from the true one.

    Of the settings, `random_rotation` turns shapes about the upright axis alone, as the published
    code does.
    """

    def run(
        self,
        shapes: Sequence[RegisteredShape],
        checkpoint: Path | None = None,
        report: Callable[[int, float, float], None] = lambda step, loss, accuracy: None,
    ) -> None:
        """As of `Trainer`; each step is on a pair, of which `shapes` gives the first."""
        self.shapes = shapes
        super().run(shapes, checkpoint, report)  # type: ignore[arg-type]

    def _learn_from(self, example: RegisteredShape) -> tuple[float, float]:  # type: ignore[override]
        pair = [example, self.shapes[self.rng.integers(len(self.shapes))]]
        if self.settings.random_rotation:
            pair = [shape.turned(self.rng) for shape in pair]
        engine = self.module.engine
        shapes = [shape_of(shape.discretization, engine) for shape in pair]
        features = []
        for registered, shape in zip(pair, shapes, strict=True):
            inputs = engine.array(input_features(registered.discretization, self.features))
            with self._precision():
                features.append(self.module(shape, inputs).float())
        loss = self.loss(pair, shapes, features)
        self._descend(loss)
        return float(loss.detach()), 0.0

    def loss(
        self,
        pair: Sequence[RegisteredShape],
        shapes: Sequence[Shape],
        features: Sequence[torch.Tensor],
    ) -> torch.Tensor:
        """Mean square of the difference from the true map, of the maps of both directions."""
        losses = []
        for order in (slice(None), slice(None, None, -1)):
            made = map_of_features(*shapes[order], *features[order])
            truth = torch.as_tensor(true_map(*pair[order]), device=made.device)
            losses.append((made - truth).square().mean())
        return torch.stack(losses).mean()


class IsometricMapTrainer(MapTrainer):
    """Learns from pairs that stand aligned, without their places (Sharma and Ovsjanikov 2020).

    The maps of both directions undo each other, are orthogonal, and commute with the Laplacians;
    the side is learned from the positions.
    """

    def loss(
        self,
        pair: Sequence[RegisteredShape],
        shapes: Sequence[Shape],
        features: Sequence[torch.Tensor],
    ) -> torch.Tensor:
        """How far the maps of both directions are from those of an isometry."""
        forth = map_of_features(*shapes, *features)
        reverse = map_of_features(*shapes[::-1], *features[::-1])
        values = [shape.eigenvalues[: len(forth)].double() for shape in shapes]
        return isometry_of_maps(forth, reverse, *values)
