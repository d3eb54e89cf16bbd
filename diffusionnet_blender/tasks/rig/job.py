"""Rigging: stages, and the functions from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..models import FINE_PARTS_MODEL, card_of
from ..progress import SILENT, CallbackProgress, Progress
from ..segment.job import STAGES as SEGMENT_STAGES
from .request import Fitted, RigRequest

if TYPE_CHECKING:
    from .bones import Skeleton

# Shares of the duration: the parts of the body take most of it.
_OF_PARTS = 0.7
STAGES = {
    **{stage: round(_OF_PARTS * share, 4) for stage, share in SEGMENT_STAGES.items()},
    "joints": 0.1,
    "family": 0.1,
    "parts": 0.1,
}


def run(request: RigRequest, progress: Progress = SILENT) -> Fitted:
    """Find the joints of a figure.

    Parameters
    ----------
    request : RigRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Fitted

    Raises
    ------
    SurfaceError
        If the geometry cannot be used, is no figure, or surely one of another family.
    DeviceError
        If the engine or the device is missing, or memory does not suffice.
    """
    from .pipeline import fitted

    return fitted(request, progress)


def rig(
    surface: Surface | Character,
    kind: str = "plain",
    *,
    fingers: bool = True,
    toes: bool = True,
    face: bool = False,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> tuple[Skeleton, np.ndarray, Fitted]:
    """Skeleton and skin weights of a figure, as arrays.

    Parameters
    ----------
    surface : Surface or Character
    kind : str
        A choice of `request.Bones`. Of an animal "plain" and those of Rigify alone, without faces
        and toes of its metarigs, which Blender has.
    fingers, toes, face : bool
        Whether these have bones of their own; an animal has none of them.
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Other fields of `RigRequest`.

    Returns
    -------
    skeleton : Skeleton
    weights : (V, B) float64
        Of the vertices of the pooled surface; rows add up to one.
    fitted : Fitted
        Joints, confidence, and what is doubtful.

    Raises
    ------
    SurfaceError, DeviceError
        As `run`.
    DiffusionNetError
        If there is no such kind.
    """
    from .bones import skeleton_of
    from .kinds import kind_for

    models = options.get("model", FINE_PARTS_MODEL), options.get("model_folders", ())
    chosen = kind_for(kind, card_of(*models, "segment").four_legs)
    if isinstance(surface, Character):
        options = {"member": surface.member, **options}
    shape = pooled(surface)
    found = run(RigRequest(shape, **options), CallbackProgress(progress))
    skeleton = skeleton_of(found.places, found.frame, chosen, fingers, toes, face)
    return skeleton, weights_of(shape.vertices, found, skeleton), found


def weights_of(vertices: np.ndarray, found: Fitted, skeleton: Skeleton) -> np.ndarray:
    """Skin weights (V, B) of a skeleton whose bones may have been moved since it was fitted.

    Parameters
    ----------
    vertices : (V, 3) float
        Those that it was fitted to.
    found : Fitted
    skeleton : Skeleton
    """
    from .kinds import KINDS
    from .weights import bone_weights

    parts = {spec.name: spec.parts for spec in KINDS[skeleton.kind].bones}
    return bone_weights(
        vertices,
        found.parts,
        found.part_names,
        [parts.get(role, ()) for role in skeleton.roles],
        skeleton.heads,
        skeleton.tails,
        found.stiff,
    )
