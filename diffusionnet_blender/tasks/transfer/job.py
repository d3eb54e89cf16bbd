"""Transfer along a correspondence: stages, and the function from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...matching.points import SurfacePoints
from ..progress import SILENT, CallbackProgress, Progress
from .layers import Layers, MeshShape, Moved
from .request import TransferRequest

# Shares of the duration for a texture and skin weights.
STAGES = {
    "": 0.02,
    "uv": 0.03,
    "texture": 0.73,
    "weights": 0.15,
    "shape keys": 0.04,
    "attributes": 0.02,
    "armature": 0.01,
}


def run(request: TransferRequest, progress: Progress = SILENT) -> Moved:
    """Compute the layers of the target; the inputs are unchanged.

    Parameters
    ----------
    request : TransferRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Moved

    Raises
    ------
    DiffusionNetError
        If a layer cannot be transferred.
    """
    from .pipeline import moved

    return moved(request, progress)


def is_one_to_one(shape: MeshShape, uv: np.ndarray, height: int, width: int) -> bool:
    """Whether each place of a mesh has one of its own in a layout, inside the unit square.

    Parameters
    ----------
    shape : MeshShape
    uv : (L, 2) float
        Layout at the corners.
    height, width : int
        Of the image whose texels count.
    """
    from ...matching.transfer import tiles
    from ...surface.surface import triangle_areas

    area = triangle_areas(shape.vertices, shape.triangles)
    return tiles.is_one_to_one(uv[shape.corners], area, height, width)


def transfer(
    source: MeshShape,
    target: MeshShape,
    target_to_source: SurfacePoints,
    confidence: np.ndarray,
    layers: Layers,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Moved:
    """Compute the layers of the target; the inputs are unchanged.

    Parameters
    ----------
    source, target, target_to_source, confidence, layers
        Fields of `TransferRequest`.
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Its other fields.

    Returns
    -------
    Moved

    Raises
    ------
    DiffusionNetError
        As `run`.
    """
    request = TransferRequest(source, target, target_to_source, confidence, layers, **options)
    return run(request, CallbackProgress(progress))
