"""Request and result of a classification."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.checkpoint import Model
from ...options import REQUIRED, option
from ...surface.cache import OperatorCache
from ...surface.surface import Surface
from ..compute import Compute


@dataclass(frozen=True, eq=False)
class ClassifyRequest(Compute):
    """A shape to classify, and the model for it.

    Attributes
    ----------
    surface : Surface
        A mesh or a point cloud.
    model : str or Model
        With one output for the whole shape, as by training on whole shapes.
    cache : OperatorCache, optional
        Of the matrices, so that another run on the same geometry evaluates the network alone.
    """

    surface: Surface
    model: str | Model = option(
        REQUIRED, "Model", "Name of a model, or path of a .safetensors file"
    )
    cache: OperatorCache | None = None


@dataclass(frozen=True, eq=False)
class Classification:
    """Class probabilities of a shape.

    Attributes
    ----------
    probabilities : (C,) float32
    class_names : tuple of str
    model_name : str
    seconds : dict of str to float
        Duration of each stage; without the stages whose result was in the cache.
    """

    probabilities: np.ndarray
    class_names: tuple[str, ...]
    model_name: str
    seconds: dict[str, float]

    @property
    def class_name(self) -> str:
        """The most probable class."""
        return self.class_names[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        """Probability of that class, 0 to 1."""
        return float(self.probabilities.max())
