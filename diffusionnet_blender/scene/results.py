"""What the last run on each mesh gave, so that it can be written again in another way.

Kept in memory for the session, by the mesh's `session_uid`, which undo does not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import bpy
import numpy as np
from bpy.app.handlers import persistent


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


_results: dict[int, LabelResult] = {}


def keep_result(mesh: bpy.types.Mesh, result: LabelResult) -> None:
    """Keep the result of a run; it replaces the one before."""
    _results[mesh.session_uid] = result


def find_result(mesh: bpy.types.Mesh) -> LabelResult | None:
    """Result of the last run on a mesh in this session."""
    return _results.get(mesh.session_uid)


def any_results() -> bool:
    """Whether anything was segmented in this session, in the file at hand."""
    return bool(_results)


def forget_result(mesh: bpy.types.Mesh) -> None:
    """Drop the result of a mesh, if there is one."""
    _results.pop(mesh.session_uid, None)


@persistent
def forget_all_results(*_) -> None:
    """Drop all results; a handler for when another file is about to be opened."""
    _results.clear()
