"""What the last run on each mesh gave, so that it can be written again in another way.

Kept in memory for the session, by the mesh's `session_uid`, which undo does not change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..tasks.labels import polygon_labels
from .read import ObjectGeometry


@dataclass(frozen=True, eq=False)
class LabelResult:
    """Labels of a mesh, ready to write.

    Attributes
    ----------
    class_names : tuple of str
    class_colours : (C, 3) float
        sRGB, 0 to 1.
    vertex_probabilities : (V, C) float32
    polygon_labels : (P,) int32
        Empty for a point cloud.
    polygon_areas : (P,) float64
    topology : str
        Of the mesh that the labels belong to, see `read.topology_of`.
    model_name : str
    seconds : dict of str to float
        Of each stage of the run.
    """

    class_names: tuple[str, ...]
    class_colours: np.ndarray
    vertex_probabilities: np.ndarray
    polygon_labels: np.ndarray
    polygon_areas: np.ndarray
    topology: str
    model_name: str
    seconds: dict[str, float]

    @cached_property
    def vertex_labels(self) -> np.ndarray:
        """Most probable class of each vertex, (V,) int32."""
        return self.vertex_probabilities.argmax(axis=1).astype(np.int32)

    @property
    def confidence(self) -> np.ndarray:
        """Probability of that class, (V,) float32."""
        return self.vertex_probabilities.max(axis=1)


def label_result(
    geometry: ObjectGeometry,
    vertex_probabilities: np.ndarray,
    class_names: Sequence[str],
    class_colours: np.ndarray,
    model_name: str,
    seconds: dict[str, float],
) -> LabelResult:
    """Labels of a mesh, those of its polygons included, by probabilities at its vertices.

    Parameters
    ----------
    geometry : ObjectGeometry
        Of the mesh.
    vertex_probabilities : (V, C) float32
    class_names, class_colours, model_name, seconds :
        As of `LabelResult`.
    """
    return LabelResult(
        class_names=tuple(class_names),
        class_colours=class_colours,
        vertex_probabilities=vertex_probabilities,
        polygon_labels=polygon_labels(
            vertex_probabilities,
            geometry.surface.faces,
            geometry.areas,
            geometry.polygon_of_triangle,
            geometry.polygon_count,
        ),
        polygon_areas=geometry.polygon_areas,
        topology=geometry.topology,
        model_name=model_name,
        seconds=seconds,
    )


# Of the corrections after a run, as many are kept as one is likely to step through with undo.
KEPT_EDITS = 8

_results: dict[int, LabelResult] = {}
_edits: dict[int, deque[LabelResult]] = {}


def keep_result(mesh: bpy.types.Mesh, result: LabelResult) -> None:
    """Keep the result of a run; it replaces the one before, and what was corrected since."""
    _results[mesh.session_uid] = result
    _edits.pop(mesh.session_uid, None)


def keep_edit(mesh: bpy.types.Mesh, result: LabelResult | None = None) -> None:
    """Note that the labels on a mesh were corrected, and keep the outcome if there is one."""
    edits = _edits.setdefault(mesh.session_uid, deque(maxlen=KEPT_EDITS))
    if result:
        edits.append(result)


def was_edited(mesh: bpy.types.Mesh) -> bool:
    """Whether the labels were corrected since the last run in this session."""
    return mesh.session_uid in _edits


def candidates(mesh: bpy.types.Mesh) -> list[LabelResult]:
    """What the labels on a mesh may be, after corrections and undo; the newest first."""
    run = _results.get(mesh.session_uid)
    return [*reversed(_edits.get(mesh.session_uid, ())), *([run] if run else [])]


def find_result(mesh: bpy.types.Mesh) -> LabelResult | None:
    """Result of the last run on a mesh in this session."""
    return _results.get(mesh.session_uid)


def any_results() -> bool:
    """Whether anything was segmented in this session, in the file at hand."""
    return bool(_results)


def forget_result(mesh: bpy.types.Mesh) -> None:
    """Drop the result of a mesh, if there is one."""
    _results.pop(mesh.session_uid, None)
    _edits.pop(mesh.session_uid, None)


@persistent
def forget_all_results(*_) -> None:
    """Drop all results; a handler for when another file is about to be opened."""
    _results.clear()
    _edits.clear()
