"""The other side of vertex groups and shape keys, which a source has for one side alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.points import SurfacePoints
from ..sides import other_side
from .layers import Layers, MeshShape, ShapeKeys, Weights

# Mean distance of the mirror image from the shape, as a share of its size, above which a shape has
# no other side.
MOST_AWAY = 0.02
# How well a plane has to part the sides, see `_planes`.
LEAST_APART = 0.5
# The first planes count, unless another one parts the sides better by more than rounding.
NEARLY = 1.01
# Vertices by which a plane is judged.
SAMPLES = 2000


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
    def of(cls, shape: MeshShape, frame: np.ndarray, on_a_side: np.ndarray, name: str) -> Mirror:
        """The mirror of a shape about the plane that parts its sides.

        Parameters
        ----------
        shape : MeshShape
        frame : (3, 3) float
            Columns: axes of an object in the space of the shape. Axes of that space are tried, too.
        on_a_side : (V, S) float
            How much each vertex belongs to things of one side.
        name : str
            Of the shape, for the error.

        Raises
        ------
        DiffusionNetError
            If the shape is not symmetric.
        """
        from ...matching.closest import ClosestPoints

        search = ClosestPoints(shape.vertices, shape.triangles)
        size = np.ptp(shape.vertices, axis=0).max()
        few = slice(None, None, max(1, len(shape.vertices) // SAMPLES))
        best, most = None, LEAST_APART
        for reflection, through, apart in _planes(shape.vertices, frame, on_a_side):
            mirrored = (shape.vertices[few] - through) @ reflection.T + through
            found = search(mirrored)[0].interpolate(shape.vertices, shape.triangles)
            away = float(np.linalg.norm(found - mirrored, axis=1).mean()) / size
            # Of planes about which it is symmetric, the one that parts the sides.
            if away <= MOST_AWAY and apart > most * NEARLY:
                best, most = (reflection, through), apart
        if best is None:
            raise DiffusionNetError(
                f"{name!r} is not symmetric, so what has a side has no other one",
                "Put it into its rest pose, or switch Other Side off.",
            )
        reflection, through = best
        points = search((shape.vertices - through) @ reflection.T + through)[0]
        return cls(reflection, points)


def _planes(
    vertices: np.ndarray, frame: np.ndarray, on_a_side: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Reflections (3, 3), points that they keep, and how well their planes part the sides.

    The last is the mean distance of what has a side from the plane, with its sign, in terms of the
    root mean square: 1 if all of it is on one side, 0 if as much is on either.
    """
    total = on_a_side.sum(axis=0)
    shares = on_a_side[:, total > 0.0] / total[total > 0.0]
    middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    for axes in (frame, np.eye(3)):
        inverse = np.linalg.inv(axes)
        for number in range(3):
            across = inverse[number] / np.linalg.norm(inverse[number])
            signs = np.where(np.arange(3) == number, -1.0, 1.0)
            reflection = axes @ np.diag(signs) @ inverse
            for through in (np.zeros(3), middle):
                off = (vertices - through) @ across
                spread = np.sqrt(shares.T @ np.square(off))
                apart = np.abs(shares.T @ off) / np.maximum(spread, np.finfo(float).tiny)
                yield reflection, through, float(apart.mean()) if len(apart) else 0.0


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


def side_values(
    layers: Layers, shape: MeshShape, groups: dict[str, str], keys: dict[str, str]
) -> np.ndarray:
    """How much each vertex belongs to groups and keys of one side, (V, S) float64."""
    found = []
    if layers.weights is not None:
        names = layers.weights.names
        found += [layers.weights.values[:, names.index(name)] for name in groups.values()]
    if layers.keys is not None:
        for name in keys.values():
            offsets = layers.keys.positions[layers.keys.names.index(name)] - shape.vertices
            found.append(np.linalg.norm(offsets, axis=1))
    return np.stack(found, axis=1).astype(np.float64)


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
