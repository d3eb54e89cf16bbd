"""Maps of two bodies limb by limb, for figures whose features are not alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...matching.confidence import confidence, cycle_distance
from ...matching.limbs.nearest import facing_agreement, nearest_maps, part_agreement
from ...matching.limbs.parted import PartedMesh
from ...matching.limbs.posing import in_limbs_of
from ...matching.points import Maps, SurfacePoints
from ...matching.spectral import SpectralMesh
from ..clock import Clock
from ..sides import side_of
from .maps import Pins
from .side import Side

# Share of the area that may lie on the other side under a map by features.
MOST_SWAPPED = 0.05
# So many pins decide on left and front, where they are so far from a map, in units of the square
# root of the area: about the width of a trunk.
DECIDING, ELSEWHERE = 3, 0.2


@dataclass(frozen=True, eq=False)
class Posed:
    """Source and target in the limbs of the source.

    Attributes
    ----------
    source, target : PartedMesh
    meshes : (SpectralMesh, SpectralMesh)
        The same, for the functions that take those.
    """

    source: PartedMesh
    target: PartedMesh
    meshes: tuple[SpectralMesh, SpectralMesh]


def posed(source: Side, target: Side) -> Posed | None:
    """The target in the limbs of the source; None where either is no body."""
    if source.body is None or target.body is None:
        return None
    moved = in_limbs_of(source.body, target.body)
    meshes = (
        replace(source.mesh, vertices=source.body.vertices),
        replace(target.mesh, vertices=moved.vertices),
    )
    return Posed(source.body, moved, meshes)


def by_limbs(source: Side, target: Side, both: Posed, clock: Clock) -> Maps:
    """Maps in both directions by the nearest points of the same limbs."""
    clock.start("map")
    maps = nearest_maps(both.source, both.target, source.features, target.features)
    clock.stop("map")
    return maps


def swapped_area(both: Posed, points: SurfacePoints) -> float:
    """Share of the target's area that a map puts on the other side of the source."""
    side = np.array([side_of(name) for name in both.target.names])
    own = both.target.parts @ side
    image = points.interpolate(both.source.parts @ side, both.source.faces)
    return float(both.target.mass @ (own * image < -0.25))


def contradicts(source: Side, points: SurfacePoints, pins: Pins) -> bool:
    """Whether pins are so far from a map that they decide left and right, front and back anew."""
    if pins is None or len(pins[0]) < DECIDING:
        return False
    image = points[pins[1]].interpolate(source.mesh.vertices, source.mesh.faces)
    away = np.linalg.norm(image - source.mesh.vertices[pins[0]], axis=1)
    return bool(np.median(away) > ELSEWHERE)


def limb_confidence(both: Posed, maps: Maps, sides_sure: float) -> np.ndarray:
    """Confidence (V_t,) of maps limb by limb: there and back, alike in parts and in facing."""
    points, source_to_target = maps
    cycle = cycle_distance(*both.meshes, points, source_to_target)
    agree = part_agreement(both.source, both.target, points)
    facing = facing_agreement(both.source, both.target, points)
    return confidence(cycle) * agree * np.clip(0.5 + facing, 0.0, 1.0) * (2 * sides_sure - 1)
