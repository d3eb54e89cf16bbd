"""Bounding boxes of objects in the world, (2, 3): the lowest and the highest corner."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

# Boxes that are nearer than this share of the larger one's size touch; small ones float farther.
REACH = 0.02
SMALL = 0.25
REACH_OF_SMALL = 0.1
# Boxes with a larger common share along each axis are those of two figures in one place, and not
# of a figure and what it wears.
SAME_BOX = 0.8


class Boxes:
    """Boxes of objects, each computed once."""

    def __init__(self) -> None:
        self._known: dict[bpy.types.Object, np.ndarray] = {}

    def of(self, obj: bpy.types.Object) -> np.ndarray:
        """That of one object, (2, 3) float64."""
        if obj not in self._known:
            self._known[obj] = world_box(obj)
        return self._known[obj]

    def around(self, objects: Sequence[bpy.types.Object]) -> np.ndarray:
        """That around several objects, (2, 3) float64."""
        boxes = [self.of(obj) for obj in objects]
        return np.array([np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0)])


def world_box(obj: bpy.types.Object) -> np.ndarray:
    """Lowest and highest corner of an object's bounding box in the world, (2, 3) float64."""
    to_world = np.array(obj.matrix_world, dtype=np.float64)
    corners = np.array([tuple(corner) for corner in obj.bound_box])
    corners = corners @ to_world[:3, :3].T + to_world[:3, 3]
    return np.array([corners.min(0), corners.max(0)])


def size(boxes: np.ndarray) -> np.ndarray:
    """Diagonals of boxes (..., 2, 3)."""
    return np.linalg.norm(boxes[..., 1, :] - boxes[..., 0, :], axis=-1)


def touch(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether a box (2, 3) touches each of others (..., 2, 3), or nearly."""
    large = np.maximum(size(box), size(others))
    is_small = np.minimum(size(box), size(others)) < SMALL * large
    reach = (np.where(is_small, REACH_OF_SMALL, REACH) * large)[..., None]
    below = box[0] <= others[..., 1, :] + reach
    return (below & (others[..., 0, :] <= box[1] + reach)).all(-1)


def is_worn(box: np.ndarray, character: np.ndarray) -> bool:
    """Whether something is smaller than a character, and in its place."""
    return bool(
        size(box) < 0.75 * size(character)
        and touch(box, character)
        and is_centred_in(box, character)
    )


def is_centred_in(box: np.ndarray, character: np.ndarray) -> bool:
    """Whether the middle of a box is in another one, or nearly."""
    reach = REACH * size(character)
    middle = box.mean(0)
    return bool((middle >= character[0] - reach).all() and (middle <= character[1] + reach).all())


def is_same_box(one: np.ndarray, other: np.ndarray, share: float = SAME_BOX, axes: int = 3) -> bool:
    """Whether two boxes have nearly all of their extent in common, along their longest axes."""
    common = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    both = np.maximum(one[1], other[1]) - np.minimum(one[0], other[0])
    longest = np.argsort(-both)[:axes]
    return bool((common >= share * np.maximum(both, 1e-30))[longest].all())


def is_flat(box: np.ndarray) -> bool:
    """Whether a box is that of a ground or a backdrop."""
    extent = np.sort(box[1] - box[0])
    return bool(extent[0] < 1e-3 * extent[1])
