"""Transfer of data along a correspondence: the request, the result, the function between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...matching.points import SurfacePoints
from ...options import option
from ..progress import SILENT, CallbackProgress, Progress
from .layers import Layers, MeshShape, Moved, Weights

# Shares of the time of a texture and skin weights, by the names of the stages.
STAGES = {
    "": 0.02,
    "uv": 0.03,
    "texture": 0.73,
    "weights": 0.15,
    "shape keys": 0.04,
    "attributes": 0.02,
    "armature": 0.01,
}


@dataclass(frozen=True, eq=False)
class TransferRequest:
    """Layers of a source, and the target that receives them.

    Attributes
    ----------
    source, target : MeshShape
    target_to_source : SurfacePoints
        On the source's triangles, one for each vertex of the target.
    confidence : (V_t,) float
    layers : Layers
        Of the source.
    target_uv : (L_t, 2) float, optional
        The target's own layout; needed for textures.
    locked : Weights, optional
        Groups of the target, among those that are moved, that must stay as they are.
    texture_size, dilation, limit, least_confidence, small_keys
    """

    source: MeshShape
    target: MeshShape
    target_to_source: SurfacePoints
    confidence: np.ndarray
    layers: Layers
    target_uv: np.ndarray | None = None
    locked: Weights | None = None
    texture_size: int = option(
        0,
        "Size (0: Same)",
        "Width and height of the new images. 0: as large as the source's",
        minimum=0,
        maximum=16384,
        subtype="PIXEL",
    )
    dilation: int = option(
        16,
        "Margin",
        "Pixels by which islands grow beyond their rim",
        minimum=0,
        soft_maximum=64,
        subtype="PIXEL",
        flag="margin",
    )
    limit: int = option(
        4,
        "Limit",
        "Most bones that a vertex follows. 0: any number",
        minimum=0,
        soft_maximum=16,
    )
    least_confidence: float = option(
        0.3,
        "Sure Above",
        "Where the match is less sure than this, weights are not copied but filled in smoothly "
        "from around",
        minimum=0.0,
        maximum=1.0,
        subtype="FACTOR",
    )
    small_keys: bool = option(
        False,
        "Small Keys",
        "Turn and scale the offsets of each vertex, which is fast and suits small facial keys. "
        "Off: deformation transfer, for keys that move whole limbs",
    )


def run(request: TransferRequest, progress: Progress = SILENT) -> Moved:
    """Compute the layers of the target; nothing is changed.

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
        If some of the layers cannot be moved.
    """
    from .pipeline import moved

    return moved(request, progress)


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
    """Compute the layers of the target; nothing is changed.

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
