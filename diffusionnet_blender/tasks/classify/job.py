"""Classification: stages, and the function from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...network.checkpoint import Model
from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..progress import SILENT, CallbackProgress, Progress
from .request import Classification, ClassifyRequest

# Shares of the duration.
STAGES = {
    "": 0.02,
    "repair": 0.05,
    "proxy": 0.05,
    "laplacian": 0.05,
    "eigenbasis": 0.6,
    "gradient": 0.03,
    "network": 0.2,
}


def run(request: ClassifyRequest, progress: Progress = SILENT) -> Classification:
    """Classify a mesh or a point cloud.

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
        If the engine or the device is missing, or memory does not suffice.
    ModelError
        If there is no such model, or it does not classify whole shapes.
    """
    from .pipeline import classification

    return classification(request, progress)


def classify(
    surface: Surface | Character,
    model: str | Model,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Classification:
    """Classify a mesh, a point cloud or a character of several meshes.

    Parameters
    ----------
    surface : Surface or Character
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
    return run(ClassifyRequest(pooled(surface), model, **options), CallbackProgress(progress))
