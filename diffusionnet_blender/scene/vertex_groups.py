"""Vertex groups: one a class, hard or soft."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, pairwise

import bpy
import numpy as np

# Below this a probability is not worth a weight: with it, few vertices have more than three.
LEAST_WEIGHT = 0.01
# Weights are rounded to 1 / this, so that equal ones are written in one call.
WEIGHT_STEPS = 1000


def hard_weights(labels: np.ndarray, class_count: int) -> np.ndarray:
    """Weight 1 for a vertex's own class, 0 for the others: (V, C) float32."""
    return np.eye(class_count, dtype=np.float32)[labels]


def soft_weights(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities rounded, and those below `LEAST_WEIGHT` left out: (V, C) float32."""
    rounded = np.round(probabilities * WEIGHT_STEPS) / WEIGHT_STEPS
    return np.where(probabilities < LEAST_WEIGHT, 0.0, rounded).astype(np.float32)


def locked_groups(obj: bpy.types.Object, names: Sequence[str]) -> list[str]:
    """Those of the groups that exist and are locked."""
    return [name for name in names if (g := obj.vertex_groups.get(name)) and g.lock_weight]


def write_vertex_groups(obj: bpy.types.Object, names: Sequence[str], weights: np.ndarray) -> None:
    """Fill one group a class; groups that are locked stay as they are, and the active one active.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    names : sequence of C str
        Groups are made where they do not exist.
    weights : (V, C) float32
        A vertex is in a group where its weight is above 0.
    """
    active, had_groups = obj.vertex_groups.active_index, len(obj.vertex_groups) > 0
    everyone = list(range(len(weights)))
    for name, column in zip(names, np.ascontiguousarray(weights.T), strict=True):
        group = obj.vertex_groups.get(name)
        if group is None:
            group = obj.vertex_groups.new(name=name)
        elif group.lock_weight:
            continue
        else:
            group.remove(list(compress(everyone, (column == 0).tolist())))
        members = np.flatnonzero(column)
        members = members[np.argsort(column[members])]
        values = column[members]
        # Vertex groups have no bulk access; of one weight, any number go in one call.
        bounds = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(members)]
        order = members.tolist()
        for start, end in pairwise(bounds if order else []):
            group.add(order[start:end], float(values[start]), "REPLACE")
    if had_groups:
        obj.vertex_groups.active_index = active


def read_weights(obj: bpy.types.Object, names: Sequence[str]) -> np.ndarray:
    """Weights of the vertices in groups, 0 where one is not there: (V, C) float32."""
    groups = obj.vertex_groups
    column = {groups[name].index: i for i, name in enumerate(names) if name in groups}
    weights = np.zeros((len(obj.data.vertices), len(names)), dtype=np.float32)
    if column:
        for row, vertex in enumerate(obj.data.vertices):
            for element in vertex.groups:
                if element.group in column:
                    weights[row, column[element.group]] = element.weight
    return weights
