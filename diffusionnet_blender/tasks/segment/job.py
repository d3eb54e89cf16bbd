"""Segmentation: stages, and the function from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...network.checkpoint import Model
from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..models import DEFAULT_MODEL
from ..progress import SILENT, CallbackProgress, Progress
from .request import Segmentation, SegmentRequest

# Shares of the duration (docs/speed.md). Dense meshes alone have a proxy, a fifth of their time;
# meshes of many parts alone an outer skin, half of theirs.
STAGES = {
    "": 0.02,
    "repair": 0.05,
    "proxy": 0.05,
    "laplacian": 0.05,
    "eigenbasis": 0.5,
    "gradient": 0.03,
    "outer skin": 0.1,
    "network": 0.2,
}


def run(request: SegmentRequest, progress: Progress = SILENT) -> Segmentation:
    """Segment a mesh or a point cloud into the classes of a model.

    Parameters
    ----------
    request : SegmentRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Segmentation

    Raises
    ------
    SurfaceError
        If the geometry cannot be used, or the template has another topology.
    DeviceError
        If the engine or the device is missing, or memory does not suffice.
    ModelError
        If there is no such model, or it does not label parts.
    """
    from .pipeline import segmentation

    return segmentation(request, progress)


def segment(
    surface: Surface | Character,
    model: str | Model = DEFAULT_MODEL,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Segmentation:
    """Segment a mesh, a point cloud or a character of several meshes into the classes of a model.

    Parameters
    ----------
    surface : Surface or Character
        Results on a character are those of its pooled surface, see `Character.split`.
    model : str or Model
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Other fields of `SegmentRequest`.

    Returns
    -------
    Segmentation

    Raises
    ------
    SurfaceError, DeviceError, ModelError
        As `run`.
    """
    if isinstance(surface, Character):
        options = {"member": surface.member, **options}
    request = SegmentRequest(pooled(surface), model, **options)
    return run(request, CallbackProgress(progress))
