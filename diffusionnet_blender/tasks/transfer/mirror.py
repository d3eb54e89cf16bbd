"""The other side of vertex groups and shape keys, which a source has for one side alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.points import SurfacePoints
from ..sides import other_side
from .layers import Layers, MeshShape, ShapeKeys, Weights

# Mean distance of the mirror image from the shape, as a share of its size, above which a shape has
# no other side.
MOST_AWAY = 0.02


@dataclass(frozen=True, eq=False)
class Mirror:
    """The mirror image of each vertex of a shape.

    Attributes
    ----------
    reflection : (3, 3) float64
        Of directions.
    points : SurfacePoints
        Where each vertex lands.
    """

    reflection: np.ndarray
    points: SurfacePoints

    @classmethod
    def of(cls, shape: MeshShape, reflection: np.ndarray, name: str) -> Mirror:
        """The mirror of a shape through its origin or its middle, whichever fits better.

        Parameters
        ----------
        shape : MeshShape
        reflection : (3, 3) float
        name : str
            Of the shape, for the error.

        Raises
        ------
        DiffusionNetError
            If the shape is not symmetric.
        """
        from ...matching.closest import ClosestPoints

        search = ClosestPoints(shape.vertices, shape.triangles)
        low, high = shape.vertices.min(axis=0), shape.vertices.max(axis=0)
        best, least = None, np.inf
        for through in (np.zeros(3), 0.5 * (low + high)):
            mirrored = (shape.vertices - through) @ reflection.T + through
            points = search(mirrored)[0]
            found = points.interpolate(shape.vertices, shape.triangles)
            away = float(np.linalg.norm(found - mirrored, axis=1).mean())
            if away < least:
                best, least = points, away
        if best is None or least > MOST_AWAY * (high - low).max():
            raise DiffusionNetError(
                f"{name!r} is not symmetric about its local X axis, so its groups and keys have no "
                "other side",
                "Put it into its rest pose, or switch Other Side off.",
            )
        return cls(reflection, best)


def one_sided(chosen: Sequence[str], existing: Sequence[str]) -> dict[str, str]:
    """Names of the other sides to make, and the names that they are made from.

    Parameters
    ----------
    chosen : sequence of str
    existing : sequence of str
        All names of the source: what it has is not made.
    """
    pairs = ((other_side(name), name) for name in chosen)
    return {other: name for other, name in pairs if other and other not in existing}


def with_other_side(
    layers: Layers, shape: MeshShape, mirror: Mirror, groups: dict[str, str], keys: dict[str, str]
) -> Layers:
    """Layers with the mirror images of vertex groups and shape keys.

    Parameters
    ----------
    layers : Layers
    shape : MeshShape
    mirror : Mirror
    groups, keys : dict of str to str
        See `one_sided`.
    """
    if layers.weights is not None and groups:
        layers = replace(layers, weights=_weights(layers.weights, shape, mirror, groups))
    if layers.keys is not None and keys:
        layers = replace(layers, keys=_keys(layers.keys, shape, mirror, keys))
    return layers


def _weights(weights: Weights, shape: MeshShape, mirror: Mirror, names: dict[str, str]) -> Weights:
    columns = [weights.names.index(name) for name in names.values()]
    own = np.asarray(weights.values[:, columns], dtype=np.float64)
    added = mirror.points.interpolate(own, shape.triangles)
    skin = weights.deforming[columns]
    skinned = weights.skinned
    if skinned is not None:
        skinned = skinned | added[:, skin].any(axis=1)
    return replace(
        weights,
        names=(*weights.names, *names),
        values=np.concatenate([weights.values, added], axis=1),
        deforming=np.concatenate([weights.deforming, skin]),
        skinned=skinned,
    )


def _keys(keys: ShapeKeys, shape: MeshShape, mirror: Mirror, names: dict[str, str]) -> ShapeKeys:
    added = []
    for name in names.values():
        offsets = keys.positions[keys.names.index(name)] - shape.vertices
        there = mirror.points.interpolate(offsets, shape.triangles)
        added.append(shape.vertices + there @ mirror.reflection.T)
    return ShapeKeys((*keys.names, *names), np.concatenate([keys.positions, np.stack(added)]))
