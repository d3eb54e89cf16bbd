"""Classification: the request, the result, and the function between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...network.checkpoint import Model
from ...options import REQUIRED, option
from ...surface.cache import OperatorCache
from ...surface.surface import Surface
from ..compute import Compute
from ..progress import SILENT, CallbackProgress, Progress

# Shares of the time, by the names of the stages.
STAGES = {
    "": 0.02,
    "repair": 0.05,
    "proxy": 0.05,
    "laplacian": 0.05,
    "eigenbasis": 0.6,
    "gradient": 0.03,
    "network": 0.2,
}


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


def run(request: ClassifyRequest, progress: Progress = SILENT) -> Classification:
    """Find the class of a mesh or a point cloud.

    Parameters
    ----------
    request : ClassifyRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Classification

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If the engine or the device is not there, or memory does not suffice.
    ModelError
        If there is no such model, or it does not classify whole shapes.
    """
    from .pipeline import classification

    return classification(request, progress)


def classify(
    surface: Surface,
    model: str | Model,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Classification:
    """Find the class of a mesh or a point cloud.

    Parameters
    ----------
    surface : Surface
    model : str or Model
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Other fields of `ClassifyRequest`.

    Returns
    -------
    Classification

    Raises
    ------
    SurfaceError, DeviceError, ModelError
        As `run`.
    """
    return run(ClassifyRequest(surface, model, **options), CallbackProgress(progress))
