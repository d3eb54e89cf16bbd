"""Parts of the body on a figure that is matched, and the upright frame in which they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...matching.limbs.links import PARTS
from ...matching.limbs.parted import PartedMesh, parted_mesh
from ...network.checkpoint import Model
from ...surface.surface import Surface
from ...surface.winding import vertex_normals
from ..fine_parts import within_known
from ..models import DEFAULT_MODEL, card_of
from ..progress import CallbackProgress
from ..segment.framing import HALF_TURN
from ..segment.job import STAGES as SEGMENT_STAGES
from ..segment.pipeline import segmentation
from ..segment.request import SegmentRequest
from ..sides import side_of, sides_of
from .request import MatchRequest, Members

# Parts of a place are those of so many vertices around it that face alike.
NEAREST = 8
# Of the area, what must be surely of one part for a figure to have a body at all.
LEAST_SURE = 0.3


@dataclass(frozen=True, eq=False)
class BodyParts:
    """Parts of the body at the vertices of a surface.

    Attributes
    ----------
    surface : Surface
    probabilities : (V, C) float
    names : tuple of C str
    frame : (3, 3) float64
        Rows: the directions to the left of the figure, to its back, and up.
    sides_sure : float
        Probability that left and right are not exchanged, 0.5 to 1.
    """

    surface: Surface
    probabilities: np.ndarray
    names: tuple[str, ...]
    frame: np.ndarray
    sides_sure: float

    def on(self, mesh: Surface) -> PartedMesh:
        """Another mesh of the same figure, in the same place, with these parts."""
        own = vertex_normals(self.surface.vertices, self.surface.faces)
        distance, near = cKDTree(self.surface.vertices).query(mesh.vertices, NEAREST)
        facing = np.einsum("vki,vi->vk", own[near], vertex_normals(mesh.vertices, mesh.faces))
        least = 1e-3 * np.ptp(mesh.vertices, axis=0).max()
        weight = np.clip(facing + 0.5, 0.05, 1.5) / np.square(distance + least)
        parts = np.einsum("vk,vkc->vc", weight, self.probabilities[near])
        parts /= np.maximum(parts.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return parted_mesh(mesh.vertices, mesh.faces, parts, self.names, self.frame)


def body_parts(
    request: MatchRequest,
    surface: Surface,
    members: Members | None,
    known: np.ndarray | None,
    parts_model: str | Model,
    report: Callable[[float], None],
) -> BodyParts | None:
    """Parts of the body of a figure; None for a shape that has no upright frame of a body.

    Parameters
    ----------
    request : MatchRequest
        Of the engine and the models.
    surface : Surface
        Source or target of the request.
    members : Members, optional
        Of the same.
    known : (V, C) float, optional
        Coarse parts of vertices that bones move; rows of zeros where none is known.
    parts_model : str or Model
        Of the fine parts of a body.
    report : callable
        Called with a fraction; may raise to stop.
    """
    coarse = card_of(DEFAULT_MODEL, request.model_folders, "segment").class_names
    sides = None if known is None else sides_of(known, coarse)
    found = segmentation(
        SegmentRequest(
            surface,
            parts_model,
            member=None if members is None else members.of_vertex,
            carried=() if members is None else members.carried,
            sides=sides if sides is not None and sides.any() else None,
            engine=request.engine,
            device=request.device,
            model_folders=request.model_folders,
        ),
        CallbackProgress(_whole(report)),
    )
    names = found.class_names
    if found.frame is None or not set(PARTS) <= set(names):
        return None
    probabilities = found.vertex_probabilities.astype(float)
    if np.mean(probabilities.max(axis=1) > 0.5) < LEAST_SURE:
        return None
    if known is not None:
        probabilities = within_known(probabilities, names, known, coarse)
    frame = found.frame
    if _to_left(surface, probabilities, names) @ frame[0] < 0:
        # Bones have decided the sides.
        frame = HALF_TURN @ frame
    sure = 1.0 if found.side_confidence is None else found.side_confidence
    return BodyParts(surface, probabilities, names, frame, sure)


def _to_left(surface: Surface, probabilities: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Direction (3,) from the parts of the right side to those of the left."""
    used = np.unique(surface.faces)
    side = np.array([side_of(name) for name in names])
    weight = probabilities[used] @ side
    left, right = np.maximum(weight, 0.0), np.maximum(-weight, 0.0)
    middle = [each @ surface.vertices[used] / max(each.sum(), 1e-9) for each in (left, right)]
    return middle[0] - middle[1]


def _whole(report: Callable[[float], None]) -> Callable[[str, float], None]:
    """Progress in the stages of a segmentation as a fraction of all of it."""
    before, total = {}, 0.0
    for stage, share in SEGMENT_STAGES.items():
        before[stage] = total
        total += share

    def progress(stage: str, fraction: float) -> None:
        if stage in before:
            report((before[stage] + SEGMENT_STAGES[stage] * fraction) / total)

    return progress
