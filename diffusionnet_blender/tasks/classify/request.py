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
    """A shape to classify.

    Attributes
    ----------
    surface : Surface
        A mesh or a point cloud.
    model : str or Model
        One whose outputs are at the shape, as training on whole shapes gives it.
    cache : OperatorCache, optional
        Makes the next run on the same geometry skip all but the network.
    """

    surface: Surface
    model: str | Model = option(
        REQUIRED, "Model", "Name of a model, or path of a .safetensors file"
    )
    cache: OperatorCache | None = None


@dataclass(frozen=True, eq=False)
class Classification:
    """Class of a shape.

    Attributes
    ----------
    probabilities : (C,) float32
    class_names : tuple of str
    model_name : str
    seconds : dict of str to float
        Of each stage; stages that the cache saved are missing.
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
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())
