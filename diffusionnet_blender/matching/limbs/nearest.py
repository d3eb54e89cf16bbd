"""Corresponding points of two figures in the same limbs: near, facing alike, of the same part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..by_features import main_components
from ..closest import ClosestPoints
from ..points import Maps, SurfacePoints
from ..pointwise import precise_map
from ..registration import MOST_TURNED
from .directions import SIDES
from .parted import PartedMesh
from .posing import in_limbs_of

# Weights of normals, of the square roots of the probabilities of parts, and of learned features
# against positions in heights of the figure. Measured on dressed and on stylised characters, see
# docs/transfer.md.
NORMALS, PARTS, FEATURES = 0.06, 0.4, 0.1
# And of the coordinates of fingers and toes.
DIGITS = 0.1
# Of the parts once one of the figures is deformed to the other. Normals of unlike faces would tear
# the map then.
PARTS_SETTLED = 0.1
# Agreement of the parts of a place and its image below which it is lost, and from which on another
# one is right; of so small a share of the area it is a border between two parts.
LOST, KEPT, LEAST_LOST = 0.7, 0.85, 0.002


def nearest_maps(
    source: PartedMesh,
    target: PartedMesh,
    features: tuple[np.ndarray, np.ndarray] | None = None,
    digits: tuple[np.ndarray, np.ndarray] | None = None,
) -> Maps:
    """For each vertex of either figure the point of the other that is nearest in all respects.

    Parameters
    ----------
    source, target : PartedMesh
        The target as `posing.in_limbs_of` leaves it.
    features : ((V_s, d), (V_t, d) float), optional
        Rows of unit length.
    digits : ((V_s, n), (V_t, n) float), optional
        Coordinates of fingers and toes, as `digits.digit_coordinates` gives them.

    Returns
    -------
    target_to_source, source_to_target : SurfacePoints
    """
    rows = (None, None) if features is None else main_components(*features)
    embedded = [
        _embedded(mesh, source.height, PARTS, NORMALS, own)
        for mesh, own in zip((source, target), rows, strict=True)
    ]
    if digits is not None:
        embedded = [
            np.concatenate([own, DIGITS * columns], axis=1)
            for own, columns in zip(embedded, digits, strict=True)
        ]
    return (
        precise_map(embedded[0], source.faces, embedded[1]),
        precise_map(embedded[1], target.faces, embedded[0]),
    )


def settled_map(source: PartedMesh, target: PartedMesh) -> SurfacePoints:
    """For each vertex of a target that was deformed to the source the nearest point of it.

    Of the same part, or else one that faces alike: what is near may be the inside of a mouth.

    Parameters
    ----------
    source, target : PartedMesh
    """
    own, other = (_embedded(mesh, source.height, PARTS_SETTLED) for mesh in (source, target))
    points = precise_map(own, source.faces, other)
    turned = np.flatnonzero(
        facing_agreement(source, target, points) < np.cos(np.radians(MOST_TURNED))
    )
    if not len(turned):
        return points
    closest = ClosestPoints(source.vertices, source.faces)
    found, _ = closest(target.vertices[turned], target.normals[turned], MOST_TURNED)
    return points.replaced(turned, found)


def with_lost_limbs(
    points: SurfacePoints, source: PartedMesh, target: PartedMesh, pinned: np.ndarray
) -> SurfacePoints:
    """A map with what it takes to another part of the body on the nearest place of its own part.

    A hand that lies on a thigh is one with it on an outer skin, and a map of two skins may leave
    both on the thigh. What went to the same part of the other side stays: sides are decided for a
    whole figure, by its map and its pins.

    Parameters
    ----------
    points : SurfacePoints
        On the source, one for each vertex of the target.
    source, target : PartedMesh
    pinned : (P,) int
        Vertices of the target that stay.
    """
    lost = part_agreement(_either_side(source), _either_side(target), points) < LOST
    lost[pinned] = False
    rows = np.flatnonzero(lost)
    if target.mass[rows].sum() < LEAST_LOST:
        return points
    moved = in_limbs_of(source, target)
    own, other = (_embedded(mesh, source.height, PARTS) for mesh in (source, moved))
    found = precise_map(own, source.faces, other[rows])
    laid = points.replaced(rows, found)
    same = part_agreement(source, target, laid)[rows] > KEPT
    return points.replaced(rows[same], found[same])


def _either_side(mesh: PartedMesh) -> PartedMesh:
    """The mesh with the parts of both sides as probable as each other at each vertex."""
    names = mesh.names
    swapped = {f".{one}": f".{other}" for one, other in zip(SIDES, SIDES[::-1], strict=True)}
    order = [
        names.index(n[:-2] + swapped[n[-2:]]) if n[-2:] in swapped else i
        for i, n in enumerate(names)
    ]
    return replace(mesh, parts=(mesh.parts + mesh.parts[:, order]) / 2)


def _embedded(
    mesh: PartedMesh,
    height: float,
    parts: float,
    normals: float = 0.0,
    features: np.ndarray | None = None,
) -> np.ndarray:
    """Positions, parts, normals and features (V, n) whose distances are compared."""
    columns = [mesh.vertices / height, parts * np.sqrt(mesh.parts)]
    if normals:
        columns.append(normals * mesh.normals)
    if features is not None:
        columns.append(FEATURES * features.astype(float))
    return np.concatenate(columns, axis=1)


def part_agreement(
    source: PartedMesh, target: PartedMesh, target_to_source: SurfacePoints
) -> np.ndarray:
    """How far the parts of each vertex and of its image are the same, (V_t,) from 0 to 1.

    The Bhattacharyya coefficient of the two distributions.
    """
    image = np.sqrt(target_to_source.interpolate(source.parts, source.faces))
    return np.einsum("vc,vc->v", np.sqrt(target.parts), image)


def facing_agreement(
    source: PartedMesh, target: PartedMesh, target_to_source: SurfacePoints
) -> np.ndarray:
    """Cosine (V_t,) between the normal of each vertex in the source's limbs and of its image."""
    image = target_to_source.interpolate(source.normals, source.faces)
    image /= np.maximum(np.linalg.norm(image, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.einsum("vi,vi->v", target.normals, image)
